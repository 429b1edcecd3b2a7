//! Bit planes: in each block, the lowest bits of the first bytes of all values, then the second bits, up to the highest bits of the last
//! bytes. Within a plane, bits of earlier values are lower ones.
//!
//! A block holds 8,192 bytes of values. Of the last, shorter one, the values after a multiple of eight stay where they are.

/// Bytes of a block.
pub(crate) const BLOCK: usize = 8192;

/// Whether a part of this length is shuffled. Others are stored as they are.
pub(crate) fn is_shuffled(length: usize, size: usize) -> bool {
    size != 0 && length.is_multiple_of(size) && length.is_multiple_of(8)
}

/// The lengths of the parts that a chunk is cut to: a multiple of eight bytes, and the rest.
pub(crate) fn parts(length: usize) -> impl Iterator<Item = usize> {
    let rest = length % 8;
    [length - rest, rest].into_iter().take(if rest == 0 { 1 } else { 2 })
}

/// Gathers values of `size` bytes from a part.
pub(crate) fn unshuffle(data: &[u8], size: usize, out: &mut [u8]) {
    if !is_shuffled(data.len(), size) {
        return out.copy_from_slice(data);
    }
    for (data, out) in data.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        unshuffle_block(data, size, out);
    }
}

/// Spreads values of `size` bytes of a part.
pub(crate) fn shuffle(data: &[u8], size: usize, out: &mut [u8]) {
    if !is_shuffled(data.len(), size) {
        return out.copy_from_slice(data);
    }
    for (data, out) in data.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        shuffle_block(data, size, out);
    }
}

fn unshuffle_block(data: &[u8], size: usize, out: &mut [u8]) {
    let eights = data.len() / size / 8;
    let (planes, rest) = data.split_at(eights * size * 8);
    let (values, out_rest) = out.split_at_mut(planes.len());
    out_rest.copy_from_slice(rest);
    for (byte, planes) in planes.chunks_exact((eights * 8).max(1)).enumerate() {
        for (index, values) in values.chunks_exact_mut(size * 8).enumerate() {
            let bits = std::array::from_fn(|bit| planes[bit * eights + index]);
            for (value, bits) in values.chunks_exact_mut(size).zip(transpose(bits)) {
                value[byte] = bits;
            }
        }
    }
}

fn shuffle_block(data: &[u8], size: usize, out: &mut [u8]) {
    let eights = data.len() / size / 8;
    let (values, rest) = data.split_at(eights * size * 8);
    let (planes, out_rest) = out.split_at_mut(values.len());
    out_rest.copy_from_slice(rest);
    for (byte, planes) in planes.chunks_exact_mut((eights * 8).max(1)).enumerate() {
        for (index, values) in values.chunks_exact(size * 8).enumerate() {
            let bytes = match (size, <[u8; 8]>::try_from(values)) {
                (1, Ok(bytes)) => bytes,
                _ => {
                    let mut bytes = [0; 8];
                    for (to, value) in bytes.iter_mut().zip(values.chunks_exact(size)) {
                        *to = value[byte];
                    }
                    bytes
                }
            };
            for (bit, bits) in transpose(bytes).into_iter().enumerate() {
                planes[bit * eights + index] = bits;
            }
        }
    }
}

/// Exchanges rows and columns of 8 × 8 bits: swaps the halves of each half, quarter and eighth. It is its own inverse.
fn transpose(rows: [u8; 8]) -> [u8; 8] {
    let mut bits = u64::from_le_bytes(rows);
    for (mask, shift) in [(0x00aa_00aa_00aa_00aa, 7), (0x0000_cccc_0000_cccc, 14), (0x0000_0000_f0f0_f0f0, 28)] {
        let swapped = (bits ^ (bits >> shift)) & mask;
        bits ^= swapped ^ (swapped << shift);
    }
    bits.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, bit by bit.
    fn by_definition(data: &[u8], size: usize) -> Vec<u8> {
        let mut out = data.to_vec();
        for (data, out) in data.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
            let count = data.len() / size / 8 * 8;
            out[..count * size].fill(0);
            for (value, bit) in (0..count).flat_map(|value| (0..size * 8).map(move |bit| (value, bit))) {
                let is_set = data[value * size + bit / 8] >> (bit % 8) & 1;
                let at = bit * count + value;
                out[at / 8] |= is_set << (at % 8);
            }
        }
        out
    }

    proptest! {
        /// Validity of arrays, and integers of other programs' arrays, go through this.
        #[test]
        fn planes_are_those_of_the_definition(
            seed in prop::collection::vec(any::<u8>(), 1..90),
            values in 0..1500_usize,
            size in prop_oneof![Just(1_usize), Just(2), Just(3), Just(4), Just(8)],
        ) {
            let length = values * size / 8 * 8;
            let data: Vec<u8> = seed.iter().copied().cycle().take(length).collect();
            let mut planes = vec![0; length];
            shuffle(&data, size, &mut planes);
            if is_shuffled(length, size) {
                prop_assert_eq!(&planes, &by_definition(&data, size));
            }
            let mut back = vec![0; length];
            unshuffle(&planes, size, &mut back);
            prop_assert_eq!(back, data);
        }
    }
}
