//! The writer's lock: it saves a second writer its work. Safety does not rest on it but on the conditional commit, so that a
//! file system without locks (NFS without a lock daemon, Lustre without `-o flock`) is written to without one.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Once;

use crate::durable::is_lacking;
use crate::error::{Error, Result};
use crate::location::Location;

/// The file that is locked, in the database's folder.
pub(crate) const LOCK: &str = "lock";

/// The lock, held until it is dropped. The operating system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Unlocks before the file is closed: a child that this process is starting at this moment may hold a copy of the open file.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock of the database at `location`, or says at once that another process has it.
    pub(crate) fn take(location: &Location) -> Result<Lock> {
        let path = location.part(LOCK);
        let failed = |source| Error::Io { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { uri: location.uri() }),
            Err(TryLockError::Error(source)) if is_lacking(&source) => {
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

    /// Takes the lock in `folder` if there is one that no process holds; None if one does.
    ///
    /// # Errors
    /// When there is no lock, or it does not tell.
    pub(crate) fn take_over(folder: &Path) -> std::io::Result<Option<Lock>> {
        let file = File::options().write(true).open(folder.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(source),
        }
    }
}
