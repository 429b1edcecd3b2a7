//! The on-disk format of sparse TileDB arrays: bytes in, structures out, and back.

#![forbid(unsafe_code)]

mod bytes;
mod datatype;
mod error;
mod filter;
#[cfg(test)]
mod golden;
mod hilbert;
mod pipeline;
mod tile;

pub use bytes::{ByteReader, ByteWriter};
pub use datatype::Datatype;
pub use error::{Error, Result};
pub use hilbert::HilbertCurve;
pub use pipeline::{Filter, Pipeline};
pub use tile::{TileDecoder, TileEncoder, tile_length};
