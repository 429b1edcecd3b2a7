//! Grids: statistics of the segments in each cell, as rows or as a GeoTIFF.
//!
//! `cells` parses the size of the cells, `statement` is the SQL, `raster` places its rows in cells, and `geotiff` writes
//! them with `big_tiff`.

mod big_tiff;
mod cells;
mod geotiff;
mod raster;
mod statement;

pub(crate) use cells::Cells;
pub(crate) use geotiff::{GridMetadata, write_geotiff};
pub(crate) use raster::Raster;
pub(crate) use statement::GridStatement;
