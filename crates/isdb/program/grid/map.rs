//! The map whose cells a grid has: a whole one, or that of another raster.

use std::path::Path;

use isdb_raster::{Raster as Pixels, RasterError};

use crate::program::grid::big_tiff::Value;
use crate::program::grid::cells::Cells;
use crate::program::grid::raster::{Extent, Raster};
use crate::program::grid::tags;

/// The cells of a grid on the globe, in columns and rows that count from the north-western corner.
#[derive(Debug)]
pub(crate) enum GridMap {
    /// Cells of one size on the whole globe.
    Globe(Cells),
    /// The pixels of a raster.
    Pixels(Template),
}

/// A raster with whose pixels a grid lines up.
#[derive(Debug)]
pub(crate) struct Template {
    /// The name of the file as a literal of SQL.
    name: String,
    raster: Box<Pixels>,
}

impl Template {
    /// Opens the GeoTIFF at `path`.
    pub(crate) fn open(path: &Path) -> Result<Template, RasterError> {
        let name = format!("'{}'", path.to_string_lossy().replace('\'', "''"));
        Ok(Template { name, raster: Box::new(Pixels::open(path)?) })
    }

    fn width(&self) -> u32 {
        self.raster.grid().width()
    }
}

impl GridMap {
    /// Column and row of the cell of a segment, as expressions of SQL; NULL beyond the map.
    pub(crate) fn cell(&self) -> (String, String) {
        match self {
            GridMap::Globe(Cells::Degrees(degrees)) => (
                format!("CAST(round((grid_west(longitude, {degrees:?}) + 180) / {degrees:?}) AS BIGINT)"),
                format!("CAST(round((90 - grid_south(latitude, {degrees:?})) / {degrees:?}) AS BIGINT) - 1"),
            ),
            GridMap::Globe(Cells::Kilometres(km, _)) => (
                format!("CAST(ease2_column(longitude, {km:?}) AS BIGINT)"),
                format!("CAST(ease2_row(latitude, {km:?}) AS BIGINT)"),
            ),
            GridMap::Pixels(template) => {
                let (cell, width) = (format!("raster_cell(latitude, longitude, {})", template.name), template.width());
                (format!("{cell} % {width}"), format!("div({cell}, {width})"))
            }
        }
    }

    /// Longitude and latitude of the centre of the cell in `cell_column` and `cell_row`, as expressions of SQL.
    pub(crate) fn centre(&self) -> (String, String) {
        match self {
            GridMap::Globe(Cells::Degrees(degrees)) => (
                format!("(cell_column + 0.5) * CAST({degrees:?} AS DOUBLE) - 180"),
                format!("90 - (cell_row + 0.5) * CAST({degrees:?} AS DOUBLE)"),
            ),
            GridMap::Globe(Cells::Kilometres(km, _)) => {
                (format!("ease2_longitude(cell_column, {km:?})"), format!("ease2_latitude(cell_row, {km:?})"))
            }
            GridMap::Pixels(template) => {
                let cell = format!("cell_row * {} + cell_column, {}", template.width(), template.name);
                (format!("raster_longitude({cell})"), format!("raster_latitude({cell})"))
            }
        }
    }

    /// The condition that keeps the segments of the map, as SQL: a raster is a small part of the globe.
    pub(crate) fn condition(&self) -> String {
        let GridMap::Pixels(template) = self else { return String::new() };
        let bounds = template.raster.grid().bounds().map(|bounds| {
            let [west, south, east, north] = bounds;
            format!(" AND in_region(latitude, longitude, '{west:?},{south:?},{east:?},{north:?}')")
        });
        let name = &template.name;
        format!(" WHERE raster_cell(latitude, longitude, {name}) IS NOT NULL{}", bounds.unwrap_or_default())
    }

    /// The part of the map that the file of a grid has: all pixels of another raster, or what contains the cells with segments.
    pub(crate) fn extent(&self, raster: &Raster) -> Option<Extent> {
        let cells = raster.extent()?;
        Some(match self {
            GridMap::Globe(_) => cells,
            GridMap::Pixels(template) => {
                let grid = template.raster.grid();
                Extent { column: 0, row: 0, width: grid.width(), height: grid.height() }
            }
        })
    }

    /// The tags of a GeoTIFF that place a part of the map on the earth, in ascending order.
    pub(super) fn tags(&self, extent: Extent) -> Vec<(u16, Value)> {
        match self {
            GridMap::Globe(cells) => tags::for_cells(*cells, extent),
            GridMap::Pixels(template) => tags::for_raster(template.raster.grid().tags()),
        }
    }
}
