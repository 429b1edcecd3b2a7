//! The files of a new fragment. Each is written at once and reaches the disk while the next ones are encoded; the commit file, which
//! makes the fragment visible, comes after all of them have.
//!
//! In storage other than a local folder each file is one request, and several are under way while the next columns are encoded.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tiledb_format::{CommitKind, FORMAT_VERSION, TimestampedName};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::native::array_files::ArrayFiles;
use crate::native::fragment::FRAGMENTS;
use crate::native::storage::Stored;

/// The folder of an array's commits.
const COMMITS: &str = "__commits";
/// Threads that wait for the disk: a file system makes files durable together that are synced at the same time.
const SYNCING: usize = 4;
/// Files that may wait for the disk.
const WAITING: usize = 16;
/// Files that may be on their way to other storage, which bounds their bytes.
const UPLOADING: usize = 64;

/// The folder of a fragment that is not visible yet. Unless it is committed, it is removed when dropped.
#[derive(Debug)]
pub(super) struct FragmentFolder<'a> {
    array: &'a ArrayFiles,
    name: String,
    /// A path in the file system, or below the array's folder in other storage.
    path: PathBuf,
    is_committed: bool,
}

impl<'a> FragmentFolder<'a> {
    /// Creates the folder of a new fragment, with a name that no other one has.
    pub(super) fn create(array: &'a ArrayFiles, timestamp_ms: u64) -> Result<Self> {
        let uuid = Uuid::new_v4().simple().to_string();
        let name = TimestampedName { first: timestamp_ms, last: timestamp_ms, uuid, version: Some(FORMAT_VERSION) };
        let name = name.to_string();
        let path = match array {
            ArrayFiles::Folder(folder) => {
                let fragments = folder.join(FRAGMENTS);
                let path = fragments.join(&name);
                fs::create_dir_all(&fragments).map_err(|source| write_error(&fragments, source))?;
                fs::create_dir(&path).map_err(|source| write_error(&path, source))?;
                path
            }
            // Other storage has no folders that could be created.
            ArrayFiles::Storage(..) => Path::new(FRAGMENTS).join(&name),
        };
        Ok(Self { array, name, path, is_committed: false })
    }

    /// Calls `write`, which writes files, and waits until they are on disk.
    pub(super) fn fill<T>(&self, write: impl FnOnce(&Files<'_>) -> Result<T>) -> Result<T> {
        thread::scope(|scope| {
            let waiting = match self.array {
                ArrayFiles::Folder(_) => WAITING,
                ArrayFiles::Storage(..) => UPLOADING,
            };
            let (sender, receiver) = sync_channel::<Unfinished>(waiting);
            let receiver = Arc::new(Mutex::new(receiver));
            let finishing: Vec<_> = (0..SYNCING)
                .map(|_| {
                    let receiver = Arc::clone(&receiver);
                    scope.spawn(move || finish_files(&receiver))
                })
                .collect();
            // Once the threads have ended, a file that is written is an error.
            drop(receiver);
            let files = Files { array: self.array, folder: &self.path, written: sender };
            let written = write(&files).and_then(|written| files.sync_folders().map(|()| written));
            // Ends the threads.
            drop(files);
            let joined =
                finishing.into_iter().map(|thread| thread.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
            // All of them, before an error is returned.
            let finished = joined.fold(Ok(()), Result::and);
            // A file that could not be synced is why a later one could not be written.
            finished.and(written)
        })
    }

    /// Makes the fragment visible, and returns its name. All its files must be on disk.
    pub(super) fn commit(mut self) -> Result<String> {
        let commit = self.name.clone() + CommitKind::Write.suffix();
        let folder = match self.array {
            ArrayFiles::Folder(folder) => folder,
            ArrayFiles::Storage(storage, uri) => {
                let path = format!("{COMMITS}/{commit}");
                // An error does not mean that nothing was stored, and a commit file without its folder would be worse than both.
                self.is_committed = true;
                let stored = storage.begin_write(&path, &[]).and_then(|stored| stored());
                stored.map_err(|source| write_error(&Path::new(uri).join(&path), source))?;
                return Ok(std::mem::take(&mut self.name));
            }
        };
        let commits = folder.join(COMMITS);
        let commit = commits.join(commit);
        fs::create_dir_all(&commits).map_err(|source| write_error(&commits, source))?;
        let in_commit = |source| write_error(&commit, source);
        let created = File::create_new(&commit).map_err(in_commit).and_then(|file| {
            thread::scope(|scope| {
                // At the same time, because the file system then writes its journal once.
                let syncing = scope.spawn(|| file.sync_all().map_err(in_commit));
                let folder = sync_folder(&commits);
                syncing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(folder)
            })
        });
        if let Err(error) = created {
            // Before the folder, so that no reader sees one without files.
            return match fs::remove_file(&commit) {
                Err(left) if left.kind() != io::ErrorKind::NotFound => {
                    self.is_committed = true;
                    Err(error)
                }
                _ => Err(error),
            };
        }
        self.is_committed = true;
        Ok(std::mem::take(&mut self.name))
    }
}

impl Drop for FragmentFolder<'_> {
    fn drop(&mut self) {
        if !self.is_committed {
            // No reader sees what may be left.
            match self.array {
                ArrayFiles::Folder(_) => drop(fs::remove_dir_all(&self.path)),
                ArrayFiles::Storage(storage, _) => storage.remove_folder(&self.path.to_string_lossy()),
            }
        }
    }
}

/// A file that was written and may not have reached the disk.
enum Unfinished {
    File(PathBuf, File),
    /// A folder with new entries.
    Folder(PathBuf),
    Stored(PathBuf, Stored),
}

impl Unfinished {
    fn finish(self) -> Result<()> {
        let (path, finished) = match self {
            Unfinished::File(path, file) => (path, file.sync_all()),
            Unfinished::Folder(path) => return sync_folder(&path),
            Unfinished::Stored(path, stored) => (path, stored()),
        };
        finished.map_err(|source| write_error(&path, source))
    }

    fn path(&self) -> &Path {
        match self {
            Unfinished::File(path, _) | Unfinished::Folder(path) | Unfinished::Stored(path, _) => path,
        }
    }
}

/// The files of a fragment that is being written.
pub(super) struct Files<'f> {
    array: &'f ArrayFiles,
    folder: &'f Path,
    written: SyncSender<Unfinished>,
}

impl Files<'_> {
    /// Writes a file.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        let unfinished = match self.array {
            ArrayFiles::Folder(_) => {
                let create = || {
                    let mut file = File::create_new(&path)?;
                    file.write_all(content)?;
                    Ok(file)
                };
                let file = create().map_err(|source| write_error(&path, source))?;
                Unfinished::File(path, file)
            }
            ArrayFiles::Storage(storage, uri) => {
                let stored = storage.begin_write(&path.to_string_lossy(), content);
                let path = Path::new(uri).join(&path);
                let stored = stored.map_err(|source| write_error(&path, source))?;
                Unfinished::Stored(path, stored)
            }
        };
        self.send(unfinished)
    }

    /// Makes the entries of the folders durable, at the same time as the last files.
    fn sync_folders(&self) -> Result<()> {
        let ArrayFiles::Folder(array) = self.array else { return Ok(()) };
        self.send(Unfinished::Folder(self.folder.to_owned()))?;
        self.send(Unfinished::Folder(array.join(FRAGMENTS)))
    }

    fn send(&self, unfinished: Unfinished) -> Result<()> {
        // The receiver is gone if no thread is left that could sync, and their error is the one that is returned.
        self.written.send(unfinished).map_err(|unsent| write_error(unsent.0.path(), io::ErrorKind::BrokenPipe.into()))
    }
}

/// Makes files durable until there are no more, or one of them cannot be.
fn finish_files(written: &Mutex<Receiver<Unfinished>>) -> Result<()> {
    loop {
        let next = written.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(unfinished) = next else { return Ok(()) };
        unfinished.finish()?;
    }
}

/// Makes the entries of a folder durable, where the file system can: CIFS and some FUSE return EINVAL, others ENOSYS or EPERM.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = File::open(path).map_err(|source| write_error(path, source))?;
    match folder.sync_all() {
        Err(error) if is_unsupported(error.kind()) => Ok(()),
        synced => synced.map_err(|source| write_error(path, source)),
    }
}

fn is_unsupported(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

fn write_error(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.display().to_string(), source }
}
