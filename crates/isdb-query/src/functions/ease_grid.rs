//! The SQL functions of EASE-Grid 2.0, the global equal-area grid (EPSG:6933): `ease2_column(longitude, km)` and
//! `ease2_row(latitude, km)`, and the centres of its cells, `ease2_longitude(column, km)` and `ease2_latitude(row, km)`.
//!
//! Brodzik et al. 2012, ISPRS International Journal of Geo-Information 1(1), 32–45. Rows and columns count from 0 at the north-western
//! corner. The projection is cylindrical, so that a column depends on the longitude alone, and a row on the latitude.

use datafusion::logical_expr::ScalarUDF;

use super::number_function::{NumberFunction, Returns};

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

/// Creates the four functions.
pub(super) fn ease2_functions() -> [ScalarUDF; 4] {
    [
        function("ease2_column", &["longitude", "km"], Returns::Int, column),
        function("ease2_row", &["latitude", "km"], Returns::Int, row),
        function("ease2_longitude", &["column", "km"], Returns::Double, longitude),
        function("ease2_latitude", &["row", "km"], Returns::Double, latitude),
    ]
}

fn function(
    name: &'static str,
    arguments: &'static [&'static str],
    returns: Returns,
    compute: fn(&[f64]) -> Option<f64>,
) -> ScalarUDF {
    NumberFunction { name, arguments, returns, compute, problem: unknown_grid }.function()
}

/// Returns the size of a cell in metres, and the columns and rows.
fn grid(km: f64) -> Option<(f64, f64, f64)> {
    let (_, columns, rows) = GRIDS.into_iter().find(|(nominal, ..)| *nominal == km)?;
    Some((2.0 * HALF_WIDTH / columns, columns, rows))
}

fn unknown_grid(constants: &[Option<f64>]) -> Option<String> {
    let km = constants.get(1).copied().flatten()?;
    grid(km).is_none().then(|| format!("expected cells of 1, 3, 9, 12.5, 25 or 36 km, found {km}"))
}

fn column(arguments: &[f64]) -> Option<f64> {
    let &[longitude, km] = arguments else { return None };
    let (_, columns, _) = grid(km).filter(|_| (-180.0..=360.0).contains(&longitude))?;
    let longitude = if longitude >= 180.0 { longitude - 360.0 } else { longitude };
    Some(((longitude + 180.0) / 360.0 * columns).floor().min(columns - 1.0))
}

fn row(arguments: &[f64]) -> Option<f64> {
    let &[latitude, km] = arguments else { return None };
    let (size, _, rows) = grid(km).filter(|_| (-90.0..=90.0).contains(&latitude))?;
    let north = authalic(latitude.to_radians().sin()) * metres_per_authalic();
    let row = (rows / 2.0 - north / size).floor();
    (0.0..rows).contains(&row).then_some(row)
}

fn longitude(arguments: &[f64]) -> Option<f64> {
    let &[column, km] = arguments else { return None };
    let (_, columns, _) =
        grid(km).filter(|(_, columns, _)| column.fract() == 0.0 && (0.0..*columns).contains(&column))?;
    Some((column + 0.5) / columns * 360.0 - 180.0)
}

fn latitude(arguments: &[f64]) -> Option<f64> {
    let &[row, km] = arguments else { return None };
    let (size, _, rows) = grid(km).filter(|(_, _, rows)| row.fract() == 0.0 && (0.0..*rows).contains(&row))?;
    let wanted = (rows / 2.0 - row - 0.5) * size / metres_per_authalic();
    // Newton's method for the sine of the latitude: the derivative of the authalic q is 2 (1 - e²) / (1 - e² sin²)².
    let squared = ECCENTRICITY * ECCENTRICITY;
    let mut sine = wanted / authalic(1.0);
    for _ in 0..8 {
        let slope = 2.0 * (1.0 - squared) / (1.0 - squared * sine * sine).powi(2);
        sine = (sine - (authalic(sine) - wanted) / slope).clamp(-1.0, 1.0);
    }
    Some(sine.asin().to_degrees())
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
    use crate::testing::{answer, refused};

    #[test]
    fn the_map_has_the_extent_and_the_cells_of_its_definition() {
        // Corners of EASE2_M25km and EASE2_M36km: 84.6341 and 85.0445 degrees north.
        let north = |degrees: f64| authalic(degrees.to_radians().sin()) * metres_per_authalic();
        assert!((north(85.044_504_7) - 7_314_540.83).abs() < 2.0, "{}", north(85.044_504_7));
        assert!((grid(1.0).unwrap().0 - 1_000.895_023_349_556_7).abs() < 1e-6);
        assert!((grid(36.0).unwrap().0 - 36_032.220_840_584).abs() < 1e-6);
        for (km, ..) in GRIDS {
            let (_, columns, rows) = grid(km).unwrap();
            for number in [0.0, 1.0, 100.0, rows / 2.0, rows - 1.0] {
                let centre = latitude(&[number, km]).unwrap();
                assert_eq!(row(&[centre, km]), Some(number), "{km} {centre}");
            }
            for number in [0.0, 77.0, columns - 1.0] {
                assert_eq!(column(&[longitude(&[number, km]).unwrap(), km]), Some(number));
            }
        }
    }

    #[tokio::test]
    async fn sql_returns_cells_and_null_beyond_the_map() {
        assert_eq!(
            answer("SELECT ease2_column(-180, 36) AS a, ease2_column(180, 36) AS b, ease2_row(0.1, 36) AS c, ease2_row(89, 36) IS NULL AS d").await,
            "a|b|c|d;0|0|202|true"
        );
        let (problem, _) = refused("SELECT ease2_row(61, 2)").await;
        assert_eq!(problem, "ease2_row: expected cells of 1, 3, 9, 12.5, 25 or 36 km, found 2");
    }
}
