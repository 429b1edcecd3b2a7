//! The SQL functions `grid_south(latitude, degrees)` and `grid_west(longitude, degrees)`: the edges of cells in degrees. The edges are
//! the same in every statement: multiples of the cell's degrees, each the double that is next to it.

use datafusion::logical_expr::ScalarUDF;

use super::number_function::{NumberFunction, Returns};

/// Cells from the equator to the date line are at most this many; more are below a millimetre.
const MOST_CELLS: f64 = 1e11;

/// Creates the function: the southern edge of the cell that contains a latitude. The pole is in the last cell.
pub(super) fn grid_south_function() -> ScalarUDF {
    let compute = |arguments: &[f64]| match arguments {
        [latitude, degrees] if (-90.0..=90.0).contains(latitude) => edge(*latitude, 90.0, *degrees),
        _ => None,
    };
    NumberFunction {
        name: "grid_south",
        arguments: &["latitude", "degrees"],
        returns: Returns::Double,
        compute,
        problem: |constants| wrong_degrees(constants, 90.0),
    }
    .function()
}

/// Creates the function: the western edge of the cell that contains a longitude. Longitude 180 is in the cell of -180.
pub(super) fn grid_west_function() -> ScalarUDF {
    let compute = |arguments: &[f64]| match arguments {
        [longitude, degrees] if (-180.0..=360.0).contains(longitude) => {
            let longitude = if *longitude >= 180.0 { longitude - 360.0 } else { *longitude };
            edge(longitude, 180.0, *degrees)
        }
        _ => None,
    };
    NumberFunction {
        name: "grid_west",
        arguments: &["longitude", "degrees"],
        returns: Returns::Double,
        compute,
        problem: |constants| wrong_degrees(constants, 180.0),
    }
    .function()
}

/// Returns the number of cells between the equator, or the meridian of Greenwich, and `end`; None if they do not fill it.
fn cells(end: f64, degrees: f64) -> Option<f64> {
    let cells = (end / degrees).round();
    let fills = (cells * degrees - end).abs() <= 1e-9 * end;
    (degrees > 0.0 && (1.0..=MOST_CELLS).contains(&cells) && fills).then_some(cells)
}

fn edge(degree: f64, end: f64, degrees: f64) -> Option<f64> {
    let cells = cells(end, degrees)?;
    let edge = |number: f64| number * end / cells;
    let number = (degree / end * cells).floor().min(cells - 1.0);
    // The product is rounded: an edge belongs to the cell that begins there.
    let number = match number {
        number if edge(number) > degree => number - 1.0,
        number if number < cells - 1.0 && edge(number + 1.0) <= degree => number + 1.0,
        number => number,
    };
    Some(edge(number) + 0.0)
}

fn wrong_degrees(constants: &[Option<f64>], end: f64) -> Option<String> {
    let degrees = constants.get(1).copied().flatten()?;
    cells(end, degrees)
        .is_none()
        .then(|| format!("expected degrees that divide {end}, such as 0.1 or 0.25, found {degrees}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{answer, refused};

    proptest! {
        #[test]
        fn every_position_is_in_the_cell_of_its_edge(
            degree in prop_oneof![-90.0_f64..=90.0, (-900_i32..=900).prop_map(|tenth| f64::from(tenth) / 10.0)],
            degrees in prop_oneof![Just(0.1), Just(0.25), Just(1.0), Just(0.01), Just(0.3), Just(1.0 / 120.0)],
        ) {
            let south = edge(degree, 90.0, degrees).unwrap();
            let cells = cells(90.0, degrees).unwrap();
            let number = (south / 90.0 * cells).round();
            prop_assert_eq!(south, number * 90.0 / cells);
            prop_assert!(south <= degree);
            prop_assert!(degree < (number + 1.0) * 90.0 / cells || degree == 90.0);
        }
    }

    #[tokio::test]
    async fn edges_are_multiples_of_the_degrees_without_rounding_noise() {
        assert_eq!(
            answer("SELECT grid_south(61.34, 0.1) AS a, grid_west(-0.3, 0.1) AS b, grid_west(25.3, 0.1) AS c").await,
            "a|b|c;61.3|-0.3|25.3"
        );
        assert_eq!(
            answer("SELECT grid_south(90, 0.25) AS a, grid_west(180, 0.25) AS b, grid_south(-90, 1) AS c").await,
            "a|b|c;89.75|-180.0|-90.0"
        );
        assert_eq!(
            answer("SELECT grid_south(NULL, 1) IS NULL AS a, grid_south(95, 1) IS NULL AS b").await,
            "a|b;true|true"
        );
    }

    #[tokio::test]
    async fn degrees_that_do_not_divide_the_globe_are_refused() {
        let (problem, hint) = refused("SELECT grid_south(61, 0.7)").await;
        assert_eq!(problem, "grid_south: expected degrees that divide 90, such as 0.1 or 0.25, found 0.7");
        assert_eq!(hint, "write grid_south(latitude, degrees)");
        assert!(refused("SELECT grid_west(61, -1)").await.0.contains("found -1"));
    }
}
