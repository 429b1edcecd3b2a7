//! Data tiles: the values of some thousand cells, cut into chunks, each filtered on its own.
//!
//! A tile is the number of chunks (64 bits), and for each chunk three 32-bit lengths (of its values, of the filtered data, of the filters'
//! metadata), the metadata and the data.

mod chunks;
mod decode;
mod encode;
mod unfilter;
mod validity;

pub use chunks::tile_length;
pub use decode::TileDecoder;
pub use encode::TileEncoder;

#[cfg(test)]
mod tests;
