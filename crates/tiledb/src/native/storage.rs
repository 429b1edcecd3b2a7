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

    /// Whether a read takes long because of where the files are, so that [`prepare`](Self::prepare) and [`prefetch`](Self::prefetch) are
    /// worth a call.
    fn is_remote(&self) -> bool {
        false
    }

    /// Reads whole files at the same time, for the [`read`](Self::read) of each that follows.
    fn prepare(&self, _paths: &[String]) {}

    /// Begins to read ranges for the [`read_ranges`](Self::read_ranges) that follow, and returns at once. An error is that of the read.
    fn prefetch(&self, _ranges: &[FileRange]) {}

    /// Reads ranges, those of one file following each other, each into the buffer at the same position, which is resized.
    /// Storage with a long latency reads them at the same time.
    ///
    /// # Errors
    /// The path, and its error; [`io::ErrorKind::UnexpectedEof`] if the file ends within a range.
    fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)>;
}

/// The end of a file, and the file's size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEnd {
    /// The last bytes.
    pub bytes: Vec<u8>,
    /// The bytes of the whole file.
    pub size: u64,
}

/// The files of one array, and their names: for an array whose fragments are not recorded elsewhere. Calls block.
pub trait ListedStorage: Storage {
    /// Lists the names of the files and folders in `folder`, a path below the array's folder; none if it does not exist.
    ///
    /// # Errors
    /// Any error of the storage.
    fn names(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Reads the last `bytes` bytes of each file, or all of a shorter one. Storage with a long latency reads them at the same time.
    ///
    /// # Errors
    /// The path, and its error; [`io::ErrorKind::NotFound`] if the file does not exist.
    fn read_ends(&self, paths: &[String], bytes: u64) -> Result<Vec<FileEnd>, (Arc<str>, io::Error)>;
}

/// Waits until a file is stored.
pub type Stored = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// The files of one array, and new ones. A file is never changed. Calls block.
pub trait WritableStorage: ListedStorage {
    /// Begins to store a new file, and returns what waits until it is stored. Others can be begun meanwhile; if too many bytes of them are
    /// in memory, this call waits.
    ///
    /// # Errors
    /// Any error of the storage; most come from what is returned.
    fn begin_write(&self, path: &str, content: &[u8]) -> io::Result<Stored>;

    /// Removes the files in `folder` that were stored, as far as possible.
    fn remove_folder(&self, folder: &str);
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
        let mut open: Option<(&Arc<str>, File, u64)> = None;
        for (range, buffer) in ranges.iter().zip(buffers) {
            let failed = |error| (Arc::clone(&range.path), error);
            let (file, size) = match open.take() {
                Some((path, file, size)) if *path == range.path => (file, size),
                _ => open_with_size(&self.path(&range.path)).map_err(failed)?,
            };
            // Before memory is reserved: the range comes from another file, which may be damaged.
            let end = range.start.saturating_add(range.length as u64);
            if end > size {
                let problem = format!("expected at least {end} bytes, found {size}");
                return Err(failed(io::Error::new(io::ErrorKind::UnexpectedEof, problem)));
            }
            buffer.resize(range.length, 0);
            file.read_exact_at(buffer, range.start).map_err(failed)?;
            open = Some((&range.path, file, size));
        }
        Ok(())
    }
}

impl ListedStorage for LocalFiles {
    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.path(folder)) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn read_ends(&self, paths: &[String], bytes: u64) -> Result<Vec<FileEnd>, (Arc<str>, io::Error)> {
        let end = |path: &String| {
            let read = || {
                let (file, size) = open_with_size(&self.path(path))?;
                let mut end = vec![0; usize::try_from(bytes.min(size)).map_err(io::Error::other)?];
                file.read_exact_at(&mut end, size - bytes.min(size))?;
                Ok(FileEnd { bytes: end, size })
            };
            read().map_err(|error| (Arc::from(path.as_str()), error))
        };
        paths.iter().map(end).collect()
    }
}

fn open_with_size(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

/// The error of a file of the array at `uri`.
pub(super) fn file_error(uri: &str, path: &str, source: io::Error) -> Error {
    Error::File { path: format!("{}/{path}", uri.trim_end_matches('/')), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_beyond_the_file_is_an_error_and_reserves_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a0.tdb"), [1, 2, 3]).unwrap();
        let files = LocalFiles::new(folder.path());
        for (start, length) in [(0, usize::MAX / 2), (2, 2), (u64::MAX, 1), (u64::MAX, usize::MAX)] {
            let mut buffers = [Vec::new()];
            let range = FileRange { path: "a0.tdb".into(), start, length };
            let (path, error) = files.read_ranges(&[range], &mut buffers).unwrap_err();
            assert_eq!((&*path, error.kind()), ("a0.tdb", io::ErrorKind::UnexpectedEof));
            assert_eq!(buffers[0].capacity(), 0);
        }
        let mut buffers = [Vec::new()];
        files.read_ranges(&[FileRange { path: "a0.tdb".into(), start: 1, length: 2 }], &mut buffers).unwrap();
        assert_eq!(buffers[0], [2, 3]);
    }
}
