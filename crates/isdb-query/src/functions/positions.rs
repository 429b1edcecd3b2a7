//! Arguments of functions of positions: latitude, then longitude, in degrees.

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::{ColumnarValue, Expr, Signature, Volatility};
use isdb_region::Position;

use crate::error::Error;

/// The signature of a function of numbers, which may be written by name: `lat => 61.0`.
pub(super) fn numbers(names: &[&str]) -> Signature {
    let exact = Signature::exact(vec![DataType::Float64; names.len()], Volatility::Immutable);
    Signature { parameter_names: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..exact }
}

/// Refuses a constant position outside the globe. `latitude` and `longitude` are the arguments if they are constants; `usage` is the
/// call with its arguments in the right order.
///
/// # Errors
/// [`Error::Statement`].
pub(super) fn check_constant(
    latitude: Option<&ScalarValue>,
    longitude: Option<&ScalarValue>,
    usage: &str,
) -> Result<()> {
    let [latitude, longitude] = [latitude, longitude].map(|value| value.and_then(number));
    if let Some(latitude) = latitude.filter(|degrees| !(-90.0..=90.0).contains(degrees)) {
        let problem = format!("expected a latitude from -90 to 90, found {latitude}");
        return Err(Error::statement(problem, format!("latitude comes before longitude: write {usage}")).into());
    }
    if let Some(longitude) = longitude.filter(|degrees| !(-180.0..=360.0).contains(degrees)) {
        let problem = format!("expected a longitude from -180 to 180, found {longitude}");
        return Err(Error::statement(problem, format!("longitudes are degrees east: write {usage}")).into());
    }
    Ok(())
}

/// Returns the value of a numeric scalar; None for NULL.
pub(super) fn number(value: &ScalarValue) -> Option<f64> {
    if !value.data_type().is_numeric() {
        return None;
    }
    match value.cast_to(&DataType::Float64).ok()? {
        ScalarValue::Float64(number) => number,
        _ => None,
    }
}

/// Returns the number of a literal; None for NULL and for other expressions.
pub(super) fn literal_number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Literal(value, _) => number(value),
        _ => None,
    }
}

/// One argument of a function for all rows of a batch.
pub(super) enum Numbers {
    /// The same for every row; None is NULL.
    Constant(Option<f64>),
    /// One for each row.
    Rows(Float64Array),
}

impl Numbers {
    /// Reads an argument of type DOUBLE.
    pub(super) fn new(argument: &ColumnarValue) -> Result<Numbers> {
        match argument {
            ColumnarValue::Scalar(value) => Ok(Numbers::Constant(number(value))),
            ColumnarValue::Array(array) => {
                let doubles = array.as_primitive_opt::<Float64Type>();
                let doubles = doubles.ok_or_else(|| exec_datafusion_err!("expected numbers of type DOUBLE"))?;
                Ok(Numbers::Rows(doubles.clone()))
            }
        }
    }

    /// Returns the number of `row`; None for NULL.
    pub(super) fn get(&self, row: usize) -> Option<f64> {
        match self {
            Numbers::Constant(number) => *number,
            Numbers::Rows(numbers) => numbers.is_valid(row).then(|| numbers.value(row)),
        }
    }
}

/// Positions for all rows of a batch.
pub(super) struct Positions {
    pub(super) latitude: Numbers,
    pub(super) longitude: Numbers,
}

impl Positions {
    /// Reads two arguments.
    pub(super) fn new(latitude: &ColumnarValue, longitude: &ColumnarValue) -> Result<Positions> {
        Ok(Positions { latitude: Numbers::new(latitude)?, longitude: Numbers::new(longitude)? })
    }

    /// Returns the position of all rows if it is a constant; an inner None if it is NULL.
    pub(super) fn constant(&self) -> Option<Option<(f64, f64)>> {
        match (&self.latitude, &self.longitude) {
            (Numbers::Constant(latitude), Numbers::Constant(longitude)) => Some(latitude.zip(*longitude)),
            _ => None,
        }
    }

    /// Returns latitude and longitude of `row`; None if either is NULL.
    pub(super) fn get(&self, row: usize) -> Option<(f64, f64)> {
        self.latitude.get(row).zip(self.longitude.get(row))
    }

    /// Returns the position of `row`; None if it is NULL or outside the globe.
    pub(super) fn position(&self, row: usize) -> Option<Position> {
        self.get(row).and_then(|(latitude, longitude)| Position::new(latitude, longitude))
    }
}
