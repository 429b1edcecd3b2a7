//! The filters, in both directions, on whole parts of a chunk.

pub(crate) mod bit_width;
pub(crate) mod bitmap;
pub(crate) mod bitshuffle;
pub(crate) mod byteshuffle;
pub(crate) mod double_delta;
pub(crate) mod gzip;
pub(crate) mod rle;
pub(crate) mod zstd;
