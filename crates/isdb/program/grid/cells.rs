//! The cells of a grid: their size, and where they are on the map.

use std::str::FromStr;

use isdb_region::EaseGrid;

/// The grid to which a cell belongs, and the size of its cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cells {
    /// Cells of latitude and longitude (EPSG:4326), this many degrees wide and high.
    Degrees(f64),
    /// Cells of EASE-Grid 2.0 (EPSG:6933), of equal area, with this nominal number of kilometres.
    Kilometres(f64, EaseGrid),
}

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
        let grid = EaseGrid::with_kilometres(kilometres);
        let unknown = || format!("expected cells of {} (EASE-Grid 2.0), found {text}", EaseGrid::SIZES);
        grid.map(|grid| Cells::Kilometres(kilometres, grid)).ok_or_else(unknown)
    }
}

impl Cells {
    /// The EPSG code of the coordinate reference system.
    pub(crate) fn epsg(self) -> u16 {
        match self {
            Cells::Degrees(_) => 4326,
            Cells::Kilometres(..) => 6933,
        }
    }

    /// Width and height of a cell, in degrees or metres.
    pub(crate) fn size(self) -> f64 {
        match self {
            Cells::Degrees(degrees) => degrees,
            Cells::Kilometres(_, grid) => grid.cell_metres(),
        }
    }

    /// The north-western corner of the cell in this column and row, which count from 0 at the north-western corner of the map.
    pub(crate) fn corner(self, column: i64, row: i64) -> (f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "numbers of cells")]
        let (column, row) = (column as f64, row as f64);
        match self {
            Cells::Degrees(degrees) => {
                let (columns, rows) = ((360.0 / degrees).round(), (180.0 / degrees).round());
                // A multiple of the degrees as the nearest double, without the error of a sum.
                (column * 360.0 / columns - 180.0, 90.0 - row * 180.0 / rows)
            }
            Cells::Kilometres(_, grid) => grid.corner(column, row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_needs_a_unit_and_fits_the_map() {
        assert_eq!("0.1deg".parse(), Ok(Cells::Degrees(0.1)));
        assert!(matches!("12.5km".parse(), Ok(Cells::Kilometres(12.5, _))));
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
        let (west, north) = "36km".parse::<Cells>().unwrap().corner(0, 0);
        assert!((west + 17_367_530.445).abs() < 0.001 && (north - 7_314_540.830).abs() < 0.001, "{west} {north}");
    }
}
