//! The writer's lock: it saves a second writer its work. Safety does not rest on it but on the conditional commit.

use std::fs::{File, TryLockError};

use crate::error::{Error, Result};
use crate::location::Location;

/// The lock, held until it is dropped. The operating system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the database at `location`, or says at once that another process has it.
    pub(crate) fn take(location: &Location) -> Result<Lock> {
        let path = location.part("lock");
        let failed = |source| Error::Io { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { uri: location.uri() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
