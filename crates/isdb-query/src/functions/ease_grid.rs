//! The SQL functions of EASE-Grid 2.0, the global equal-area grid (EPSG:6933): `ease2_column(longitude, km)` and
//! `ease2_row(latitude, km)`, and the centres of its cells, `ease2_longitude(column, km)` and `ease2_latitude(row, km)`.

use datafusion::logical_expr::ScalarUDF;
use isdb_region::EaseGrid;

use super::number_function::{NumberFunction, Returns};

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

fn unknown_grid(constants: &[Option<f64>]) -> Option<String> {
    let km = constants.get(1).copied().flatten()?;
    EaseGrid::with_kilometres(km).is_none().then(|| format!("expected cells of {}, found {km}", EaseGrid::SIZES))
}

fn column(arguments: &[f64]) -> Option<f64> {
    let &[longitude, km] = arguments else { return None };
    EaseGrid::with_kilometres(km)?.column(longitude)
}

fn row(arguments: &[f64]) -> Option<f64> {
    let &[latitude, km] = arguments else { return None };
    EaseGrid::with_kilometres(km)?.row(latitude)
}

fn longitude(arguments: &[f64]) -> Option<f64> {
    let &[column, km] = arguments else { return None };
    EaseGrid::with_kilometres(km)?.longitude(column)
}

fn latitude(arguments: &[f64]) -> Option<f64> {
    let &[row, km] = arguments else { return None };
    EaseGrid::with_kilometres(km)?.latitude(row)
}

#[cfg(test)]
mod tests {
    use crate::testing::{answer, refused};

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
