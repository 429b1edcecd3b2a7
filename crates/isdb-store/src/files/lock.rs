//! The writer's lock. It is an optimisation that saves a second writer from useless work; correctness comes from the
//! conditional commit. File systems without locks (NFS without a lock daemon, Lustre without `-o flock`) are therefore written
//! to without one.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Once;

use super::durable::is_unsupported;
use super::location::{LOCK, Location, Place};
use super::remote::lock::ObjectLock;
use crate::error::{Error, Result};

/// A lock that is held until it is dropped. When the process dies, the operating system releases the lock of a local disk, and the lock of
/// an object store expires.
#[derive(Debug)]
pub(crate) enum Lock {
    /// A locked file.
    File {
        /// Unlocked when it is dropped.
        _file: FileLock,
    },
    /// An object that is renewed.
    Object(ObjectLock),
    /// None: the user promises that there is a single writer.
    SingleWriter,
}

/// A locked file.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

impl Drop for FileLock {
    /// Unlocks before the file is closed: a child process that is being started may have a copy of the open file.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Locks the database at `location`. On a local disk it does not wait; in an object store it waits for the lock of a process of another
    /// host that may be dead.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has the lock.
    pub(crate) async fn acquire(location: &Location) -> Result<Lock> {
        match location.place() {
            Place::Folder(folder) => FileLock::acquire(folder).map(|file| Lock::File { _file: file }),
            Place::Bucket(bucket) if bucket.is_single_writer() => Ok(Lock::SingleWriter),
            Place::Bucket(bucket) => ObjectLock::acquire(bucket).await.map(Lock::Object),
        }
    }

    /// Checks that this process still has the lock.
    ///
    /// # Errors
    /// [`Error::LostLock`] when it could not renew a lock in an object store for half of the lock's lifetime, or another process has it.
    pub(crate) async fn check(&self) -> Result<()> {
        match self {
            Lock::Object(lock) => lock.check().await,
            Lock::File { .. } | Lock::SingleWriter => Ok(()),
        }
    }
}

impl FileLock {
    /// Locks the database in `folder` without waiting.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has the lock.
    pub(crate) fn acquire(folder: &Path) -> Result<FileLock> {
        let path = folder.join(LOCK);
        let failed = |source| Error::Io { path: path.display().to_string(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(FileLock { file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { uri: folder.display().to_string() }),
            Err(TryLockError::Error(source)) if is_unsupported(&source) => {
                static WARNED: Once = Once::new();
                WARNED.call_once(|| {
                    tracing::warn!(
                        folder = %folder.parent().unwrap_or(folder).display(),
                        error = %source,
                        "this file system has no locks: do not run two writers at a time, the second would stop the first"
                    );
                });
                Ok(FileLock { file })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Locks an existing lock file in `folder`; returns None if another process has it locked.
    ///
    /// # Errors
    /// When the file does not exist, or the file system does not support locks.
    pub(crate) fn acquire_existing(folder: &Path) -> std::io::Result<Option<FileLock>> {
        let file = File::options().write(true).open(folder.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(FileLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(source),
        }
    }
}
