//! File formats that downloads can be checked for.

/// A file format whose first bytes state the length of the file, so that a truncated download is noticed even if neither CMR nor the
/// server announced its length.
#[derive(Debug, Clone, Copy)]
pub struct FileFormat {
    /// The format's name, for messages.
    pub name: &'static str,
    /// The bytes at the start of every file.
    pub signature: &'static [u8],
    /// Returns the length in bytes of the file that starts with these bytes: the first [`FileFormat::HEAD_BYTES`], or the whole
    /// of a shorter file. None if no file of this format starts with them.
    pub end_of_file: fn(&[u8]) -> Option<u64>,
}

impl FileFormat {
    /// The number of bytes that [`FileFormat::end_of_file`] gets.
    pub const HEAD_BYTES: usize = 64;
}
