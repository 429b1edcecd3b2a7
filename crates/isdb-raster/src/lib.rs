//! Values and cells of a GeoTIFF at positions on the globe.
//!
//! A [`Raster`] is opened by reading the first directory of the file (`directory`): the tags that place the image on the earth
//! (`geo_tags`) give its coordinate system (`crs`) and the [`RasterGrid`] of its pixels (`bounds` is the box around it), the other tags the `layout` of its chunks, which are
//! tiles or strips. Sampling finds the pixels of many positions, sorts them by chunk, reads (`input`) and decodes (`chunk`) each
//! chunk once, and keeps the last ones (`cache`). Memory does not depend on the size of the file.
//!
//! Positions are latitude and longitude in degrees on WGS 84. The library `tiff` decodes the chunks, and `proj4rs` projects positions.

mod affine;
mod bounds;
mod cache;
mod chunk;
mod crs;
mod directory;
mod error;
mod geo_tags;
mod grid;
mod input;
mod layout;
mod raster;
#[cfg(test)]
mod tests;

pub use error::RasterError;
pub use geo_tags::GeoTags;
pub use grid::RasterGrid;
pub use raster::{Method, Raster};
