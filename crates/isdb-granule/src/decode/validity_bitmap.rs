//! Arrow's validity bitmap, packed eight values at a time: one bit per value, set where it is not NULL.
//!
//! TileDB stores one validity *byte* per value; the crate `tiledb` unpacks these bits again with the same multiplication.

use arrow::buffer::{BooleanBuffer, Buffer};

/// Gathers the lowest bits of eight bytes in the highest byte of the product, without a carry.
const GATHER_BITS: u64 = 0x0102_0408_1020_4080;

/// Packs one bit for each of `values`, set where `is_valid`.
pub(crate) fn pack_validity<T: Copy>(values: &[T], is_valid: impl Fn(T) -> bool) -> BooleanBuffer {
    let words = values.chunks(64).map(|chunk| {
        // Bytes first: the compiler vectorises comparisons into bytes, but not into single bits.
        let mut flags = [0_u8; 64];
        for (flag, &value) in flags.iter_mut().zip(chunk) {
            *flag = u8::from(is_valid(value));
        }
        let (eights, _) = flags.as_chunks::<8>();
        let bits = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER_BITS) >> 56);
        bits.rev().fold(0, |word, byte| (word << 8) | byte).to_le()
    });
    BooleanBuffer::new(Buffer::from_vec(words.collect::<Vec<u64>>()), 0, values.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_bit_is_the_validity_of_its_value(values in prop::collection::vec(any::<bool>(), 0..300)) {
            prop_assert_eq!(pack_validity(&values, |valid| valid).iter().collect::<Vec<_>>(), values);
        }
    }
}
