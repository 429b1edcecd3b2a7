//! The end of an HDF5 file by its superblock, which shows whether the file is complete.

/// The first eight bytes of an HDF5 file without a user block.
pub const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Bytes from the start of a file that [`end_of_file`] needs: the longest superblock ends its end-of-file address at byte 52.
pub const SUPERBLOCK_BYTES: usize = 64;

/// Returns the length of the complete HDF5 file that starts with `head`, as its superblock states it: version 0 to 3, addresses of
/// 2, 4 or 8 bytes. A shorter file is truncated; bytes after the end are legal. `None` if `head` does not start with such a
/// superblock, or ends within it ([`SUPERBLOCK_BYTES`] are always enough).
///
/// The stored address counts from the start of the file as it was written, where a user block may precede the superblock; the base
/// address is the length of that block. In `head` the superblock comes first, so the block was removed and the end moved by
/// its length, which is how libhdf5 reads such a file (`H5F__super_read`).
#[must_use]
pub fn end_of_file(head: &[u8]) -> Option<u64> {
    let version = *head.strip_prefix(&SIGNATURE)?.first()?;
    // The offsets of the size of an address and of the first address, the base. One address is between the base and the end.
    let (size_at, base_at) = match version {
        0 => (13, 24),
        1 => (13, 28),
        2 | 3 => (9, 12),
        _ => return None,
    };
    let size = usize::from(*head.get(size_at)?);
    let base = address(head, base_at, size)?;
    address(head, base_at + 2 * size, size)?.checked_sub(base)
}

/// The little-endian address of `size` bytes at `at`; `None` for a size that HDF5 does not have.
fn address(head: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = head.get(at..at.checked_add(size)?).filter(|bytes| matches!(bytes.len(), 2 | 4 | 8))?;
    Some(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A superblock of `version` with addresses of `size` bytes, this base and this end-of-file address.
    fn superblock(version: u8, size: u8, base: u64, end: u64) -> Vec<u8> {
        let mut head = SIGNATURE.to_vec();
        head.push(version);
        match version {
            0 | 1 => head.extend([0, 0, 0, 0, size, size, 0, 4, 0, 16, 0, 0, 0, 0, 0]),
            _ => head.extend([size, size, 0]),
        }
        if version == 1 {
            head.extend([32, 0, 0, 0]);
        }
        for address in [base, u64::MAX, end] {
            head.extend(&address.to_le_bytes()[..usize::from(size)]);
        }
        head
    }

    #[test]
    fn the_end_is_read_from_every_version_and_address_size() {
        for version in 0..4 {
            for size in [2, 4, 8] {
                let head = superblock(version, size, 0, 50_000);
                assert!(head.len() <= SUPERBLOCK_BYTES);
                assert_eq!(end_of_file(&head), Some(50_000), "version {version}, addresses of {size} bytes");
                assert_eq!(end_of_file(&head[..head.len() - 1]), None, "a head that ends within the address");
            }
        }
    }

    #[test]
    fn a_removed_user_block_shortens_the_file() {
        // As h5py 3.14 writes it: 512 bytes of user block, then 2,848 bytes.
        for version in 0..4 {
            assert_eq!(end_of_file(&superblock(version, 8, 512, 3360)), Some(2848));
            assert_eq!(end_of_file(&superblock(version, 8, 512, 500)), None);
        }
    }

    #[test]
    fn anything_else_has_no_end() {
        for head in [&b""[..], b"<!DOCTYPE html>", &SIGNATURE, &superblock(4, 8, 0, 64), &superblock(2, 3, 0, 64)] {
            assert_eq!(end_of_file(head), None, "{head:?}");
        }
    }
}
