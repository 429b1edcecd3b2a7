//! The HDF5 file around the values: checks that the file is HDF5 and complete, and gives access to its groups and attributes
//! within a budget.

pub(crate) mod access;
pub(crate) mod budget;
pub(crate) mod listing;
pub(crate) mod stack;
pub(crate) mod superblock;

use std::sync::Arc;

use crate::container::budget::{Budget, BudgetedSource};
use crate::container::superblock::{SIGNATURE, SUPERBLOCK_BYTES, end_of_file};
use crate::error::{Error, Result};
use crate::source::ByteSource;

/// The largest file that is opened; NASA's granules have up to 200 MB. Files with holes can claim any length, and some are read to
/// their end.
const MAX_BYTES: u64 = 8 << 30;

/// Opens the HDF5 structure of `source` after comparing its length with the end-of-file address of the superblock.
pub(crate) fn open(source: &Arc<dyn ByteSource>, budget: &Arc<Budget>) -> Result<hdf5::File> {
    let file = source.name();
    let mut head = [0; SUPERBLOCK_BYTES];
    let len = usize::try_from(source.len()).unwrap_or(usize::MAX).min(head.len());
    let head = &mut head[..len];
    source.read_at(0, head).map_err(|error| Error::io(file, error))?;
    if !head.starts_with(&SIGNATURE) {
        let looks_like = match has_user_block(source.as_ref()) {
            true => "its signature is at byte 512 or later, after a user block; `h5unjam -i IN -o OUT` removes that",
            false => describe_start(head),
        };
        return Err(Error::NotHdf5 { file: file.to_owned(), looks_like });
    }
    let actual = source.len();
    if actual > MAX_BYTES {
        return Err(Error::not_atl08(file, format!("it has {actual} bytes, expected at most {MAX_BYTES}")));
    }
    match end_of_file(head) {
        Some(expected) if expected > actual => {
            return Err(Error::Truncated { file: file.to_owned(), expected, actual });
        }
        Some(_) => {}
        None => return Err(Error::structure(file, "its superblock has an unknown version or address size".into())),
    }
    hdf5::File::from_source(BudgetedSource::new(Arc::clone(source), Arc::clone(budget)))
        .map_err(|error| Error::structure(file, error.into()))
}

/// Whether the signature comes after a user block, whose length HDF5 limits to a power of two from 512 on.
fn has_user_block(source: &dyn ByteSource) -> bool {
    let starts = std::iter::successors(Some(512_u64), |start| start.checked_mul(2));
    starts.take_while(|start| start.saturating_add(8) <= source.len().min(1 << 30)).any(|start| {
        let mut bytes = [0; 8];
        source.read_at(start, &mut bytes).is_ok() && bytes == SIGNATURE
    })
}

/// A description of a file that starts with `head` instead of the signature.
fn describe_start(head: &[u8]) -> &'static str {
    if head.is_empty() {
        "it is empty"
    } else if head.trim_ascii_start().starts_with(b"<") {
        "it looks like a web page: the download ended at a login or error page"
    } else if head.starts_with(&SIGNATURE[..head.len().min(SIGNATURE.len())]) {
        "it ends within the signature"
    } else {
        "its first bytes are not HDF5's signature"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bytes;

    fn open_bytes(bytes: &[u8]) -> Error {
        open(&(Arc::new(Bytes::new("x.h5", bytes.to_vec())) as _), &Arc::default()).unwrap_err()
    }

    #[test]
    fn a_login_page_is_distinguished_from_a_broken_download() {
        let open = |bytes: &[u8]| open_bytes(bytes).to_string();
        assert!(open(b"\n<!DOCTYPE html><html>").contains("web page"));
        assert!(open(b"").contains("empty"));
        assert!(open(b"\x89HD").contains("signature"));
        assert!(open(b"PK\x03\x04 and so on and on").contains("not HDF5's signature"));
    }

    /// A file with a hole of a terabyte.
    struct Hole;

    impl ByteSource for Hole {
        fn name(&self) -> &str {
            "hole.h5"
        }

        fn len(&self) -> u64 {
            1 << 40
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
            buffer.fill(0);
            if offset == 0 {
                buffer[..8].copy_from_slice(&SIGNATURE);
            }
            Ok(())
        }
    }

    #[test]
    fn a_file_far_larger_than_a_granule_is_not_read_to_its_end() {
        let error = open(&(Arc::new(Hole) as _), &Arc::default()).unwrap_err().to_string();
        assert!(error.starts_with("hole.h5: not an ATL08 granule, it has 1099511627776 bytes"), "{error}");
    }

    #[test]
    fn the_length_is_compared_with_the_end_in_the_superblock() {
        for (version, offset_size_at, end_at) in [(0_u8, 13, 40), (1, 13, 44), (2, 9, 28), (3, 9, 28)] {
            let mut head = vec![0_u8; 64];
            head[..8].copy_from_slice(&SIGNATURE);
            head[8] = version;
            head[offset_size_at] = 8;
            head[end_at..end_at + 8].copy_from_slice(&1000_u64.to_le_bytes());
            let error = open_bytes(&head);
            assert!(matches!(error, Error::Truncated { expected: 1000, actual: 64, .. }), "{error}");
            head[end_at - 16..end_at - 8].copy_from_slice(&512_u64.to_le_bytes());
            let error = open_bytes(&head);
            assert!(matches!(error, Error::Truncated { expected: 488, actual: 64, .. }), "{error}");
        }
    }
}
