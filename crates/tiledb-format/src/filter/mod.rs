//! The filters, in both directions, on whole parts of a chunk.

pub(crate) mod bit_width;
pub(crate) mod bitmap;
pub(crate) mod bitshuffle;
pub(crate) mod byteshuffle;
pub(crate) mod double_delta;
pub(crate) mod gzip;
pub(crate) mod rle;
pub(crate) mod zstd;

/// A signed integer of at most eight bytes.
pub(crate) fn signed<const W: usize>(value: [u8; W]) -> i64 {
    let mut bytes = [0; 8];
    let unused = 64 - 8 * u32::try_from(W).unwrap_or(8);
    bytes[..W].copy_from_slice(&value);
    (i64::from_le_bytes(bytes) << unused) >> unused
}
