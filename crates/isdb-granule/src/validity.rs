//! Arrow's bitmap of what is not NULL, made eight values at a time.

use arrow::buffer::{BooleanBuffer, Buffer};

/// Brings the lowest bits of eight bytes together in the highest byte of the product, without a carry.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// One bit for each of `values`, set where it is valid.
pub(crate) fn bitmap<T: Copy>(values: &[T], is_valid: impl Fn(T) -> bool) -> BooleanBuffer {
    let words = values.chunks(64).map(|chunk| {
        // Bytes first: comparing is done for many values at once, setting single bits is not.
        let mut flags = [0_u8; 64];
        for (flag, &value) in flags.iter_mut().zip(chunk) {
            *flag = u8::from(is_valid(value));
        }
        let (eights, _) = flags.as_chunks::<8>();
        let bits = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
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
        fn every_bit_is_that_of_its_value(values in prop::collection::vec(any::<bool>(), 0..300)) {
            prop_assert_eq!(bitmap(&values, |valid| valid).iter().collect::<Vec<_>>(), values);
        }
    }
}
