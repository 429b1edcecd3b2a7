//! EASE-Grid 2.0, the global equal-area grid (EPSG:6933).
//!
//! Brodzik et al. 2012, ISPRS International Journal of Geo-Information 1(1), 32–45. Rows and columns count from 0 at the north-western
//! corner. The projection is cylindrical, so that a column depends on the longitude alone, and a row on the latitude.

/// Eccentricity of the WGS 84 ellipsoid.
const ECCENTRICITY: f64 = 0.081_819_190_842_621_49;
/// Half of the equator's diameter, metres.
const EQUATORIAL_RADIUS: f64 = 6_378_137.0;
/// Half of the width of the map, metres: the scale is true at latitude 30°.
const HALF_WIDTH: f64 = 17_367_530.445_161_38;

/// The nominal kilometres of a cell, and the columns and rows of the grid.
const GRIDS: [(f64, f64, f64); 6] = [
    (1.0, 34_704.0, 14_616.0),
    (3.0, 11_568.0, 4_872.0),
    (9.0, 3_856.0, 1_624.0),
    (12.5, 2_776.0, 1_168.0),
    (25.0, 1_388.0, 584.0),
    (36.0, 964.0, 406.0),
];

/// A grid of cells of one size. Numbers of cells are whole numbers in a double, as SQL functions have them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EaseGrid {
    columns: f64,
    rows: f64,
}

impl EaseGrid {
    /// The sizes of cells, as messages list them.
    pub const SIZES: &str = "1, 3, 9, 12.5, 25 or 36 km";

    /// The grid whose cells have nominally this many kilometres, one of [`SIZES`](Self::SIZES).
    #[must_use]
    pub fn with_kilometres(km: f64) -> Option<EaseGrid> {
        let (_, columns, rows) = GRIDS.into_iter().find(|(nominal, ..)| *nominal == km)?;
        Some(EaseGrid { columns, rows })
    }

    /// Width and height of a cell in metres on the map.
    #[must_use]
    pub fn cell_metres(&self) -> f64 {
        2.0 * HALF_WIDTH / self.columns
    }

    /// The north-western corner of a cell on the map, metres east and north of its centre.
    #[must_use]
    pub fn corner(&self, column: f64, row: f64) -> (f64, f64) {
        ((column - self.columns / 2.0) * self.cell_metres(), (self.rows / 2.0 - row) * self.cell_metres())
    }

    /// The column of a longitude from -180° to 360°.
    #[must_use]
    pub fn column(&self, longitude: f64) -> Option<f64> {
        if !(-180.0..=360.0).contains(&longitude) {
            return None;
        }
        let longitude = if longitude >= 180.0 { longitude - 360.0 } else { longitude };
        Some(((longitude + 180.0) / 360.0 * self.columns).floor().min(self.columns - 1.0))
    }

    /// The row of a latitude; None beyond the northern and southern edge of the map, at about 85°.
    #[must_use]
    pub fn row(&self, latitude: f64) -> Option<f64> {
        if !(-90.0..=90.0).contains(&latitude) {
            return None;
        }
        let north = authalic(latitude.to_radians().sin()) * metres_per_authalic();
        let row = (self.rows / 2.0 - north / self.cell_metres()).floor();
        (0.0..self.rows).contains(&row).then_some(row)
    }

    /// The longitude of the centre of a column; None if it does not exist.
    #[must_use]
    pub fn longitude(&self, column: f64) -> Option<f64> {
        let exists = column.fract() == 0.0 && (0.0..self.columns).contains(&column);
        exists.then(|| (column + 0.5) / self.columns * 360.0 - 180.0)
    }

    /// The latitude of the centre of a row; None if it does not exist.
    #[must_use]
    pub fn latitude(&self, row: f64) -> Option<f64> {
        if row.fract() != 0.0 || !(0.0..self.rows).contains(&row) {
            return None;
        }
        let wanted = (self.rows / 2.0 - row - 0.5) * self.cell_metres() / metres_per_authalic();
        // Newton's method for the sine of the latitude: the derivative of the authalic q is 2 (1 - e²) / (1 - e² sin²)².
        let squared = ECCENTRICITY * ECCENTRICITY;
        let mut sine = wanted / authalic(1.0);
        for _ in 0..8 {
            let slope = 2.0 * (1.0 - squared) / (1.0 - squared * sine * sine).powi(2);
            sine = (sine - (authalic(sine) - wanted) / slope).clamp(-1.0, 1.0);
        }
        Some(sine.asin().to_degrees())
    }
}

/// Returns q of the sine of a latitude (Snyder 1987, equation 3-12): a quantity proportional to the area between it and the equator.
fn authalic(sine: f64) -> f64 {
    let (e, es) = (ECCENTRICITY, ECCENTRICITY * sine);
    (1.0 - e * e) * (sine / (1.0 - es * es) - ((1.0 - es) / (1.0 + es)).ln() / (2.0 * e))
}

/// Returns the metres on the map for a q of 1: a / (2 k₀), k₀ being the scale at the equator for a true scale at 30°.
fn metres_per_authalic() -> f64 {
    let scale = HALF_WIDTH / (EQUATORIAL_RADIUS * std::f64::consts::PI);
    EQUATORIAL_RADIUS / (2.0 * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_has_the_extent_and_the_cells_of_its_definition() {
        // Corners of EASE2_M25km and EASE2_M36km: 84.6341 and 85.0445 degrees north.
        let north = |degrees: f64| authalic(degrees.to_radians().sin()) * metres_per_authalic();
        assert!((north(85.044_504_7) - 7_314_540.83).abs() < 2.0, "{}", north(85.044_504_7));
        let grid = |km| EaseGrid::with_kilometres(km).unwrap();
        assert!((grid(1.0).cell_metres() - 1_000.895_023_349_556_7).abs() < 1e-6);
        assert!((grid(36.0).cell_metres() - 36_032.220_840_584).abs() < 1e-6);
        let (west, north) = grid(1.0).corner(0.0, 0.0);
        assert!((west + 17_367_530.445).abs() < 0.001 && (north - 7_314_540.830).abs() < 0.001, "{west} {north}");
        for (km, columns, rows) in GRIDS {
            for number in [0.0, 1.0, 100.0, rows / 2.0, rows - 1.0] {
                let centre = grid(km).latitude(number).unwrap();
                assert_eq!(grid(km).row(centre), Some(number), "{km} {centre}");
            }
            for number in [0.0, 77.0, columns - 1.0] {
                assert_eq!(grid(km).column(grid(km).longitude(number).unwrap()), Some(number));
            }
        }
        assert_eq!((grid(36.0).row(89.0), EaseGrid::with_kilometres(2.0)), (None, None));
    }
}
