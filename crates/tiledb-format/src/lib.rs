//! The on-disk format of sparse TileDB arrays: bytes in, structures out, and back.

#![forbid(unsafe_code)]

mod bytes;
mod datatype;
mod error;

pub use bytes::{ByteReader, ByteWriter};
pub use datatype::Datatype;
pub use error::{Error, Result};
