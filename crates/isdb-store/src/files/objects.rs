//! Small objects beside the arrays (commits, checkpoints, areas): created whole and durable, never changed in place.

use std::io::ErrorKind;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::array_files::list_names;
use super::durable::{io_error, rename_new, sync_file, sync_folder};
use super::location::{Location, STAGING};
use super::retry::with_retries;
use crate::error::{Error, Result};

/// The objects of one database.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    location: Location,
    store: Arc<LocalFileSystem>,
}

impl Objects {
    /// Opens the objects of the database at `location`, whose folder must exist.
    pub(crate) fn open(location: &Location) -> Result<Objects> {
        let store = LocalFileSystem::new_with_prefix(location.root())
            .map_err(|source| Error::Log { uri: location.uri(), source })?;
        Ok(Objects { location: location.clone(), store: Arc::new(store) })
    }

    /// Creates the object `path`, durably and only if it does not exist. It is first written as the staged object `name`. If its folder
    /// may be new, [`sync_root`](Self::sync_root) makes the folder durable.
    ///
    /// # Errors
    /// [`Error::Log`], which does not mean that nothing was created. [`already_exists`] recognises an object that existed.
    pub(crate) async fn create(&self, path: &Path, name: &str, bytes: Vec<u8>) -> Result<()> {
        let staged = Path::from_iter([STAGING, name]);
        self.stage(&staged, bytes).await?;
        let created = with_retries(async || self.rename_new(&staged, path)).await;
        // A later takeover removes a staged object that cannot be removed now; it says nothing about `path`.
        let _ = self.store.delete(&staged).await;
        created.map_err(self.error())?;
        self.sync_folder_of(path)
    }

    /// Gives the object `staged` the name `path`, which must be free.
    fn rename_new(&self, staged: &Path, path: &Path) -> object_store::Result<()> {
        let [from, to] = [staged, path].map(|path| self.location.root().join(path.as_ref()));
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
        let staged = Path::from_iter([STAGING, name]);
        self.stage(&staged, bytes).await?;
        with_retries(|| self.store.rename(&staged, path)).await.map_err(self.error())
    }

    /// Returns the content of the object `path`.
    pub(crate) async fn get(&self, path: &Path) -> Result<Vec<u8>> {
        let get = async || self.store.get(path).await?.bytes().await;
        Ok(with_retries(get).await.map_err(self.error())?.into())
    }

    /// Lists the numbers above `after` of the objects below `prefix`, ascending. Only names are read: a log may have many objects.
    pub(crate) fn numbers(&self, prefix: &str, after: u64) -> Result<Vec<u64>> {
        let names = list_names(&self.location.root().join(prefix))?;
        let mut numbers: Vec<u64> =
            names.iter().filter_map(|name| name.parse().ok()).filter(|number| *number > after).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Whether the object `path` exists.
    pub(crate) fn exists(&self, path: &Path) -> Result<bool> {
        let file = self.location.root().join(path.as_ref());
        file.try_exists().map_err(|source| io_error(&file, source))
    }

    /// Removes the object `path`, which may be gone already.
    pub(crate) async fn remove(&self, path: &Path) -> Result<()> {
        match with_retries(|| self.store.delete(path)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            removed => removed.map_err(self.error()),
        }
    }

    /// Writes a staged object durably. An object that became visible before it is durable would be an empty file after a power cut.
    async fn stage(&self, staged: &Path, bytes: Vec<u8>) -> Result<()> {
        let payload = PutPayload::from(bytes);
        with_retries(|| self.store.put(staged, payload.clone())).await.map_err(self.error())?;
        sync_file(&self.location.root().join(staged.as_ref()))
    }

    /// Makes the entry of `path` in its folder durable.
    pub(crate) fn sync_folder_of(&self, path: &Path) -> Result<()> {
        let folder = path.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
        sync_folder(&self.location.root().join(folder))
    }

    /// Makes the entries of folders that may be new durable.
    pub(crate) fn sync_root(&self) -> Result<()> {
        sync_folder(self.location.root())
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
    matches!(error, Error::Log { source: object_store::Error::AlreadyExists { .. }, .. })
}

/// Whether `error` means that the object does not exist.
pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Log { source: object_store::Error::NotFound { .. }, .. })
}

/// The object `number` below `prefix`. Numbers are padded to 20 digits, so that names sort like numbers.
pub(crate) fn numbered(prefix: &str, number: u64) -> Path {
    Path::from_iter([prefix, &format!("{number:020}")])
}
