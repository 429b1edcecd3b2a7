//! Where the files of an array are: the few operations that reading one needs.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

/// Bytes of one file, by its path below the array's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRange {
    /// The path, with `/` between folders.
    pub path: Arc<str>,
    /// The first byte.
    pub start: u64,
    /// The number of bytes.
    pub length: usize,
}

/// The files of one array. Calls block.
pub trait Storage: Debug + Send + Sync {
    /// Reads a whole file.
    ///
    /// # Errors
    /// Any error of the file; [`io::ErrorKind::NotFound`] if it does not exist.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Reads ranges, those of one file following each other, each into the buffer at the same position, which is resized.
    /// Storage with a long latency reads them at the same time.
    ///
    /// # Errors
    /// The path, and its error; [`io::ErrorKind::UnexpectedEof`] if the file ends within a range.
    fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)>;
}

/// An array in a folder of the local file system.
#[derive(Clone, Debug)]
pub struct LocalFiles {
    folder: PathBuf,
}

impl LocalFiles {
    /// The array in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }
}

impl Storage for LocalFiles {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.path(path))
    }

    fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
        let mut open: Option<(&Arc<str>, File)> = None;
        for (range, buffer) in ranges.iter().zip(buffers) {
            let failed = |error| (Arc::clone(&range.path), error);
            let file = match open.take() {
                Some((path, file)) if *path == range.path => file,
                _ => File::open(self.path(&range.path)).map_err(failed)?,
            };
            buffer.resize(range.length, 0);
            file.read_exact_at(buffer, range.start).map_err(failed)?;
            open = Some((&range.path, file));
        }
        Ok(())
    }
}

/// The error of a file of the array at `uri`.
pub(super) fn file_error(uri: &str, path: &str, source: io::Error) -> Error {
    Error::File { path: format!("{}/{path}", uri.trim_end_matches('/')), source }
}
