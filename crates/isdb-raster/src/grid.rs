//! The pixels of a raster on the globe.

use crate::affine::Affine;
use crate::crs::Crs;
use crate::error::RasterError;
use crate::geo_tags::{CrsName, GeoTags};
use crate::input::Input;

/// Where the pixels of a raster are.
#[derive(Debug)]
pub struct RasterGrid {
    crs: Crs,
    affine: Affine,
    width: u32,
    height: u32,
    /// The columns of 360 degrees, if columns are longitudes.
    turn: Option<f64>,
    tags: GeoTags,
}

impl RasterGrid {
    pub(crate) fn new(input: &Input, tags: GeoTags, width: u32, height: u32) -> Result<RasterGrid, RasterError> {
        let path = || input.path().to_owned();
        let unplaced = || RasterError::NoGeoreference { path: path() };
        let affine = tags.affine().filter(Affine::is_valid).ok_or_else(unplaced)?;
        let crs = match tags.crs().ok_or_else(unplaced)? {
            CrsName::Epsg(code) => Crs::from_epsg(code).map_err(|problem| RasterError::Crs {
                path: path(),
                crs: format!("EPSG:{code}"),
                problem,
            })?,
            CrsName::Other(name) => {
                let problem = "expected one with a code of EPSG".to_owned();
                return Err(RasterError::Crs { path: path(), crs: format!("'{name}'"), problem });
            }
        };
        let turn = (crs.is_geographic() && affine.is_upright()).then(|| (360.0 / affine.x[0]).abs());
        Ok(RasterGrid { crs, affine, width, height, turn, tags })
    }

    /// The coordinate system: `EPSG:32633`.
    #[must_use]
    pub fn crs(&self) -> String {
        self.crs.name()
    }

    /// The number of columns.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The number of rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The tags that place the pixels.
    #[must_use]
    pub fn tags(&self) -> &GeoTags {
        &self.tags
    }

    /// Returns the number of the pixel that contains a position: 0 is the first pixel of the first row, and the first pixel of the second row
    /// has the number of the width. None outside.
    #[must_use]
    pub fn cell(&self, latitude: f64, longitude: f64) -> Option<u64> {
        let (column, row) = self.pixel(latitude, longitude)?;
        let (column, row) = (whole(column, self.width)?, whole(row, self.height)?);
        Some(u64::from(row) * u64::from(self.width) + u64::from(column))
    }

    /// Returns latitude and longitude of the centre of the pixel with this number; None if it does not exist, or is not on the globe.
    #[must_use]
    pub fn centre(&self, cell: u64) -> Option<(f64, f64)> {
        let width = u64::from(self.width);
        let (row, column) = (u32::try_from(cell / width).ok()?, u32::try_from(cell % width).ok()?);
        if row >= self.height {
            return None;
        }
        self.position((f64::from(column) + 0.5, f64::from(row) + 0.5))
    }

    /// Returns latitude and longitude of a place in pixels.
    pub(crate) fn position(&self, pixels: (f64, f64)) -> Option<(f64, f64)> {
        self.crs.unproject(self.affine.coordinates(pixels))
    }

    /// Returns column and row of a position inside the raster, with fractions: the first pixel extends from 0 to 1.
    pub(crate) fn pixel(&self, latitude: f64, longitude: f64) -> Option<(f64, f64)> {
        let (mut column, row) = self.affine.pixels(self.crs.project(latitude, longitude)?);
        if let Some(turn) = self.turn {
            column = column.rem_euclid(turn);
        }
        let inside = (0.0..f64::from(self.width)).contains(&column) && (0.0..f64::from(self.height)).contains(&row);
        inside.then_some((column, row))
    }

    /// Whether the first column is east of the last.
    pub(crate) fn goes_around_the_globe(&self) -> bool {
        self.turn.is_some_and(|turn| (turn - f64::from(self.width)).abs() < 0.01)
    }
}

/// Returns the whole part of a number below `end`.
pub(crate) fn whole(number: f64, end: u32) -> Option<u32> {
    if !(0.0..f64::from(end)).contains(&number) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to below a u32")]
    Some(number as u32)
}
