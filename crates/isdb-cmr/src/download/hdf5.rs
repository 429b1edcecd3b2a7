//! Completeness check of HDF5 files, by the superblock at their start.

use crate::download::format::FileFormat;

/// HDF5 without a user block.
pub const HDF5: FileFormat = FileFormat { name: "HDF5", signature: &SIGNATURE, end_of_file };

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Returns the end-of-file address in the superblock at the start of `head`; None if it is not a superblock of version 0 to 3.
fn end_of_file(head: &[u8]) -> Option<u64> {
    let version = *head.strip_prefix(&SIGNATURE)?.first()?;
    // The positions of the size of addresses and of the first address, the base address, and the number of addresses from the
    // base to the end-of-file address.
    let (size_at, base_at, count) = match version {
        0 => (13, 24, 2),
        1 => (13, 28, 2),
        2 | 3 => (9, 12, 2),
        _ => return None,
    };
    let size = usize::from(*head.get(size_at)?);
    let base = address(head, base_at, size)?;
    base.checked_add(address(head, base_at + count * size, size)?)
}

/// Returns the little-endian number of `size` bytes at `at`.
fn address(head: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = head.get(at..at.checked_add(size)?).filter(|bytes| matches!(bytes.len(), 2 | 4 | 8))?;
    Some(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A superblock of `version` whose file ends at `end`.
    pub(crate) fn superblock(version: u8, end: u64) -> Vec<u8> {
        let mut head = SIGNATURE.to_vec();
        head.push(version);
        match version {
            0 | 1 => head.extend([0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]),
            _ => head.extend([8, 8, 0]),
        }
        if version == 1 {
            head.extend([32, 0, 0, 0]);
        }
        for address in [0, u64::MAX, end] {
            head.extend(address.to_le_bytes());
        }
        head
    }

    #[test]
    fn the_end_of_file_is_read_from_every_version_of_the_superblock() {
        for version in 0..4 {
            assert_eq!((HDF5.end_of_file)(&superblock(version, 500)), Some(500), "version {version}");
        }
        for other in [b"<!DOCTYPE html>", &SIGNATURE[..], &superblock(9, 21), b""] {
            assert_eq!((HDF5.end_of_file)(other), None);
        }
    }
}
