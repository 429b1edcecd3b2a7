//! The small objects beside the arrays (commits, checkpoints, areas): created whole and durable, never changed in place.

use std::io::ErrorKind;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::durable::{publish, sync_file, sync_folder};
use crate::error::{Error, Result};
use crate::location::{Location, STAGING};
use crate::retry::patiently;

/// The objects of one database.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    location: Location,
    store: Arc<LocalFileSystem>,
}

impl Objects {
    /// Those of the database at `location`, whose folder must exist.
    pub(crate) fn open(location: &Location) -> Result<Objects> {
        let store = LocalFileSystem::new_with_prefix(location.root())
            .map_err(|source| Error::Log { uri: location.uri(), source })?;
        Ok(Objects { location: location.clone(), store: Arc::new(store) })
    }

    /// Creates the object `path`, durably, unless it exists; by way of the staged object `name`.
    ///
    /// # Errors
    /// [`Error::Log`]; it does not say that nothing happened. [`is_there`] tells whether the object existed.
    pub(crate) async fn create(&self, path: &Path, name: &str, bytes: Vec<u8>) -> Result<()> {
        let staged = Path::from_iter([STAGING, name]);
        self.stage(&staged, bytes).await?;
        let created = patiently(async || self.publish(&staged, path)).await;
        // What cannot be removed is swept by a later take over; the object itself is there or not.
        let _ = self.store.delete(&staged).await;
        created.map_err(self.failed())?;
        self.sync_folder_of(path)
    }

    /// Gives the object `staged` the name `path`, which nothing may have.
    fn publish(&self, staged: &Path, path: &Path) -> object_store::Result<()> {
        let [from, to] = [staged, path].map(|path| self.location.root().join(path.as_ref()));
        let created = match publish(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = to.parent().map_or(Ok(()), std::fs::create_dir_all);
                folder.and_then(|()| publish(&from, &to))
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

    /// Puts the object `path` in place of another. A power cut may bring that back, but leaves none half written.
    pub(crate) async fn replace(&self, path: &Path, name: &str, bytes: Vec<u8>) -> Result<()> {
        let staged = Path::from_iter([STAGING, name]);
        self.stage(&staged, bytes).await?;
        patiently(|| self.store.rename(&staged, path)).await.map_err(self.failed())
    }

    /// The content of the object `path`.
    pub(crate) async fn get(&self, path: &Path) -> Result<Vec<u8>> {
        let get = async || self.store.get(path).await?.bytes().await;
        Ok(patiently(get).await.map_err(self.failed())?.into())
    }

    /// The numbers above `after` of the objects below `prefix`, ascending.
    pub(crate) async fn numbers(&self, prefix: &str, after: u64) -> Result<Vec<u64>> {
        let (folder, offset) = (Path::from(prefix), numbered(prefix, after));
        let list = || self.store.list_with_offset(Some(&folder), &offset).try_collect::<Vec<_>>();
        let objects = patiently(list).await.map_err(self.failed())?;
        let number = |path: &Path| path.filename().and_then(|name| name.parse().ok());
        let mut numbers: Vec<u64> = objects.iter().filter_map(|object| number(&object.location)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// An object must not be visible before it is durable: after a power cut it would be an empty file.
    async fn stage(&self, staged: &Path, bytes: Vec<u8>) -> Result<()> {
        let payload = PutPayload::from(bytes);
        patiently(|| self.store.put(staged, payload.clone())).await.map_err(self.failed())?;
        sync_file(&self.location.root().join(staged.as_ref()))
    }

    /// Makes the entry of `path` in its folder durable, and that of the folder, which may be new itself.
    pub(crate) fn sync_folder_of(&self, path: &Path) -> Result<()> {
        let root = self.location.root();
        let folder = path.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
        sync_folder(&root.join(folder))?;
        sync_folder(root)
    }

    fn failed(&self) -> impl Fn(object_store::Error) -> Error + '_ {
        |source| match lacks_conditional_create(&source) {
            true => Error::FileSystem { path: self.location.uri(), source },
            false => Error::Log { uri: self.location.uri(), source },
        }
    }
}

/// Whether the file system can create no file under a name that must be free.
fn lacks_conditional_create(error: &object_store::Error) -> bool {
    let object_store::Error::Generic { source, .. } = error else { return false };
    source.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::Unsupported)
}

/// Whether `error` says that the object to be created existed.
pub(crate) fn is_there(error: &Error) -> bool {
    matches!(error, Error::Log { source: object_store::Error::AlreadyExists { .. }, .. })
}

/// Whether `error` says that there is no such object.
pub(crate) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Log { source: object_store::Error::NotFound { .. }, .. })
}

/// Numbers are padded, so that names sort as numbers do.
pub(crate) fn numbered(prefix: &str, number: u64) -> Path {
    Path::from_iter([prefix, &format!("{number:020}")])
}
