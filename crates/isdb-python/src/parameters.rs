//! Values of the parameters of a statement.

use std::sync::Arc;

use isdb::datafusion::common::ScalarValue;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// A parameter: its name, the kind of value that `isdb._parameters` has found, and the value.
pub(crate) type Parameter<'py> = (String, String, Bound<'py, PyAny>);

/// Converts parameters to values of the engine. A timestamp is in nanoseconds since 1970 UTC, and a date in days.
///
/// # Errors
/// For a value that is not of its kind, such as an integer beyond 64 bits.
pub(crate) fn values(parameters: Vec<Parameter<'_>>) -> PyResult<Vec<(String, ScalarValue)>> {
    let value = |(name, kind, value): Parameter<'_>| {
        let value = match kind.as_str() {
            "null" => ScalarValue::Null,
            "boolean" => ScalarValue::Boolean(Some(value.extract()?)),
            "integer" => ScalarValue::Int64(Some(value.extract()?)),
            "float" => ScalarValue::Float64(Some(value.extract()?)),
            "text" => ScalarValue::Utf8(Some(value.extract()?)),
            "timestamp" => ScalarValue::TimestampNanosecond(Some(value.extract()?), Some(Arc::from("UTC"))),
            "date" => ScalarValue::Date32(Some(value.extract()?)),
            other => return Err(PyTypeError::new_err(format!("unknown kind of value: {other}"))),
        };
        Ok((name, value))
    };
    parameters.into_iter().map(value).collect()
}
