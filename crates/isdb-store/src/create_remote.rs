//! Creation of a database in an object store: it is built on the local disk, and its files are uploaded, commit 1 last and only if there
//! is none.

use std::path::{Path, PathBuf};

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path as Key;
use tempfile::TempDir;

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::files::array_files::{COMMIT_FILES, FRAGMENTS, list_names};
use crate::files::durable::io_error;
use crate::files::interrupted_creations::EXPECTED;
use crate::files::location::{LOCK, Location, SEGMENTS, STAGING};
use crate::files::lock::Lock;
use crate::files::objects::already_exists;
use crate::files::remote::bucket::Bucket;
use crate::files::remote::probe::check_conditional_writes;
use crate::log::commit_log::COMMITS;

/// Files that are uploaded at a time.
const CONCURRENT: usize = 16;

/// A creation that has the database's lock. Whatever dies meanwhile leaves files that the next creation removes.
pub(super) struct RemoteCreation {
    bucket: Bucket,
    uri: String,
    folder: TempDir,
    lock: Lock,
}

impl RemoteCreation {
    /// Checks that the store is suitable and the prefix free, and locks it.
    ///
    /// # Errors
    /// [`Error::Occupied`] when the prefix has other objects, or a database; [`Error::NoConditionalWrites`]; [`Error::Locked`].
    pub(super) async fn begin(bucket: &Bucket, location: &Location) -> Result<RemoteCreation> {
        let uri = location.uri();
        let occupied = || Error::Occupied { uri: uri.clone() };
        remains(bucket).await?.ok_or_else(occupied)?;
        check_conditional_writes(bucket).await?;
        let lock = Lock::acquire(location).await?;
        // Only now: with the lock, no other creation is under way.
        bucket.remove(remains(bucket).await?.ok_or_else(occupied)?).await?;
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new().prefix("isdb-create-").tempdir_in(&temporary);
        let folder = folder.map_err(|source| io_error(&temporary, source))?;
        Ok(RemoteCreation { bucket: bucket.clone(), uri, folder, lock })
    }

    /// Where the database is to be built.
    pub(super) fn local(&self) -> Result<Location> {
        Location::parse(&self.root().to_string_lossy())
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("database")
    }

    /// Uploads what was built.
    ///
    /// # Errors
    /// [`Error::Occupied`] when another process created a database meanwhile.
    pub(super) async fn upload(&self) -> Result<()> {
        let (root, bucket) = (self.root(), &self.bucket);
        let files = blocking(move || read_files(&root)).await?;
        let (commits, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| is_in(path, COMMITS));
        let uploads = others.into_iter().map(|(path, content)| async move { bucket.put(&path, content).await });
        stream::iter(uploads).buffer_unordered(CONCURRENT).try_collect::<()>().await?;
        self.lock.check().await?;
        for (path, content) in commits {
            match bucket.put_new(&path, content.clone()).await {
                Ok(_) => {}
                // The answer to an earlier request may be lost.
                Err(_) if bucket.get(&path).await.is_ok_and(|found| found == content) => {}
                Err(error) if already_exists(&error) => return Err(Error::Occupied { uri: self.uri.clone() }),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The files that an interrupted creation left; None if there are others, such as those of a database.
async fn remains(bucket: &Bucket) -> Result<Option<Vec<String>>> {
    let is_remainder = |entry: &str| EXPECTED.contains(&entry) && entry != COMMITS;
    let entries = bucket.list("").await?;
    if entries.iter().any(|entry| !is_remainder(&entry.name)) {
        return Ok(None);
    }
    let files: Vec<String> = bucket.list_all("").await?.into_iter().map(|(path, _)| path).collect();
    let has_rows = |path: &String| {
        [FRAGMENTS, COMMIT_FILES].iter().any(|folder| is_in(path, &format!("{SEGMENTS}/{folder}")))
            || is_in(path, "ledger")
    };
    let is_kept = |path: &String| path == LOCK || is_in(path, STAGING);
    let has_any = files.iter().any(has_rows);
    Ok((!has_any).then(|| files.into_iter().filter(|path| !is_kept(path)).collect()))
}

fn is_in(path: &str, folder: &str) -> bool {
    Path::new(path).starts_with(folder)
}

/// The files below `root` with their paths, except for what only a local database has.
fn read_files(root: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let (mut files, mut folders) = (Vec::new(), vec![Key::default()]);
    while let Some(folder) = folders.pop() {
        for name in list_names(&root.join(folder.as_ref()))? {
            let path = folder.clone().join(name.as_str());
            let file = root.join(path.as_ref());
            if [STAGING, LOCK].contains(&path.as_ref()) {
                continue;
            }
            if file.is_dir() {
                folders.push(path);
                continue;
            }
            let content = std::fs::read(&file).map_err(|source| io_error(&file, source))?;
            files.push((path.to_string(), content));
        }
    }
    Ok(files)
}
