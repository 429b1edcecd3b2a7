//! Files of a database by their paths below its location, on a local disk or in an object store. Calls block.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tiledb::{ListedStorage, LocalFiles, Storage};

use super::array_files::list_names;
use super::durable::{io_error, sync_folder};
use super::location::{Location, Place, SEGMENTS};
use super::remote::array_files::BucketArray;
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

    /// Makes the entries of the folder at `path` durable. An object store needs no such thing.
    pub(crate) fn sync(&self, path: &str) -> Result<()> {
        self.folder().map_or(Ok(()), |folder| sync_folder(&folder.join(path)))
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
