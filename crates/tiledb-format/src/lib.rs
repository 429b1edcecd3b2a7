//! The on-disk format of sparse TileDB arrays: bytes in, structures out, and back.

#![forbid(unsafe_code)]

mod array_metadata;
mod bytes;
mod commits;
mod datatype;
mod enumeration;
mod error;
mod field;
mod filter;
pub mod fragment;
pub mod generic_tile;
#[cfg(test)]
mod golden;
mod hilbert;
mod name;
mod number;
mod pipeline;
mod schema;
#[cfg(test)]
mod testing;
mod text;
mod tile;

pub use array_metadata::MetadataEntry;
pub use bytes::{ByteReader, ByteWriter};
pub use commits::Commits;
pub use datatype::Datatype;
pub use enumeration::Enumeration;
pub use error::{Error, Result};
pub use field::{Field, FilePart, Numbering, Shape};
pub use hilbert::HilbertCurve;
pub use name::{CommitKind, TimestampedName};
pub use number::Number;
pub use pipeline::{Filter, Pipeline};
pub use schema::{Attribute, Dimension, EnumerationPath, Order, Schema};
pub use tile::{TileDecoder, TileEncoder, tile_length};

/// The version of the format that this crate writes, libtiledb's since 2.25.
pub const FORMAT_VERSION: u32 = 22;
