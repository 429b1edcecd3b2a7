//! Small objects beside the arrays (commits, checkpoints, areas): created whole and durable, never changed in place. In an object store
//! each is one request; on a local disk it is written beside its place, synced, and gets its name last.

use std::io::ErrorKind;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::array_files::list_names;
use super::durable::{io_error, rename_new, sync_file, sync_folder};
use super::location::{Location, Place, STAGING};
use super::remote::bucket::{self, Bucket};
use super::retry::with_retries;
use crate::error::{Error, Result};

/// The objects of one database.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    location: Location,
    store: Store,
}

#[derive(Clone, Debug)]
enum Store {
    Local(Arc<LocalFileSystem>),
    Bucket(Bucket),
}

impl Objects {
    /// Opens the objects of the database at `location`. A local folder must exist.
    pub(crate) fn open(location: &Location) -> Result<Objects> {
        let store = match location.place() {
            Place::Folder(folder) => {
                let store = LocalFileSystem::new_with_prefix(folder);
                Store::Local(Arc::new(store.map_err(|source| Error::Log { uri: location.uri(), source })?))
            }
            Place::Bucket(bucket) => Store::Bucket(bucket.clone()),
        };
        Ok(Objects { location: location.clone(), store })
    }

    /// Creates the object `path`, durably and only if it does not exist. On a local disk it is first written as the staged object `name`,
    /// and if its folder may be new, [`sync_root`](Self::sync_root) makes the folder durable.
    ///
    /// # Errors
    /// [`Error::Log`] or [`Error::Store`], which do not mean that nothing was created. [`already_exists`] recognises an object that existed.
    pub(crate) async fn create(&self, path: &Path, name: &str, bytes: Vec<u8>) -> Result<()> {
        let store = match &self.store {
            Store::Bucket(bucket) => return bucket.put_new(path.as_ref(), bytes).await.map(drop),
            Store::Local(store) => store,
        };
        let staged = Path::from_iter([STAGING, name]);
        self.stage(store, &staged, bytes).await?;
        let created = with_retries(async || self.rename_new(&staged, path)).await;
        // A later takeover removes a staged object that cannot be removed now; it says nothing about `path`.
        let _ = store.delete(&staged).await;
        created.map_err(self.error())?;
        self.sync_folder_of(path)
    }

    /// Gives the object `staged` the name `path`, which must be free.
    fn rename_new(&self, staged: &Path, path: &Path) -> object_store::Result<()> {
        let [from, to] = [staged, path].map(|path| self.location.path(path.as_ref()));
        let created = match rename_new(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = to.parent().map_or(Ok(()), std::fs::create_dir_all);
                folder.and_then(|()| rename_new(&from, &to))
            }
            created => created,
        };
        created.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => {
                object_store::Error::AlreadyExists { path: path.to_string(), source: Box::new(source) }
            }
            _ => object_store::Error::Generic { store: "local disk", source: Box::new(source) },
        })
    }

    /// Creates or replaces the object `path`. A power cut may bring the old object back, but never leaves a half-written one.
    pub(crate) async fn replace(&self, path: &Path, name: &str, bytes: Vec<u8>) -> Result<()> {
        let store = match &self.store {
            Store::Bucket(bucket) => return bucket.put(path.as_ref(), bytes).await,
            Store::Local(store) => store,
        };
        let staged = Path::from_iter([STAGING, name]);
        self.stage(store, &staged, bytes).await?;
        with_retries(|| store.rename(&staged, path)).await.map_err(self.error())
    }

    /// Returns the content of the object `path`.
    pub(crate) async fn get(&self, path: &Path) -> Result<Vec<u8>> {
        match &self.store {
            Store::Local(store) => {
                let get = async || store.get(path).await?.bytes().await;
                Ok(with_retries(get).await.map_err(self.error())?.into())
            }
            Store::Bucket(bucket) => Ok(bucket.get(path.as_ref()).await?.into()),
        }
    }

    /// Lists the numbers above `after` of the objects below `prefix`, ascending. Only names are read: a log may have many objects.
    pub(crate) async fn numbers(&self, prefix: &str, after: u64) -> Result<Vec<u64>> {
        let names = match &self.store {
            Store::Local(_) => list_names(&self.location.path(prefix))?,
            Store::Bucket(bucket) => bucket.list_after(prefix, &format!("{after:020}")).await?,
        };
        let mut numbers: Vec<u64> =
            names.iter().filter_map(|name| name.parse().ok()).filter(|number| *number > after).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The last of the numbers `first`, `first + 1`, … below `prefix` that exist without a gap; None if `first` does not exist. For a few
    /// new objects on a local disk, and any number of them in an object store.
    pub(crate) async fn last_from(&self, prefix: &str, first: u64) -> Result<Option<u64>> {
        if let Store::Bucket(_) = &self.store {
            let numbers = self.numbers(prefix, first.saturating_sub(1)).await?;
            // A listing may lack a number that was created while it was made, but not the one before all others.
            return Ok(numbers.last().copied().filter(|_| numbers.first() == Some(&first)));
        }
        let mut last = None;
        for number in first.. {
            if !self.exists(&numbered(prefix, number))? {
                break;
            }
            last = Some(number);
        }
        Ok(last)
    }

    /// Whether the file of the object `path` exists on a local disk.
    fn exists(&self, path: &Path) -> Result<bool> {
        let file = self.location.path(path.as_ref());
        file.try_exists().map_err(|source| io_error(&file, source))
    }

    /// Removes the object `path`, which may be gone already.
    pub(crate) async fn remove(&self, path: &Path) -> Result<()> {
        let store = match &self.store {
            Store::Bucket(bucket) => return bucket.remove(vec![path.to_string()]).await,
            Store::Local(store) => store,
        };
        match with_retries(|| store.delete(path)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            removed => removed.map_err(self.error()),
        }
    }

    /// Writes a staged object durably. An object that became visible before it is durable would be an empty file after a power cut.
    async fn stage(&self, store: &LocalFileSystem, staged: &Path, bytes: Vec<u8>) -> Result<()> {
        let payload = PutPayload::from(bytes);
        with_retries(|| store.put(staged, payload.clone())).await.map_err(self.error())?;
        sync_file(&self.location.path(staged.as_ref()))
    }

    /// Makes the entry of `path` in its folder durable. An object store needs no such thing.
    pub(crate) fn sync_folder_of(&self, path: &Path) -> Result<()> {
        let folder = path.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
        self.location.folder().map_or(Ok(()), |root| sync_folder(&root.join(folder)))
    }

    /// Makes the entries of folders that may be new durable.
    pub(crate) fn sync_root(&self) -> Result<()> {
        self.location.folder().map_or(Ok(()), sync_folder)
    }

    fn error(&self) -> impl Fn(object_store::Error) -> Error + '_ {
        |source| match lacks_conditional_create(&source) {
            true => Error::FileSystem { path: self.location.uri(), source },
            false => Error::Log { uri: self.location.uri(), source },
        }
    }
}

/// Whether the file system cannot create a file under a name that must be free.
fn lacks_conditional_create(error: &object_store::Error) -> bool {
    let object_store::Error::Generic { source, .. } = error else { return false };
    source.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::Unsupported)
}

/// Whether `error` means that the object to be created existed.
pub(crate) fn already_exists(error: &Error) -> bool {
    matches!(error, Error::Log { source: object_store::Error::AlreadyExists { .. }, .. }) || bucket::is_changed(error)
}

/// Whether `error` means that the object does not exist.
pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Log { source: object_store::Error::NotFound { .. }, .. }) || bucket::is_not_found(error)
}

/// The object `number` below `prefix`. Numbers are padded to 20 digits, so that names sort like numbers.
pub(crate) fn numbered(prefix: &str, number: u64) -> Path {
    Path::from_iter([prefix, &format!("{number:020}")])
}
