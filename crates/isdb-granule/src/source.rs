//! Sources of a granule's bytes: files, and anything else that can be read at an offset.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::pages::Pages;

/// Bytes that can be read at any offset, by several threads at once, and that do not change meanwhile.
pub trait ByteSource: Send + Sync {
    /// The path or URL. Errors contain it, and the granule's id comes from it if the metadata have none.
    fn name(&self) -> &str;

    /// Number of bytes.
    fn len(&self) -> u64;

    /// Whether the source is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// If the bytes cannot be fetched, or end before the buffer is full (`UnexpectedEof`).
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// A file read by position, so that threads do not share a cursor.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    name: String,
    len: u64,
    pages: Pages,
}

impl FileSource {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// If the file cannot be opened or its length is unknown.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path.as_ref())?;
        let len = file.metadata()?.len();
        Ok(Self { file, name: path.as_ref().display().to_string(), len, pages: Pages::default() })
    }
}

impl ByteSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.pages.read_at(self.len, offset, buffer, |offset, buffer| read_exact_at(&self.file, offset, buffer))
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}
