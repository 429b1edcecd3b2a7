//! A name for what has none: the hash of a file's bytes.

use std::io;

use sha2::{Digest, Sha256};

use crate::source::ByteSource;

/// Bytes fetched at a time.
const PIECE: usize = 1 << 20;

/// Bytes of the hash that are told; two digits each.
const TOLD: usize = 8;

/// The first 16 hexadecimal digits of the SHA-256 of all bytes of `source`.
pub(crate) fn hash(source: &dyn ByteSource) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; PIECE];
    let mut offset = 0;
    while offset < source.len() {
        let left = usize::try_from(source.len() - offset).unwrap_or(PIECE).min(PIECE);
        let piece = buffer.get_mut(..left).unwrap_or_default();
        source.read_at(offset, piece)?;
        hasher.update(&*piece);
        offset += piece.len() as u64;
    }
    Ok(hasher.finalize().iter().take(TOLD).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bytes;

    #[test]
    fn the_hash_is_the_one_that_sha256sum_prints() {
        let hash = |bytes: Vec<u8>| hash(&Bytes::new("x", bytes)).unwrap();
        assert_eq!(hash(Vec::new()), "e3b0c44298fc1c14");
        assert_eq!(hash(b"abc".to_vec()), "ba7816bf8f01cfea");
        // a million times "a", the third vector of FIPS 180; then one that ends exactly on a piece
        assert_eq!(hash(vec![b'a'; 1_000_000]), "cdc76e5c9914fb92");
        assert_eq!(hash(vec![0; 2 * PIECE]), "5647f05ec18958947d32874eeb788fa3"[..16]);
    }
}
