//! A file format for tests: a signature and the length of the file in eight bytes.

use crate::download::format::FileFormat;

pub(crate) const FORMAT: FileFormat = FileFormat { name: "TEST", signature: b"TEST", end_of_file };

fn end_of_file(head: &[u8]) -> Option<u64> {
    let length = head.strip_prefix(FORMAT.signature)?.first_chunk()?;
    Some(u64::from_le_bytes(*length))
}

/// A complete file of `length` bytes.
pub(crate) fn file_of(length: u64) -> Vec<u8> {
    let mut file = [FORMAT.signature, &length.to_le_bytes()].concat();
    file.resize(usize::try_from(length).unwrap(), 7);
    file
}
