//! Byte planes: the first bytes of all values, then the second ones, and so on. Bytes after the last whole value stay where they are.
//!
//! The loops join and split integers, because compilers turn those into vector instructions, which they do not for copies of bytes. Values
//! of eight bytes are two of four.

/// Gathers values of `size` bytes from their planes.
pub(crate) fn unshuffle(data: &[u8], size: usize, out: &mut [u8]) {
    let count = data.len().checked_div(size).unwrap_or_default();
    let (planes, rest) = data.split_at(count * size);
    let (values, out_rest) = out.split_at_mut(count * size);
    out_rest.copy_from_slice(rest);
    match size {
        0 | 1 => values.copy_from_slice(planes),
        2 => join2(planes_of(planes), values.as_chunks_mut().0),
        4 => join4(planes_of(planes), values.as_chunks_mut().0),
        8 => join8(planes_of(planes), values.as_chunks_mut().0),
        _ => {
            for (index, plane) in planes.chunks_exact(count.max(1)).enumerate() {
                values.chunks_exact_mut(size).zip(plane).for_each(|(value, byte)| value[index] = *byte);
            }
        }
    }
}

/// Spreads values of `size` bytes to planes.
pub(crate) fn shuffle(data: &[u8], size: usize, out: &mut [u8]) {
    let count = data.len().checked_div(size).unwrap_or_default();
    let (values, rest) = data.split_at(count * size);
    let (planes, out_rest) = out.split_at_mut(count * size);
    out_rest.copy_from_slice(rest);
    match size {
        0 | 1 => planes.copy_from_slice(values),
        2 => split2(values.as_chunks().0, planes_of_mut(planes)),
        4 => split4(values.as_chunks().0, planes_of_mut(planes)),
        8 => split8(values.as_chunks().0, planes_of_mut(planes)),
        _ => {
            for (index, plane) in planes.chunks_exact_mut(count.max(1)).enumerate() {
                plane.iter_mut().zip(values.chunks_exact(size)).for_each(|(byte, value)| *byte = value[index]);
            }
        }
    }
}

fn planes_of<const W: usize>(planes: &[u8]) -> [&[u8]; W] {
    let count = planes.len() / W;
    std::array::from_fn(|plane| &planes[plane * count..][..count])
}

fn planes_of_mut<const W: usize>(mut planes: &mut [u8]) -> [&mut [u8]; W] {
    let count = planes.len() / W;
    std::array::from_fn(|_| {
        let (plane, after) = std::mem::take(&mut planes).split_at_mut(count);
        planes = after;
        plane
    })
}

fn join2([a, b]: [&[u8]; 2], values: &mut [[u8; 2]]) {
    for ((value, a), b) in values.iter_mut().zip(a).zip(b) {
        *value = (u16::from(*a) | u16::from(*b) << 8).to_le_bytes();
    }
}

fn join4([a, b, c, d]: [&[u8]; 4], values: &mut [[u8; 4]]) {
    for ((((value, a), b), c), d) in values.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *value = (u32::from(*a) | u32::from(*b) << 8 | u32::from(*c) << 16 | u32::from(*d) << 24).to_le_bytes();
    }
}

/// Values of eight bytes that are joined from halves at a time, so that the halves stay in the nearest cache.
const HALVES: usize = 128;

fn join8([a, b, c, d, e, f, g, h]: [&[u8]; 8], values: &mut [[u8; 8]]) {
    let (mut low, mut high) = ([[0; 4]; HALVES], [[0; 4]; HALVES]);
    for (block, values) in values.chunks_mut(HALVES).enumerate() {
        let count = values.len();
        let [low, high] = [&mut low[..count], &mut high[..count]];
        join4([a, b, c, d].map(|plane| &plane[block * HALVES..][..count]), low);
        join4([e, f, g, h].map(|plane| &plane[block * HALVES..][..count]), high);
        for ((value, low), high) in values.iter_mut().zip(low).zip(high) {
            *value = (u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << 32).to_le_bytes();
        }
    }
}

fn split2(values: &[[u8; 2]], [a, b]: [&mut [u8]; 2]) {
    for ((value, a), b) in values.iter().zip(a).zip(b) {
        let value = u16::from_le_bytes(*value);
        *a = value.to_le_bytes()[0];
        *b = (value >> 8).to_le_bytes()[0];
    }
}

/// Values that are split together.
const BLOCK: usize = 16;

fn split4(values: &[[u8; 4]], mut planes: [&mut [u8]; 4]) {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    for (index, values) in blocks.iter().enumerate() {
        // Loops, for compilers do not always inline what `map` of an array or nested zips call: that took a seventh of an ingest's time.
        let mut words = [0; BLOCK];
        for (word, value) in words.iter_mut().zip(values) {
            *word = u32::from_le_bytes(*value);
        }
        for (plane, shift) in planes.iter_mut().zip([0, 8, 16, 24]) {
            let Some(block) = plane.get_mut(index * BLOCK..(index + 1) * BLOCK) else { continue };
            for (byte, word) in block.iter_mut().zip(&words) {
                *byte = (*word >> shift).to_le_bytes()[0];
            }
        }
    }
    for (value, at) in rest.iter().zip(blocks.len() * BLOCK..) {
        for (plane, byte) in planes.iter_mut().zip(value) {
            if let Some(place) = plane.get_mut(at) {
                *place = *byte;
            }
        }
    }
}

fn split8(values: &[[u8; 8]], planes: [&mut [u8]; 8]) {
    let (mut low, mut high) = ([[0; 4]; HALVES], [[0; 4]; HALVES]);
    let mut left = planes;
    for values in values.chunks(HALVES) {
        let count = values.len();
        let [low, high] = [&mut low[..count], &mut high[..count]];
        for ((value, low), high) in values.iter().zip(&mut *low).zip(&mut *high) {
            let [a, b, c, d, e, f, g, h] = *value;
            (*low, *high) = ([a, b, c, d], [e, f, g, h]);
        }
        let [a, b, c, d, e, f, g, h] = left.each_mut().map(|plane| {
            let (block, after) = std::mem::take(plane).split_at_mut(count);
            *plane = after;
            block
        });
        split4(low, [a, b, c, d]);
        split4(high, [e, f, g, h]);
    }
}

#[cfg(test)]
mod tests;
