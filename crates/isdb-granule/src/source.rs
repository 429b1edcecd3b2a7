//! Where a granule's bytes come from: a file, or whatever else can be read at an offset.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Bytes that can be read at any offset, from several threads at once, and do not change while they are read.
pub trait ByteSource: Send + Sync {
    /// What errors call the source, and where a granule's name is looked for when its metadata has none: a path or URL.
    fn name(&self) -> &str;

    /// Number of bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// If they cannot be fetched, or end before the buffer is full (`UnexpectedEof`).
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// A file read by position, so that threads do not share a cursor.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    name: String,
    len: u64,
}

impl FileSource {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// If it cannot be opened or its length is not known.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path.as_ref())?;
        let len = file.metadata()?.len();
        Ok(Self { file, name: path.as_ref().display().to_string(), len })
    }
}

impl ByteSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.len
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    buffer = &mut buffer[read..];
                    offset += read as u64;
                }
            }
        }
        Ok(())
    }
}

/// A source as the HDF5 reader wants it. Only metadata goes through here; chunks are read past it.
pub(crate) struct MetadataSource(pub(crate) Arc<dyn ByteSource>);

impl hdf5::Source for MetadataSource {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), hdf5::FormatError> {
        self.0.read_at(offset, buffer).map_err(|error| match error.kind() {
            // An address beyond the end is damage of the file, and no failure of where it lies.
            io::ErrorKind::UnexpectedEof => {
                let expected = usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(buffer.len());
                hdf5::FormatError::UnexpectedEof {
                    expected,
                    available: usize::try_from(self.len()).unwrap_or(usize::MAX),
                }
            }
            _ => hdf5::FormatError::Source(error.to_string()),
        })
    }
}
