//! Differences of differences. A part is a byte with the number of bits of the largest one, a 64-bit count, the first two values, and for
//! each other value a sign and this many bits, from the highest bit of little-endian 64-bit words down. With too many bits, values follow as
//! they are.

use crate::bytes::ByteReader;
use crate::error::{Error, Result};
use crate::filter::signed;

/// Fills `out` with values of `size` bytes.
pub(crate) fn decompress(data: &[u8], size: usize, out: &mut [u8]) -> Result<()> {
    match size {
        1 => decompress_as::<1>(data, out),
        2 => decompress_as::<2>(data, out),
        4 => decompress_as::<4>(data, out),
        8 => decompress_as::<8>(data, out),
        _ => Err(unsupported(size)),
    }
}

/// Replaces the content of `out`. Values of `size` bytes count as signed ones; the bytes are libtiledb's unless unsigned values lie
/// in the upper half of their range. Differences that do not fit in 63 bits, which libtiledb refuses, leave the values as they are.
pub(crate) fn compress(data: &[u8], size: usize, out: &mut Vec<u8>) -> Result<()> {
    match size {
        1 => compress_as::<1>(data, out),
        2 => compress_as::<2>(data, out),
        4 => compress_as::<4>(data, out),
        8 => compress_as::<8>(data, out),
        _ => Err(unsupported(size)),
    }
}

fn decompress_as<const W: usize>(data: &[u8], out: &mut [u8]) -> Result<()> {
    let mut reader = ByteReader::new(data, "double deltas of a tile");
    let bits = u32::from(reader.u8()?);
    let count = reader.u64()?;
    let length = out.len();
    let (values, rest) = out.as_chunks_mut::<W>();
    if count != values.len() as u64 || !rest.is_empty() {
        return Err(reader.invalid(format!("values of {length} bytes"), format!("{count} values of {W} bytes")));
    }
    if bits >= raw_bits::<W>() {
        values.as_flattened_mut().copy_from_slice(reader.bytes(length)?);
        return reader.finish();
    }
    let (first, deltas) = values.split_at_mut(values.len().min(2));
    let first_bytes = first.as_flattened_mut();
    first_bytes.copy_from_slice(reader.bytes(first_bytes.len())?);
    let words = (u128::from(bits + 1) * deltas.len() as u128).div_ceil(64) * 8;
    if words != reader.rest().len() as u128 {
        return Err(reader.invalid(format!("{words} bytes"), reader.rest().len()));
    }
    let &mut [first, second] = first else { return Ok(()) };
    let mut source = BitReader::new(reader.rest());
    let mut value = signed(second);
    let mut delta = value.wrapping_sub(signed(first));
    for out in deltas {
        let is_negative = source.take(1) == 1;
        let size = source.take(bits).cast_signed();
        delta = delta.wrapping_add(if is_negative { size.wrapping_neg() } else { size });
        value = value.wrapping_add(delta);
        *out = low_bytes(value);
    }
    Ok(())
}

fn compress_as<const W: usize>(data: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let (values, rest) = data.as_chunks::<W>();
    if !rest.is_empty() {
        let found = format!("{} bytes", data.len());
        return Err(Error::Invalid {
            what: "double deltas of a tile",
            expected: format!("values of {W} bytes"),
            found,
        });
    }
    let bits = needed_bits(values);
    out.clear();
    out.push(u8::try_from(bits).unwrap_or(u8::MAX));
    out.extend((values.len() as u64).to_le_bytes());
    if bits >= raw_bits::<W>() {
        out.extend_from_slice(data);
        return Ok(());
    }
    out.extend_from_slice(values.split_at(values.len().min(2)).0.as_flattened());
    let mut target = BitWriter::new(out);
    for delta in double_deltas(values) {
        // Each delta was computed before, for the number of bits.
        let delta = delta.unwrap_or_default();
        target.put(u64::from(delta < 0), 1);
        target.put(delta.unsigned_abs(), bits);
    }
    target.finish();
    Ok(())
}

/// From this many bits on, values are stored as they are.
const fn raw_bits<const W: usize>() -> u32 {
    if W == 8 {
        63
    } else if W == 4 {
        31
    } else if W == 2 {
        15
    } else {
        7
    }
}

/// Bits of the largest double delta or, as in libtiledb, of the first delta if that is larger.
fn needed_bits<const W: usize>(values: &[[u8; W]]) -> u32 {
    let [first, second, _, ..] = values else { return 0 };
    let Some(delta) = signed(*second).checked_sub(signed(*first)) else { return i64::BITS };
    let mut largest = delta.unsigned_abs();
    for delta in double_deltas(values) {
        let Some(delta) = delta else { return i64::BITS };
        largest = largest.max(delta.unsigned_abs());
    }
    (u64::BITS - largest.leading_zeros()).max(1)
}

/// The differences of differences, or none where they do not fit.
fn double_deltas<const W: usize>(values: &[[u8; W]]) -> impl Iterator<Item = Option<i64>> {
    values.windows(3).map(|three| {
        let &[a, b, c] = three else { return None };
        signed(c).checked_sub(signed(b))?.checked_sub(signed(b).checked_sub(signed(a))?)
    })
}

fn low_bytes<const W: usize>(value: i64) -> [u8; W] {
    let bytes = value.to_le_bytes();
    std::array::from_fn(|i| bytes[i])
}

fn unsupported(size: usize) -> Error {
    Error::Unsupported { what: "datatype of DOUBLE_DELTA", found: format!("{size} bytes") }
}

/// Takes bits from the highest of little-endian words. After the last word, bits are zero.
struct BitReader<'a> {
    words: std::slice::Iter<'a, [u8; 8]>,
    word: u64,
    left: u32,
}

impl<'a> BitReader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { words: bytes.as_chunks().0.iter(), word: 0, left: 0 }
    }

    /// The next bits, at most 63 of them.
    fn take(&mut self, bits: u32) -> u64 {
        if bits == 0 {
            return 0;
        }
        if bits <= self.left {
            let bits_read = self.word >> (64 - bits);
            self.word <<= bits;
            self.left -= bits;
            return bits_read;
        }
        // The rest of this word, whose lower bits are zero, and the top of the next one.
        let missing = bits - self.left;
        let high = if self.left == 0 { 0 } else { self.word >> (64 - self.left) };
        let next = self.words.next().map_or(0, |word| u64::from_le_bytes(*word));
        self.word = next.checked_shl(missing).unwrap_or(0);
        self.left = 64 - missing;
        (high << missing) | (next >> (64 - missing))
    }
}

/// Puts bits from the highest of words down.
struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    word: u64,
    free: u32,
}

impl<'a> BitWriter<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, word: 0, free: 64 }
    }

    /// Appends the lowest bits of `value`, at most 63 of them.
    fn put(&mut self, value: u64, bits: u32) {
        if bits < self.free {
            self.free -= bits;
            self.word |= value << self.free;
            return;
        }
        let later = bits - self.free;
        self.out.extend((self.word | (value >> later)).to_le_bytes());
        self.free = 64 - later;
        self.word = if later == 0 { 0 } else { value << self.free };
    }

    fn finish(self) {
        if self.free < 64 {
            self.out.extend(self.word.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_round_trip(data: &[u8], size: usize) -> Result<(), TestCaseError> {
        let mut compressed = Vec::new();
        compress(data, size, &mut compressed).unwrap();
        let mut out = vec![7; data.len()];
        decompress(&compressed, size, &mut out).unwrap();
        prop_assert_eq!(out, data);
        Ok(())
    }

    proptest! {
        /// Any values come back, also those whose differences overflow.
        #[test]
        fn values_come_back(values in prop::collection::vec(any::<[u8; 8]>(), 0..30), size in prop_oneof![Just(1_usize), Just(2), Just(4), Just(8)]) {
            assert_round_trip(values.as_flattened(), size)?;
        }

        /// Offsets of text are like this: each number of bits occurs.
        #[test]
        fn steps_of_every_size_come_back(steps in prop::collection::vec(any::<i64>(), 0..200), bits in 1..64_u32) {
            let values: Vec<[u8; 8]> = steps
                .iter()
                .scan(0_i64, |at, step| {
                    *at = at.wrapping_add(step >> bits);
                    Some(at.to_le_bytes())
                })
                .collect();
            assert_round_trip(values.as_flattened(), 8)?;
        }

        /// Damaged tiles are an error or some values, never a crash.
        #[test]
        fn arbitrary_bytes_do_not_panic(
            bits in 0..70_u8, count in 0..20_u8, data in prop::collection::vec(any::<u8>(), 0..200), length in 0..180_usize,
        ) {
            let part = [&[bits, count, 0, 0, 0, 0, 0, 0, 0][..], &data].concat();
            for size in [1, 2, 3, 4, 8] {
                let _ = decompress(&part, size, &mut vec![0; length]);
                let _ = decompress(&part, size, &mut vec![0; size * usize::from(count)]);
            }
        }
    }
}
