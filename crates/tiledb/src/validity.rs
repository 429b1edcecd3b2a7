//! Arrow's validity bitmap ⇄ TileDB's validity bytes, eight cells at a time.

use arrow::buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer};

const ONES: u64 = 0x0101_0101_0101_0101;

/// Packs bytes into bits: a bit is set where the byte is not 0.
pub(crate) fn pack(bytes: &[u8]) -> BooleanBuffer {
    let mut packed = MutableBuffer::with_capacity(bytes.len().div_ceil(8));
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        packed.push(pack_word(u64::from_le_bytes(*word)));
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        packed.push(pack_word(u64::from_le_bytes(word)));
    }
    BooleanBuffer::new(packed.into(), 0, bytes.len())
}

/// Packs the results of a test, 64 cells at a time: first as bytes, which the compiler vectorises, then as bits.
pub(crate) fn bits<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> BooleanBuffer {
    let bytes: Vec<u8> = values.iter().map(|value| u8::from(test(*value))).collect();
    pack(&bytes)
}

/// Returns the validity of cells read; `None` if all are valid.
pub(crate) fn nulls(bytes: &[u8]) -> Option<NullBuffer> {
    let nulls = NullBuffer::new(pack(bytes));
    (nulls.null_count() > 0).then_some(nulls)
}

/// Unpacks bits into bytes, 0 or 1.
pub(crate) fn unpack(bits: &BooleanBuffer) -> Buffer {
    let mut bytes = MutableBuffer::with_capacity(bits.len().next_multiple_of(64));
    let chunks = bits.bit_chunks();
    for word in chunks.iter().chain(std::iter::once(chunks.remainder_bits())) {
        for byte in word.to_le_bytes() {
            bytes.push(unpack_byte(byte).to_le());
        }
    }
    bytes.truncate(bits.len());
    bytes.into()
}

/// Fills `out` with the bits from `start` on as bytes, 0 or 1.
pub(crate) fn unpack_to(bits: &BooleanBuffer, start: usize, out: &mut [u8]) {
    let bytes = bits.values();
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let mut at = bits.offset() + start;
    let (words, rest) = out.as_chunks_mut::<8>();
    for word in words {
        let [low, _] = (u16::from_le_bytes([byte(at / 8), byte(at / 8 + 1)]) >> (at % 8)).to_le_bytes();
        *word = unpack_byte(low).to_le_bytes();
        at += 8;
    }
    for cell in rest {
        *cell = (byte(at / 8) >> (at % 8)) & 1;
        at += 1;
    }
}

fn pack_word(word: u64) -> u8 {
    // Folds all bits of each byte into its lowest bit; bits shifted in from the byte above are masked away.
    let low = word | (word >> 4);
    let low = low | (low >> 2);
    let low = (low | (low >> 1)) & ONES;
    // Byte i moves to bit 56 + i.
    (low.wrapping_mul(0x0102_0408_1020_4080) >> 56).to_le_bytes()[0]
}

fn unpack_byte(bits: u8) -> u64 {
    // Byte i keeps bit i alone; adding 0x7f carries it into the byte's top bit.
    let spread = u64::from(bits).wrapping_mul(ONES) & 0x8040_2010_0804_0201;
    ((spread + 0x7f7f_7f7f_7f7f_7f7f) >> 7) & ONES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn unpacked_bits_pack_to_the_same_bits_at_any_offset(bits in prop::collection::vec(any::<bool>(), 0..300), skip in 0_usize..70) {
            let bitmap: BooleanBuffer = bits.iter().copied().collect();
            let skip = skip.min(bits.len());
            let sliced = bitmap.slice(skip, bits.len() - skip);
            let bytes = unpack(&sliced);
            let expected: Vec<u8> = bits[skip..].iter().map(|bit| u8::from(*bit)).collect();
            prop_assert_eq!(bytes.as_slice(), expected.as_slice());
            prop_assert_eq!(pack(bytes.as_slice()), sliced);
            let mut filled = vec![7; expected.len()];
            unpack_to(&bitmap, skip, &mut filled);
            prop_assert_eq!(filled, expected);
        }

        #[test]
        fn every_byte_except_zero_is_valid(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let expected: BooleanBuffer = bytes.iter().map(|byte| *byte != 0).collect();
            prop_assert_eq!(pack(&bytes), expected);
        }
    }
}
