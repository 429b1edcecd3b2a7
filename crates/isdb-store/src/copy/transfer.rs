//! Files that are copied from one place to another, many at a time, with bounded memory.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::durable::{io_error, sync_file};
use crate::files::location::{Location, Place};
use crate::files::staging::staging_folder;

/// Files under way at a time.
const CONCURRENT: usize = 32;
/// Bytes of files in memory, unless a single one is larger.
const MEMORY_BYTES: u64 = 64 << 20;
/// Bytes of one unit of [`Transfer::memory`].
const UNIT: u64 = 1 << 10;

/// Copies files from one place to another, under the same paths.
pub(super) struct Transfer {
    from: Location,
    to: Location,
    /// Unfinished files of a copy on a local disk.
    staging: Option<TempDir>,
    memory: Semaphore,
}

/// Files that were copied, and files that the copy had already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Transferred {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) present: u64,
}

impl Transferred {
    pub(super) fn add(&mut self, other: Transferred) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.present += other.present;
    }
}

/// A file to copy, and its size.
pub(super) type SizedFile = (String, u64);

impl Transfer {
    /// A transfer to a place that has a folder already, if it is one. Blocks.
    pub(super) fn new(from: &Location, to: &Location) -> Result<Transfer> {
        let staging = to.folder().map(|root| staging_folder(root, STAGED)).transpose()?;
        let units = usize::try_from(MEMORY_BYTES / UNIT).unwrap_or(usize::MAX);
        Ok(Transfer { from: from.clone(), to: to.clone(), staging, memory: Semaphore::new(units) })
    }

    /// The place of the original.
    pub(super) fn from(&self) -> &Location {
        &self.from
    }

    /// The place of the copy.
    pub(super) fn to(&self) -> &Location {
        &self.to
    }

    /// Copies `files`, except for those that the copy has with the same size, as `present` says.
    pub(super) async fn copy(&self, files: Vec<SizedFile>, present: &HashMap<String, u64>) -> Result<Transferred> {
        let copy = |(path, bytes): SizedFile| async move {
            if present.get(&path) == Some(&bytes) {
                return Ok(Transferred { present: 1, ..Transferred::default() });
            }
            self.copy_file(&path, bytes).await?;
            Ok(Transferred { files: 1, bytes, present: 0 })
        };
        let copied = stream::iter(files).map(copy).buffer_unordered(CONCURRENT);
        let sum = |mut sum: Transferred, next: Transferred| async move {
            sum.add(next);
            Ok(sum)
        };
        copied.try_fold(Transferred::default(), sum).await
    }

    async fn copy_file(&self, path: &str, bytes: u64) -> Result<()> {
        fault::reached("copy-each-file");
        if let (Place::Folder(from), Some(_)) = (self.from.place(), &self.staging) {
            let (from, path) = (from.join(path), path.to_owned());
            return self.place(path, move |staged| copy_within_disk(&from, staged, bytes)).await;
        }
        let units = u32::try_from(bytes.min(MEMORY_BYTES).div_ceil(UNIT)).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _memory = self.memory.acquire_many(units).await;
        let content = self.read(path).await?;
        check_length(&self.from.child(path), bytes, content.len() as u64)?;
        self.write(path, content).await
    }

    /// Reads a file of the original.
    pub(super) async fn read(&self, path: &str) -> Result<Bytes> {
        if let Place::Bucket(bucket) = self.from.place() {
            return bucket.get(path).await;
        }
        let (from, path) = (self.from.clone(), path.to_owned());
        blocking(move || from.read(&path)).await
    }

    /// Writes a file of the copy, whole; on a local disk it is durable once its folder is synced.
    pub(super) async fn write(&self, path: &str, content: Bytes) -> Result<()> {
        if let Place::Bucket(bucket) = self.to.place() {
            return bucket.put(path, content).await;
        }
        let write = move |staged: &Path| fs::write(staged, &content).map_err(|source| io_error(staged, source));
        self.place(path.to_owned(), write).await
    }

    /// Gives a file that `write` writes its place once it is durable.
    async fn place(&self, path: String, write: impl FnOnce(&Path) -> Result<()> + Send + 'static) -> Result<()> {
        let Some(staging) = &self.staging else { return Ok(()) };
        let staged = staging.path().join(path.replace('/', "+"));
        let target = self.to.path(&path);
        blocking(move || {
            write(&staged)?;
            sync_file(&staged)?;
            let failed = |source| io_error(&target, source);
            target.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
            fs::rename(&staged, &target).map_err(failed)
        })
        .await
    }
}

/// What the folders of unfinished files are named.
pub(super) const STAGED: &str = "copy-";

/// The files at `location` in the folder at `path`, and below it.
pub(super) async fn files(location: &Location, path: &str) -> Result<Vec<SizedFile>> {
    let (location, path) = (location.clone(), path.to_owned());
    blocking(move || location.files(&path)).await
}

/// [`files`] by path.
pub(super) async fn sizes(location: &Location, path: &str) -> Result<HashMap<String, u64>> {
    Ok(files(location, path).await?.into_iter().collect())
}

/// Copies a file by the file system, which may share its blocks.
fn copy_within_disk(from: &Path, to: &Path, bytes: u64) -> Result<()> {
    let mut file = File::open(from).map_err(|source| io_error(from, source))?;
    let copied = File::create(to).and_then(|mut copy| std::io::copy(&mut file, &mut copy));
    check_length(&from.display().to_string(), bytes, copied.map_err(|source| io_error(to, source))?)
}

fn check_length(object: &str, expected: u64, found: u64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Damaged { object: object.to_owned(), problem: format!("expected {expected} bytes, found {found}") })
}
