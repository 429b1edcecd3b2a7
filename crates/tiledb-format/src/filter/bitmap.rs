//! Validity as Arrow keeps it: one bit per cell, the lowest bit first, set where the cell is not NULL. TileDB stores a byte of 0 or 1.

use crate::error::{Error, Result};

/// Gathers the lowest bits of eight bytes in the highest byte of the product, without a carry.
const GATHER_BITS: u64 = 0x0102_0408_1020_4080;
/// The bits of eight bytes that are zero in bytes of 0 and 1.
const NOT_FLAGS: u64 = 0xfefe_fefe_fefe_fefe;

/// Packs bytes of 0 and 1. `out` has one byte for eight cells; the bits after the last cell become zero.
pub(crate) fn pack(cells: &[u8], out: &mut [u8]) -> Result<()> {
    let (eights, rest) = cells.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut all = 0;
    for (eight, byte) in eights.iter().chain(std::iter::once(&last)).zip(out) {
        let eight = u64::from_le_bytes(*eight);
        all |= eight;
        [.., *byte] = eight.wrapping_mul(GATHER_BITS).to_le_bytes();
    }
    if all & NOT_FLAGS == 0 { Ok(()) } else { Err(not_flags("another byte")) }
}

/// The error for cells that are neither 0 nor 1.
pub(crate) fn not_flags(found: impl ToString) -> Error {
    Error::Invalid { what: "validity of a tile", expected: "bytes of 0 and 1".to_owned(), found: found.to_string() }
}

/// Writes runs of bits, a word at a time.
pub(crate) struct RunWriter<'a> {
    out: &'a mut [u8],
    word: u64,
    filled: u32,
}

impl<'a> RunWriter<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self { out, word: 0, filled: 0 }
    }

    /// Appends `count` equal bits. Those that do not fit are dropped, so callers count.
    pub(crate) fn run(&mut self, is_set: bool, mut count: usize) {
        let pattern = if is_set { u64::MAX } else { 0 };
        while count > 0 {
            let free = 64 - self.filled;
            let part = u32::try_from(count).map_or(free, |count| count.min(free));
            self.word |= (pattern >> (64 - part)) << self.filled;
            self.filled += part;
            // At most 64.
            count -= part as usize;
            if self.filled == 64 {
                self.put(8);
                let bytes = (count / 64 * 8).min(self.out.len());
                self.fill(bytes, pattern.to_le_bytes()[0]);
                count %= 64;
            }
        }
    }

    /// Writes the bits of the last word.
    pub(crate) fn finish(mut self) {
        self.put(self.filled.div_ceil(8) as usize);
    }

    fn put(&mut self, bytes: usize) {
        let part = bytes.min(self.out.len());
        let (target, rest) = std::mem::take(&mut self.out).split_at_mut(part);
        target.copy_from_slice(&self.word.to_le_bytes()[..part]);
        self.out = rest;
        (self.word, self.filled) = (0, 0);
    }

    fn fill(&mut self, bytes: usize, byte: u8) {
        let (target, rest) = std::mem::take(&mut self.out).split_at_mut(bytes);
        target.fill(byte);
        self.out = rest;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(cells: &[u8]) -> Vec<u8> {
        cells.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, cell| byte << 1 | cell)).collect()
    }

    proptest! {
        /// A wrong bit is a value that appears as NULL, or the other way round.
        #[test]
        fn both_ways_set_the_bits_of_the_cells(runs in prop::collection::vec((any::<bool>(), prop_oneof![1..9_usize, 1..400_usize]), 0..20)) {
            let cells: Vec<u8> = runs.iter().flat_map(|&(valid, count)| std::iter::repeat_n(u8::from(valid), count)).collect();
            let mut out = vec![0xaa; cells.len().div_ceil(8)];
            pack(&cells, &mut out).unwrap();
            prop_assert_eq!(&out, &bits(&cells));
            out.fill(0xaa);
            let mut writer = RunWriter::new(&mut out);
            runs.iter().for_each(|&(valid, count)| writer.run(valid, count));
            writer.finish();
            prop_assert_eq!(&out, &bits(&cells));
        }

        /// Other bytes are damage, or mean something that is not known here.
        #[test]
        fn other_bytes_are_refused(mut cells in prop::collection::vec(0..2_u8, 1..40), at in any::<prop::sample::Index>(), byte in 2..=255_u8) {
            *at.get_mut(&mut cells) = byte;
            prop_assert!(pack(&cells, &mut vec![0; cells.len().div_ceil(8)]).is_err());
        }
    }
}
