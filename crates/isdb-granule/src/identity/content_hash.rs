//! The hash of a file's bytes, which identifies a file without a granule id.

use std::io;

use sha2::{Digest, Sha256};

use crate::source::ByteSource;

/// Bytes fetched at a time.
const BLOCK: usize = 1 << 20;

/// The first 16 hexadecimal digits of the SHA-256 of all bytes of `source`.
pub(crate) fn content_hash(source: &dyn ByteSource) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BLOCK];
    let mut offset = 0;
    while offset < source.len() {
        let len = usize::try_from(source.len() - offset).unwrap_or(BLOCK).min(BLOCK);
        let block = buffer.get_mut(..len).unwrap_or_default();
        source.read_at(offset, block)?;
        hasher.update(&*block);
        offset += block.len() as u64;
    }
    let first = hasher.finalize().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    Ok(format!("{first:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bytes;

    #[test]
    fn the_hash_is_the_one_that_sha256sum_prints() {
        let hash = |bytes: Vec<u8>| content_hash(&Bytes::new("x", bytes)).unwrap();
        assert_eq!(hash(Vec::new()), "e3b0c44298fc1c14");
        assert_eq!(hash(b"abc".to_vec()), "ba7816bf8f01cfea");
        // a million times "a", the third vector of FIPS 180; then a file that ends exactly with a block
        assert_eq!(hash(vec![b'a'; 1_000_000]), "cdc76e5c9914fb92");
        assert_eq!(hash(vec![0; 2 * BLOCK]), "5647f05ec18958947d32874eeb788fa3"[..16]);
    }
}
