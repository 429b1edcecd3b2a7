//! Byte planes: the first bytes of all values, then the second ones, and so on. Bytes after the last whole value stay where they are.
//!
//! Values are moved in blocks through integers that are twice as wide at each step, which compilers turn into vector instructions.

/// Values of a block.
const BLOCK: usize = 16;

/// Gathers values of `size` bytes from their planes.
pub(crate) fn unshuffle(data: &[u8], size: usize, out: &mut [u8]) {
    match size {
        0 | 1 => out.copy_from_slice(data),
        2 => unshuffle_blocks::<2>(data, out, join2),
        4 => unshuffle_blocks::<4>(data, out, join4),
        8 => unshuffle_blocks::<8>(data, out, join8),
        _ => {
            let count = data.len() / size;
            let (planes, rest) = data.split_at(count * size);
            let (values, out_rest) = out.split_at_mut(count * size);
            for (index, plane) in planes.chunks_exact(count.max(1)).enumerate() {
                values.chunks_exact_mut(size).zip(plane).for_each(|(value, byte)| value[index] = *byte);
            }
            out_rest.copy_from_slice(rest);
        }
    }
}

/// Spreads values of `size` bytes to planes.
pub(crate) fn shuffle(data: &[u8], size: usize, out: &mut [u8]) {
    match size {
        0 | 1 => out.copy_from_slice(data),
        2 => shuffle_blocks::<2>(data, out, split2),
        4 => shuffle_blocks::<4>(data, out, split4),
        8 => shuffle_blocks::<8>(data, out, split8),
        _ => {
            let count = data.len() / size;
            let (values, rest) = data.split_at(count * size);
            let (planes, out_rest) = out.split_at_mut(count * size);
            for (index, plane) in planes.chunks_exact_mut(count.max(1)).enumerate() {
                plane.iter_mut().zip(values.chunks_exact(size)).for_each(|(byte, value)| *byte = value[index]);
            }
            out_rest.copy_from_slice(rest);
        }
    }
}

/// The same block of each plane.
type Planes<const W: usize> = [[u8; BLOCK]; W];

fn unshuffle_blocks<const W: usize>(data: &[u8], out: &mut [u8], join: impl Fn(&Planes<W>, &mut [[u8; W]; BLOCK])) {
    let count = data.len() / W;
    let (data, rest) = data.split_at(count * W);
    let (values, out_rest) = out.as_chunks_mut::<W>();
    out_rest.copy_from_slice(rest);
    let planes: [&[u8]; W] = std::array::from_fn(|plane| &data[plane * count..][..count]);
    let blocks: [&[[u8; BLOCK]]; W] = planes.map(|plane| plane.as_chunks().0);
    let (value_blocks, value_rest) = values.as_chunks_mut::<BLOCK>();
    for (index, out) in value_blocks.iter_mut().enumerate() {
        join(&blocks.map(|plane| plane[index]), out);
    }
    let done = count - value_rest.len();
    for (index, value) in value_rest.iter_mut().enumerate() {
        *value = planes.map(|plane| plane[done + index]);
    }
}

fn shuffle_blocks<const W: usize>(data: &[u8], out: &mut [u8], split: impl Fn(&[[u8; W]; BLOCK]) -> Planes<W>) {
    let count = data.len() / W;
    let (values, rest) = data.as_chunks::<W>();
    let (mut out, out_rest) = out.split_at_mut(count * W);
    out_rest.copy_from_slice(rest);
    let mut planes: [&mut [u8]; W] = std::array::from_fn(|_| {
        let (plane, after) = std::mem::take(&mut out).split_at_mut(count);
        out = after;
        plane
    });
    let (value_blocks, value_rest) = values.as_chunks::<BLOCK>();
    for (index, block) in value_blocks.iter().enumerate() {
        for (plane, bytes) in planes.iter_mut().zip(split(block)) {
            plane[index * BLOCK..][..BLOCK].copy_from_slice(&bytes);
        }
    }
    let done = count - value_rest.len();
    for (index, value) in value_rest.iter().enumerate() {
        planes.iter_mut().zip(value).for_each(|(plane, byte)| plane[done + index] = *byte);
    }
}

fn pairs8(low: &[u8; BLOCK], high: &[u8; BLOCK]) -> [u16; BLOCK] {
    std::array::from_fn(|i| u16::from(low[i]) | u16::from(high[i]) << 8)
}

fn pairs16(low: [u16; BLOCK], high: [u16; BLOCK]) -> [u32; BLOCK] {
    std::array::from_fn(|i| u32::from(low[i]) | u32::from(high[i]) << 16)
}

fn join2([a, b]: &Planes<2>, out: &mut [[u8; 2]; BLOCK]) {
    *out = pairs8(a, b).map(u16::to_le_bytes);
}

fn join4([a, b, c, d]: &Planes<4>, out: &mut [[u8; 4]; BLOCK]) {
    *out = pairs16(pairs8(a, b), pairs8(c, d)).map(u32::to_le_bytes);
}

fn join8([a, b, c, d, e, f, g, h]: &Planes<8>, out: &mut [[u8; 8]; BLOCK]) {
    let low = pairs16(pairs8(a, b), pairs8(c, d));
    let high = pairs16(pairs8(e, f), pairs8(g, h));
    *out = std::array::from_fn(|i| (u64::from(low[i]) | u64::from(high[i]) << 32).to_le_bytes());
}

fn split2(values: &[[u8; 2]; BLOCK]) -> Planes<2> {
    std::array::from_fn(|plane| std::array::from_fn(|i| values[i][plane]))
}

fn split4(values: &[[u8; 4]; BLOCK]) -> Planes<4> {
    std::array::from_fn(|plane| std::array::from_fn(|i| values[i][plane]))
}

fn split8(values: &[[u8; 8]; BLOCK]) -> Planes<8> {
    std::array::from_fn(|plane| std::array::from_fn(|i| values[i][plane]))
}

#[cfg(test)]
mod tests;
