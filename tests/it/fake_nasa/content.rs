//! Files with random content that a seed reproduces.

use bytes::Bytes;

/// A file with an HDF5 superblock that has its length, and bytes that differ between seeds.
pub(crate) fn hdf5(seed: u64, length: usize) -> Bytes {
    let mut content = b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00".to_vec();
    for address in [0, u64::MAX, length as u64, 48] {
        content.extend(address.to_le_bytes());
    }
    let mut random = Random::new(seed);
    while content.len() < length {
        content.extend(random.next().to_le_bytes());
    }
    content.truncate(length);
    Bytes::from(content)
}

/// A small random number generator; equal seeds give equal numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number of `0..end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// A hash of the content.
pub(crate) fn fingerprint(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
