//! The Arrow column of a dataset: fills become NULL, numbers stored in another type are cast if the cast is exact, times are converted,
//! and profiles become lists.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float64Array, TimestampNanosecondArray, new_null_array};
use arrow::buffer::Buffer;
use arrow::datatypes::{Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use isdb_schema::catalogue::{Dtype, Variable};

use crate::decode::cast::{WideNumbers, cast, widen};
use crate::decode::element::{Element, Number};
use crate::decode::fill_to_null::{floats_with_nulls, ints_with_nulls};
use crate::decode::fill_values::FillValues;
use crate::decode::scalar::Scalar;
use crate::error::Reason;
use crate::time::Clock;

/// The column of `variable`, whose `buffer` holds native `element`s, as numbers of type `dtype`; profiles become lists with NULL
/// elements.
pub(crate) fn column(
    buffer: Buffer,
    element: Element,
    dtype: Dtype,
    variable: &Variable,
    fills: &FillValues,
) -> Result<ArrayRef, Reason> {
    let numbers: ArrayRef = match (element.number, dtype) {
        (Number::Int8, Dtype::Int8) => Arc::new(ints_with_nulls::<Int8Type>(buffer, fills)),
        (Number::Int16, Dtype::Int16) => Arc::new(ints_with_nulls::<Int16Type>(buffer, fills)),
        (Number::Int32, Dtype::Int32) => Arc::new(ints_with_nulls::<Int32Type>(buffer, fills)),
        (Number::Int64, Dtype::Int64) => Arc::new(ints_with_nulls::<Int64Type>(buffer, fills)),
        (Number::Float32, Dtype::Float32) => Arc::new(floats_with_nulls::<Float32Type>(buffer, fills)),
        (Number::Float64, Dtype::Float64) => Arc::new(floats_with_nulls::<Float64Type>(buffer, fills)),
        (Number::Float32, Dtype::Float64) => {
            Arc::new(floats_with_nulls::<Float32Type>(buffer, fills).unary::<_, Float64Type>(f64::from))
        }
        (number, dtype) => cast(&widen(buffer, number, fills)?, dtype)?,
    };
    match list_type(variable, dtype)? {
        None => Ok(numbers),
        Some((item, width)) => Ok(Arc::new(FixedSizeListArray::try_new(item, width, numbers, None)?)),
    }
}

/// The form of a column of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeColumn {
    /// UTC nanoseconds: `delta_time`.
    UtcNanos,
    /// Seconds since 2018-01-01, as the product stores them: `delta_time_beg`, `delta_time_end`.
    ProductSeconds,
}

impl TimeColumn {
    /// `None` if the variable is not a time.
    pub(crate) fn for_variable(variable: &Variable) -> Option<Self> {
        match variable.name {
            "delta_time" => Some(Self::UtcNanos),
            "delta_time_beg" | "delta_time_end" => Some(Self::ProductSeconds),
            _ => None,
        }
    }
}

/// The column of a dataset of times, whose `buffer` holds native `element`s counted by `clock`. Times that are not near the mission are
/// NULL.
pub(crate) fn time_column(
    buffer: Buffer,
    element: Element,
    form: TimeColumn,
    clock: &Clock,
    fills: &FillValues,
) -> Result<ArrayRef, Reason> {
    let wide = widen(buffer, element.number, fills)?;
    let numbers: &mut dyn Iterator<Item = Option<Scalar>> = match &wide {
        WideNumbers::Ints(ints) => &mut ints.iter().map(|number| number.map(Scalar::Int)),
        WideNumbers::Floats(floats) => &mut floats.iter().map(|number| number.map(Scalar::Float)),
    };
    Ok(match form {
        TimeColumn::UtcNanos => {
            Arc::new(numbers.map(|number| clock.utc(number?)).collect::<TimestampNanosecondArray>())
        }
        TimeColumn::ProductSeconds => {
            Arc::new(numbers.map(|number| clock.product_seconds(number?)).collect::<Float64Array>())
        }
    })
}

/// The column of `rows` NULLs of a variable that the granule does not have.
pub(crate) fn null_column(variable: &Variable, rows: usize) -> ArrayRef {
    new_null_array(variable.field().data_type(), rows)
}

/// The element and length of a profile's list; `None` for a variable of one number per row.
fn list_type(variable: &Variable, dtype: Dtype) -> Result<Option<(Arc<Field>, i32)>, Reason> {
    if variable.width == 1 {
        return Ok(None);
    }
    let item = Arc::new(Field::new_list_field(dtype.arrow(), true));
    Ok(Some((item, i32::try_from(variable.width)?)))
}

#[cfg(test)]
mod tests;
