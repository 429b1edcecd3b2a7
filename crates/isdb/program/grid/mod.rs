//! Grids: statistics of the segments in each cell, as rows or as a GeoTIFF.
//!
//! `cells` parses the size of the cells, `map` is where they are, `statement` is the SQL, `raster` places its rows in cells, and `geotiff`
//! writes them with `big_tiff` and the `tags` of the map.

mod big_tiff;
mod cells;
mod geotiff;
mod map;
mod raster;
mod statement;
mod tags;

pub(crate) use cells::Cells;
pub(crate) use geotiff::{GridMetadata, write_geotiff};
pub(crate) use map::{GridMap, Template};
pub(crate) use raster::Raster;
pub(crate) use statement::GridStatement;
