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

impl FileChecksum {
    /// The size and the checksum of a file with this content.
    pub(super) fn new(content: &[u8]) -> Self {
        Self { bytes: content.len() as u64, crc32c: crc32c::crc32c(content) }
    }

    /// Compares a file with what was recorded of it.
    pub(super) fn check(self, content: &[u8]) -> Result<(), tiledb_format::Error> {
        let found = Self::new(content);
        if found == self {
            return Ok(());
        }
        let describe = |sum: Self| format!("{} bytes with CRC32C {:08x}", sum.bytes, sum.crc32c);
        Err(tiledb_format::Error::Invalid {
            what: "fragment metadata",
            expected: describe(self),
            found: describe(found),
        })
    }
}
