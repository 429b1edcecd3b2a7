//! What the owner of an array records of a fragment.

use crate::literal::Literal;

/// A fragment as its owner has recorded it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveFragment {
    /// The name of its folder, `__<first>_<last>_<uuid>_<version>`.
    pub name: String,
    /// The number of its cells.
    pub cells: u64,
    /// The lowest and highest coordinate per dimension, in the layout's order.
    pub domain: Vec<(Literal, Literal)>,
    /// Size and checksum of its `__fragment_metadata.tdb`, if they were recorded.
    pub metadata: Option<FileChecksum>,
}

/// The size and the CRC32C of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileChecksum {
    /// The size in bytes.
    pub bytes: u64,
    /// The CRC32C of the content.
    pub crc32c: u32,
}
