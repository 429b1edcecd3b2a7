//! The SQL functions `h3(latitude, longitude, resolution)` and `h3_boundary(cell)`: cells of the H3 grid of hexagons.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{AsArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use h3o::{CellIndex, LatLng, Resolution};

use super::positions::{Numbers, Positions, check_constant, number, numbers};
use crate::error::Error;

const USAGE: &str = "h3(latitude, longitude, resolution)";

/// Characters of a cell.
const CELL_LENGTH: usize = 15;

/// Creates the function `h3`: the cell of a position as text, `'8a1126c9b68ffff'`; NULL if an argument is NULL or the position is
/// outside the globe.
pub(super) fn h3_function() -> ScalarUDF {
    ScalarUDF::new_from_impl(H3 { signature: numbers(&["latitude", "longitude", "resolution"]) })
}

/// Creates the function `h3_boundary`: the border of a cell as WKT, `POLYGON((lon lat, …))`. Longitudes of a cell across the dateline
/// continue beyond 180 or -180.
pub(super) fn h3_boundary_function() -> ScalarUDF {
    let exact = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
    let signature = Signature { parameter_names: Some(vec!["cell".to_owned()]), ..exact };
    ScalarUDF::new_from_impl(H3Boundary { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct H3 {
    signature: Signature,
}

/// Returns the resolution of a number from 0 to 15.
fn resolution(number: f64) -> Option<Resolution> {
    (0_u8..=15).find(|known| f64::from(*known) == number).and_then(|known| Resolution::try_from(known).ok())
}

impl ScalarUDFImpl for H3 {
    fn name(&self) -> &'static str {
        "h3"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        if let [latitude, longitude, wanted] = args.scalar_arguments {
            check_constant(*latitude, *longitude, USAGE)?;
            if let Some(wanted) = wanted.and_then(number).filter(|wanted| resolution(*wanted).is_none()) {
                let problem = format!("h3: expected a resolution from 0 to 15, found {wanted}");
                let hint = "cells are 1,100 km wide at resolution 0, 8 km at 5, 130 m at 10 and 1 m at 15";
                return Err(Error::statement(problem, hint).into());
            }
        }
        Ok(Arc::new(Field::new("h3", DataType::Utf8, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [latitude, longitude, wanted] = args.args.as_slice() else { return exec_err!("expected {USAGE}") };
        let (positions, wanted) = (Positions::new(latitude, longitude)?, Numbers::new(wanted)?);
        let mut cells = StringBuilder::with_capacity(args.number_rows, args.number_rows * CELL_LENGTH);
        for row in 0..args.number_rows {
            let cell =
                positions.position(row).zip(wanted.get(row).and_then(resolution)).and_then(|(position, wanted)| {
                    Some(LatLng::new(position.latitude(), position.longitude()).ok()?.to_cell(wanted))
                });
            match cell {
                Some(cell) => {
                    write!(cells, "{cell}").map_err(|_| exec_datafusion_err!("h3: cannot write a cell"))?;
                    cells.append_value("");
                }
                None => cells.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(cells.finish())))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct H3Boundary {
    signature: Signature,
}

impl ScalarUDFImpl for H3Boundary {
    fn name(&self) -> &'static str {
        "h3_boundary"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [cells] = &ColumnarValue::values_to_arrays(&args.args)?[..] else {
            return exec_err!("expected h3_boundary(cell)");
        };
        let mut borders = StringBuilder::new();
        for cell in cells.as_string::<i32>() {
            let Some(text) = cell else {
                borders.append_null();
                continue;
            };
            let Ok(cell) = CellIndex::from_str(text) else {
                return exec_err!("h3_boundary: expected a cell of H3, such as '8a1126c9b68ffff', found '{text}'");
            };
            borders.append_value(polygon(cell));
        }
        Ok(ColumnarValue::Array(Arc::new(borders.finish())))
    }
}

/// Returns the border of a cell as WKT.
fn polygon(cell: CellIndex) -> String {
    let border = cell.boundary();
    let mut corners: Vec<(f64, f64)> = Vec::with_capacity(border.len() + 1);
    for corner in border.iter() {
        let mut longitude = corner.lng();
        // The shorter way from the last corner, over the dateline if need be.
        if let Some((last, _)) = corners.last() {
            longitude -= 360.0 * ((longitude - last) / 360.0).round();
        }
        corners.push((longitude, corner.lat()));
    }
    corners.extend(corners.first().copied());
    let corners: Vec<String> = corners.iter().map(|(longitude, latitude)| format!("{longitude} {latitude}")).collect();
    format!("POLYGON(({}))", corners.join(","))
}

#[cfg(test)]
mod tests {
    use crate::testing::{answer, refused};

    #[tokio::test]
    async fn cells_are_those_of_the_h3_library() {
        // The example of the documentation of H3.
        assert_eq!(
            answer("SELECT h3(37.3615593, -122.0553238, 5) AS a, h3(37.3615593, -122.0553238, 0) AS b").await,
            "a|b;85283473fffffff|8029fffffffffff"
        );
        assert_eq!(
            answer("SELECT h3(NULL, 1, 5) IS NULL AS a, h3(x, 1, 5) IS NULL AS b FROM (VALUES (95.0)) AS t(x)").await,
            "a|b;true|true"
        );
        assert_eq!(
            answer("SELECT h3(lat, 1, 5) AS a FROM (VALUES (1.0), (NULL), (2.0)) AS t(lat) WHERE lat IS NULL").await,
            "a;"
        );
    }

    #[tokio::test]
    async fn a_boundary_is_a_closed_ring_also_across_the_dateline() {
        for (lat, lon) in [(37.4, -122.1), (10.0, 179.99)] {
            let border = answer(&format!("SELECT h3_boundary(h3({lat}, {lon}, 3)) AS a")).await;
            let ring = border.trim_start_matches("a;POLYGON((").trim_end_matches("))");
            let corners: Vec<&str> = ring.split(',').collect();
            assert!(corners.len() >= 7 && corners.first() == corners.last(), "{border}");
        }
    }

    #[tokio::test]
    async fn a_wrong_resolution_and_a_wrong_cell_are_refused() {
        let (problem, hint) = refused("SELECT h3(1, 2, 16)").await;
        assert_eq!(problem, "h3: expected a resolution from 0 to 15, found 16");
        assert!(hint.contains("8 km at 5"), "{hint}");
        let (problem, hint) = refused("SELECT h3(125.5, 61, 5)").await;
        assert_eq!(problem, "expected a latitude from -90 to 90, found 125.5");
        assert_eq!(hint, "latitude comes before longitude: write h3(latitude, longitude, resolution)");
    }
}
