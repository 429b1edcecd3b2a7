//! Files of a database by their paths below its location, on a local disk or in an object store. Calls block.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tiledb::{ListedStorage, LocalFiles, Storage};

use super::array_files::list_names;
use super::durable::{io_error, sync_file, sync_folder};
use super::location::{Location, Place, SEGMENTS};
use super::remote::array_files::BucketArray;
use super::staging::staging_folder;
use crate::error::Result;

impl Location {
    /// `path` in the file system, or as it is in an object store.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }

    /// The files of the array of segments.
    pub(crate) fn array_files(&self) -> Arc<dyn Storage> {
        self.files_of(SEGMENTS)
    }

    /// The files of the array in the folder at `path`.
    pub(crate) fn files_of(&self, path: &str) -> Arc<dyn ListedStorage> {
        match self.place() {
            Place::Folder(folder) => Arc::new(LocalFiles::new(folder.join(path))),
            Place::Bucket(bucket) => Arc::new(BucketArray::new(bucket, path)),
        }
    }

    /// The names in the folder at `path`; none if it does not exist.
    pub(crate) fn names(&self, path: &str) -> Result<Vec<String>> {
        match self.place() {
            Place::Folder(folder) => list_names(&folder.join(path)),
            Place::Bucket(bucket) => {
                let (of, path) = (bucket.clone(), path.to_owned());
                let entries = bucket.wait(async move { of.list(&path).await })?;
                Ok(entries.into_iter().map(|entry| entry.name).collect())
            }
        }
    }

    /// The content of the file at `path`, which never changes.
    pub(crate) fn read(&self, path: &str) -> Result<Bytes> {
        match self.place() {
            Place::Folder(folder) => {
                let file = folder.join(path);
                Ok(fs::read(&file).map_err(|source| io_error(&file, source))?.into())
            }
            Place::Bucket(bucket) => {
                let (of, path) = (bucket.clone(), path.to_owned());
                bucket.wait(async move { of.get_kept(&path).await })
            }
        }
    }

    /// Reads files of an object store at the same time, for the reads of each that follow. A local disk needs no such thing.
    pub(crate) fn prefetch(&self, paths: impl Iterator<Item = String>) -> Result<()> {
        let Some(bucket) = self.bucket() else { return Ok(()) };
        let (of, paths) = (bucket.clone(), paths.collect());
        bucket.wait(async move {
            of.prefetch(paths).await;
            Ok(())
        })
    }

    /// Creates the file at `path`, which no other process creates. Its content is durable; its entry is once the folder is synced.
    pub(crate) fn create(&self, path: &str, content: Vec<u8>) -> Result<()> {
        match self.place() {
            Place::Folder(folder) => {
                let file = folder.join(path);
                let create = || {
                    let mut file = File::options().write(true).create_new(true).open(&file)?;
                    file.write_all(&content)?;
                    file.sync_all()
                };
                create().map_err(|source| io_error(&file, source))
            }
            Place::Bucket(bucket) => {
                let (of, path) = (bucket.clone(), path.to_owned());
                bucket.wait(async move { of.put(&path, content).await })
            }
        }
    }

    /// Creates or replaces the file at `path`, whole and durable.
    pub(crate) fn replace(&self, path: &str, content: Vec<u8>) -> Result<()> {
        let Place::Folder(root) = self.place() else { return self.create(path, content) };
        let target = root.join(path);
        let failed = |source| io_error(&target, source);
        let folder = target.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(failed)?;
        let staged = staging_folder(root, "replace-")?;
        let file = staged.path().join("file");
        fs::write(&file, content).map_err(failed)?;
        sync_file(&file)?;
        fs::rename(&file, &target).map_err(failed)?;
        sync_folder(folder)?;
        folder.parent().map_or(Ok(()), sync_folder)
    }

    /// Removes the file at `path`, which may be gone already. On a local disk that is durable once the folder is synced.
    pub(crate) fn remove(&self, path: &str) -> Result<()> {
        match self.place() {
            Place::Folder(folder) => {
                let file = folder.join(path);
                match fs::remove_file(&file) {
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                    removed => removed.map_err(|source| io_error(&file, source)),
                }
            }
            Place::Bucket(bucket) => {
                let (of, path) = (bucket.clone(), path.to_owned());
                bucket.wait(async move { of.remove(vec![path]).await })
            }
        }
    }

    /// Makes the entries of the folder at `path` durable. An object store needs no such thing.
    pub(crate) fn sync(&self, path: &str) -> Result<()> {
        self.folder().map_or(Ok(()), |folder| sync_folder(&folder.join(path)))
    }

    /// The paths and sizes of all files in the folder at `path` and below it.
    pub(crate) fn files(&self, path: &str) -> Result<Vec<(String, u64)>> {
        let Place::Bucket(bucket) = self.place() else {
            let mut files = Vec::new();
            let mut folders = vec![path.to_owned()];
            while let Some(folder) = folders.pop() {
                for name in self.names(&folder)? {
                    let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                    let file = self.path(&path);
                    let metadata = file.metadata().map_err(|source| io_error(&file, source))?;
                    match metadata.is_dir() {
                        true => folders.push(path),
                        false => files.push((path, metadata.len())),
                    }
                }
            }
            return Ok(files);
        };
        let (of, path) = (bucket.clone(), path.to_owned());
        bucket.wait(async move { of.list_all(&path).await })
    }

    /// The bytes of the files in the folder at `path`, or of the file there; 0 if it does not exist.
    pub(crate) fn size(&self, path: &str) -> Result<u64> {
        match self.place() {
            Place::Folder(folder) => size(&folder.join(path)),
            Place::Bucket(bucket) => {
                let (of, path) = (bucket.clone(), path.to_owned());
                bucket.wait(async move {
                    let files = of.list_all(&path).await?;
                    if !files.is_empty() {
                        return Ok(files.iter().map(|(_, bytes)| bytes).sum());
                    }
                    Ok(of.head(&path).await?.map_or(0, |object| object.bytes))
                })
            }
        }
    }
}

fn size(path: &std::path::Path) -> Result<u64> {
    let metadata = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        metadata => metadata.map_err(|source| io_error(path, source))?,
    };
    match metadata.is_dir() {
        true => list_names(path)?.iter().map(|name| size(&path.join(name))).sum(),
        false => Ok(metadata.len()),
    }
}
