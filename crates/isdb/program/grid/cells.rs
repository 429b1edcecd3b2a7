//! The cells of a grid: their size, and where they are on the map.

use std::str::FromStr;

/// The grid to which a cell belongs, and the size of its cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cells {
    /// Cells of latitude and longitude (EPSG:4326), this many degrees wide and high.
    Degrees(f64),
    /// Cells of EASE-Grid 2.0 (EPSG:6933), of equal area, with this nominal number of kilometres.
    Kilometres(f64),
}

/// Metres from the centre of the map of EASE-Grid 2.0 to its western and its eastern edge.
const EASE_HALF_WIDTH: f64 = 17_367_530.445_161_38;
/// The nominal kilometres of a cell of EASE-Grid 2.0, and the columns and rows of the grid.
const EASE_GRIDS: [(f64, f64, f64); 6] = [
    (1.0, 34_704.0, 14_616.0),
    (3.0, 11_568.0, 4_872.0),
    (9.0, 3_856.0, 1_624.0),
    (12.5, 2_776.0, 1_168.0),
    (25.0, 1_388.0, 584.0),
    (36.0, 964.0, 406.0),
];

impl FromStr for Cells {
    type Err = String;

    fn from_str(text: &str) -> Result<Cells, String> {
        let expected = || format!("expected a size with a unit, such as 0.1deg or 1km, found {text}");
        let number = |number: &str| number.trim().parse::<f64>().ok().filter(|number| *number > 0.0);
        if let Some(degrees) = text.strip_suffix("deg") {
            let degrees = number(degrees).ok_or_else(expected)?;
            let cells = 90.0 / degrees;
            if (cells - cells.round()).abs() > 1e-9 * cells || cells < 1.0 {
                return Err(format!("expected degrees that divide 90, such as 0.1deg or 0.25deg, found {text}"));
            }
            return Ok(Cells::Degrees(degrees));
        }
        let kilometres = number(text.strip_suffix("km").ok_or_else(expected)?).ok_or_else(expected)?;
        match EASE_GRIDS.iter().any(|(nominal, ..)| *nominal == kilometres) {
            true => Ok(Cells::Kilometres(kilometres)),
            false => Err(format!("expected cells of 1, 3, 9, 12.5, 25 or 36 km (EASE-Grid 2.0), found {text}")),
        }
    }
}

impl Cells {
    /// The EPSG code of the coordinate reference system.
    pub(crate) fn epsg(self) -> u16 {
        match self {
            Cells::Degrees(_) => 4326,
            Cells::Kilometres(_) => 6933,
        }
    }

    /// Width and height of a cell, in degrees or metres.
    pub(crate) fn size(self) -> f64 {
        match self {
            Cells::Degrees(degrees) => degrees,
            Cells::Kilometres(_) => 2.0 * EASE_HALF_WIDTH / self.shape().0,
        }
    }

    /// The north-western corner of the cell in this column and row, which count from 0 at the north-western corner of the map.
    pub(crate) fn corner(self, column: i64, row: i64) -> (f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "numbers of cells")]
        let (column, row) = (column as f64, row as f64);
        let (columns, rows) = self.shape();
        match self {
            // A multiple of the degrees as the nearest double, without the error of a sum.
            Cells::Degrees(_) => (column * 360.0 / columns - 180.0, 90.0 - row * 180.0 / rows),
            Cells::Kilometres(_) => ((column - columns / 2.0) * self.size(), (rows / 2.0 - row) * self.size()),
        }
    }

    /// Columns and rows of the map.
    fn shape(self) -> (f64, f64) {
        match self {
            Cells::Degrees(degrees) => ((360.0 / degrees).round(), (180.0 / degrees).round()),
            Cells::Kilometres(kilometres) => {
                let grid = EASE_GRIDS.into_iter().find(|(nominal, ..)| *nominal == kilometres);
                grid.map_or((1.0, 1.0), |(_, columns, rows)| (columns, rows))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_needs_a_unit_and_fits_the_map() {
        assert_eq!("0.1deg".parse(), Ok(Cells::Degrees(0.1)));
        assert_eq!("12.5km".parse(), Ok(Cells::Kilometres(12.5)));
        for (text, expected) in [
            ("0.1", "expected a size with a unit"),
            ("km", "expected a size with a unit"),
            ("-1km", "expected a size with a unit"),
            ("0.7deg", "expected degrees that divide 90"),
            ("2km", "expected cells of 1, 3, 9, 12.5, 25 or 36 km"),
        ] {
            let problem = text.parse::<Cells>().unwrap_err();
            assert!(problem.starts_with(expected) && problem.ends_with(text), "{problem}");
        }
    }

    #[test]
    fn corners_are_those_of_the_map() {
        assert_eq!(Cells::Degrees(0.1).corner(0, 0), (-180.0, 90.0));
        assert_eq!(Cells::Degrees(0.1).corner(1_203, 381), (-59.7, 51.9));
        let kilometre = Cells::Kilometres(1.0);
        assert!((kilometre.size() - 1_000.895_023_349_556_7).abs() < 1e-6);
        let (west, north) = kilometre.corner(0, 0);
        assert!((west + 17_367_530.445).abs() < 0.001 && (north - 7_314_540.830).abs() < 0.001, "{west} {north}");
    }
}
