//! The SQL function `distance_m(lat1, lon1, lat2, lon2)`: metres between two positions.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use isdb_region::Position;

use super::positions::{Positions, check_constant, literal_number, numbers};

pub(crate) const NAME: &str = "distance_m";
pub(crate) const USAGE: &str = "distance_m(lat1, lon1, lat2, lon2)";

/// Creates the function: the length in metres of the shortest line between two positions along the WGS 84 ellipsoid; NULL if a
/// coordinate is NULL or outside the globe.
pub(crate) fn distance_m_function() -> ScalarUDF {
    ScalarUDF::new_from_impl(DistanceM { signature: numbers(&["lat1", "lon1", "lat2", "lon2"]) })
}

/// A call of `distance_m` between a constant position and one that differs by row.
pub(crate) struct DistanceCall<'e> {
    /// The constant position.
    pub(crate) centre: Position,
    /// Latitude of the other.
    pub(crate) latitude: &'e Expr,
    /// Longitude of the other.
    pub(crate) longitude: &'e Expr,
}

impl<'e> DistanceCall<'e> {
    /// Recognises a call in `expr`.
    pub(crate) fn find(expr: &'e Expr) -> Option<DistanceCall<'e>> {
        let Expr::ScalarFunction(call) = expr else { return None };
        let [lat1, lon1, lat2, lon2] = call.args.as_slice() else { return None };
        if call.func.name() != NAME {
            return None;
        }
        let constant = |latitude, longitude| Position::new(literal_number(latitude)?, literal_number(longitude)?);
        match (constant(lat1, lon1), constant(lat2, lon2)) {
            (None, Some(centre)) => Some(DistanceCall { centre, latitude: lat1, longitude: lon1 }),
            (Some(centre), None) => Some(DistanceCall { centre, latitude: lat2, longitude: lon2 }),
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DistanceM {
    signature: Signature,
}

impl ScalarUDFImpl for DistanceM {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        if let [lat1, lon1, lat2, lon2] = args.scalar_arguments {
            check_constant(*lat1, *lon1, USAGE)?;
            check_constant(*lat2, *lon2, USAGE)?;
        }
        Ok(Arc::new(Field::new(NAME, DataType::Float64, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [lat1, lon1, lat2, lon2] = args.args.as_slice() else { return exec_err!("expected {USAGE}") };
        let (from, to) = (Positions::new(lat1, lon1)?, Positions::new(lat2, lon2)?);
        let distance = |row| Some(from.position(row)?.distance(&to.position(row)?));
        Ok(ColumnarValue::Array(Arc::new((0..args.number_rows).map(distance).collect::<Float64Array>())))
    }
}
