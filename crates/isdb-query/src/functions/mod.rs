//! The SQL functions that isdb adds to DataFusion's.

use datafusion::prelude::SessionContext;

use crate::session::files::UserFiles;

pub(crate) mod boxes;
pub(crate) mod chunk;
mod degree_grid;
pub(crate) mod distance_comparisons;
pub(crate) mod distance_m;
mod ease_grid;
mod element;
mod geometry;
mod h3;
pub(crate) mod in_region;
mod landcover_name;
pub(crate) mod near;
mod number_function;
mod polygon_names;
mod positions;
pub(crate) mod raster;
mod track;

/// Adds the functions to `context`; those that read files do so only if `files` are open.
pub fn register_functions(context: &SessionContext, files: UserFiles) {
    let single = [
        chunk::chunk_function(),
        degree_grid::grid_south_function(),
        degree_grid::grid_west_function(),
        distance_m::distance_m_function(),
        element::element_function(),
        h3::h3_function(),
        h3::h3_boundary_function(),
        in_region::in_region_function(files),
        landcover_name::landcover_name_function(),
        near::near_function(),
        polygon_names::polygon_name_function(files),
        polygon_names::polygon_names_function(files),
        raster::raster_cell_function(files),
        raster::raster_latitude_function(files),
        raster::raster_longitude_function(files),
        raster::sample_function(files),
        track::along_track_km_function(),
        track::pass_id_function(),
    ];
    for function in single.into_iter().chain(ease_grid::ease2_functions()).chain(geometry::geometry_functions()) {
        context.register_udf(function);
    }
}
