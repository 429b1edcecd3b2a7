//! SQL functions of GeoTIFFs: values at positions, and pixels as the cells of a grid. Planning opens the file once; all threads of a statement
//! share its cache of tiles.

mod cell;
mod file;
mod sample;

pub(crate) use cell::CELL_USAGE;
pub(super) use cell::{raster_cell_function, raster_latitude_function, raster_longitude_function};
pub(crate) use sample::USAGE as SAMPLE_USAGE;
pub(super) use sample::sample_function;
