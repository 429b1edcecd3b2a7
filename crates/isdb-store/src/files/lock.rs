//! The writer's lock. It is an optimisation that saves a second writer from useless work; correctness comes from the
//! conditional commit. File systems without locks (NFS without a lock daemon, Lustre without `-o flock`) are therefore written
//! to without one.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Once;

use super::durable::is_unsupported;
use super::location::Location;
use crate::error::{Error, Result};

/// The name of the locked file in the database's folder.
pub(crate) const LOCK: &str = "lock";

/// A lock that is held until it is dropped. The operating system releases it when the process dies, for whatever reason.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Unlocks before the file is closed: a child process that is being started may have a copy of the open file.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Locks the database at `location` without waiting.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has the lock.
    pub(crate) fn acquire(location: &Location) -> Result<Lock> {
        let path = location.child(LOCK);
        let failed = |source| Error::Io { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { uri: location.uri() }),
            Err(TryLockError::Error(source)) if is_unsupported(&source) => {
                static WARNED: Once = Once::new();
                WARNED.call_once(|| {
                    tracing::warn!(
                        folder = %location.root().parent().unwrap_or(location.root()).display(),
                        error = %source,
                        "this file system has no locks: do not run two writers at a time, the second would stop the first"
                    );
                });
                Ok(Lock { file })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Locks an existing lock file in `folder`; returns None if another process has it locked.
    ///
    /// # Errors
    /// When the file does not exist, or the file system does not support locks.
    pub(crate) fn acquire_existing(folder: &Path) -> std::io::Result<Option<Lock>> {
        let file = File::options().write(true).open(folder.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(source),
        }
    }
}
