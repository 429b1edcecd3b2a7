//! The bytes of a file, which several threads read.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::RasterError;

/// Bytes that can be read from any offset.
trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

/// A file, or the content of one.
pub(crate) struct Input {
    path: PathBuf,
    length: u64,
    bytes: Mutex<Box<dyn Bytes>>,
}

impl Input {
    pub(crate) fn open(path: &Path) -> Result<Input, RasterError> {
        let unreadable = |source| RasterError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(unreadable(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        Ok(Input { path: path.to_owned(), length: metadata.len(), bytes: Mutex::new(Box::new(file)) })
    }

    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Input {
        Input { path: path.to_owned(), length: bytes.len() as u64, bytes: Mutex::new(Box::new(Cursor::new(bytes))) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` with the bytes from `offset`.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), RasterError> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.length) {
            return Err(self.malformed("it ends early"));
        }
        // A panic in another thread leaves no state behind: every read begins with a seek.
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let read = bytes.seek(SeekFrom::Start(offset)).and_then(|_| bytes.read_exact(buffer));
        read.map_err(|source| RasterError::Unreadable { path: self.path.clone(), source })
    }

    pub(crate) fn malformed(&self, problem: impl Into<String>) -> RasterError {
        RasterError::Malformed { path: self.path.clone(), problem: problem.into() }
    }

    pub(crate) fn unsupported(&self, problem: impl Into<String>) -> RasterError {
        RasterError::Unsupported { path: self.path.clone(), problem: problem.into() }
    }
}
