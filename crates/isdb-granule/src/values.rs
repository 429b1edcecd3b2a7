//! From raw numbers to an Arrow column: fills become NULL, and numbers stored in another type are cast if that loses
//! nothing.

use std::sync::Arc;

use arrow::array::new_null_array;
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, FixedSizeListArray, Float64Array, PrimitiveArray, TimestampNanosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use isdb_schema::catalogue::{Dtype, Variable};

use crate::element::{Element, Number};
use crate::error::Reason;
use crate::fills::{Fills, is_no_measurement};
use crate::scalar::{Scalar, to_double, to_int, to_single};
use crate::time::Clock;
use crate::validity::bitmap;

/// The column of `variable`, whose `buffer` holds native `element`s, as numbers of type `dtype`; profiles become lists
/// with NULL elements.
pub(crate) fn column(
    buffer: Buffer,
    element: Element,
    dtype: Dtype,
    variable: &Variable,
    fills: &Fills,
) -> Result<ArrayRef, Reason> {
    let numbers: ArrayRef = match (element.number, dtype) {
        (Number::Int8, Dtype::Int8) => Arc::new(ints::<Int8Type>(buffer, fills)),
        (Number::Int16, Dtype::Int16) => Arc::new(ints::<Int16Type>(buffer, fills)),
        (Number::Int32, Dtype::Int32) => Arc::new(ints::<Int32Type>(buffer, fills)),
        (Number::Int64, Dtype::Int64) => Arc::new(ints::<Int64Type>(buffer, fills)),
        (Number::Float32, Dtype::Float32) => Arc::new(floats::<Float32Type>(buffer, fills)),
        (Number::Float64, Dtype::Float64) => Arc::new(floats::<Float64Type>(buffer, fills)),
        (Number::Float32, Dtype::Float64) => {
            Arc::new(floats::<Float32Type>(buffer, fills).unary::<_, Float64Type>(f64::from))
        }
        (number, dtype) => cast(&widen(buffer, number, fills)?, dtype)?,
    };
    match list_type(variable, dtype)? {
        None => Ok(numbers),
        Some((item, width)) => Ok(Arc::new(FixedSizeListArray::try_new(item, width, numbers, None)?)),
    }
}

/// What becomes of a dataset of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// UTC nanoseconds: `delta_time`.
    Utc,
    /// Seconds since 2018-01-01, as the product stores them: `delta_time_beg`, `delta_time_end`.
    ProductSeconds,
}

impl Time {
    /// None if the variable is no time.
    pub(crate) fn of(variable: &Variable) -> Option<Self> {
        match variable.name {
            "delta_time" => Some(Self::Utc),
            "delta_time_beg" | "delta_time_end" => Some(Self::ProductSeconds),
            _ => None,
        }
    }
}

/// The column of a dataset of times whose `buffer` holds native `element`s counted by `clock`. What is no time of the mission is
/// NULL.
pub(crate) fn time_column(
    buffer: Buffer,
    element: Element,
    time: Time,
    clock: &Clock,
    fills: &Fills,
) -> Result<ArrayRef, Reason> {
    let wide = widen(buffer, element.number, fills)?;
    let numbers: &mut dyn Iterator<Item = Option<Scalar>> = match &wide {
        Wide::Ints(ints) => &mut ints.iter().map(|number| number.map(Scalar::Int)),
        Wide::Floats(floats) => &mut floats.iter().map(|number| number.map(Scalar::Float)),
    };
    Ok(match time {
        Time::Utc => Arc::new(numbers.map(|number| clock.utc(number?)).collect::<TimestampNanosecondArray>()),
        Time::ProductSeconds => {
            Arc::new(numbers.map(|number| clock.product_seconds(number?)).collect::<Float64Array>())
        }
    })
}

/// The column of a variable that the granule does not have.
pub(crate) fn absent(variable: &Variable, rows: usize) -> ArrayRef {
    new_null_array(variable.field().data_type(), rows)
}

fn list_type(variable: &Variable, dtype: Dtype) -> Result<Option<(Arc<Field>, i32)>, Reason> {
    if variable.width == 1 {
        return Ok(None);
    }
    let item = Arc::new(Field::new_list_field(dtype.arrow(), true));
    Ok(Some((item, i32::try_from(variable.width)?)))
}

/// Integers already of the wanted type. Most variables have one fill or none.
fn ints<T: ArrowPrimitiveType>(buffer: Buffer, fills: &Fills) -> PrimitiveArray<T>
where
    T::Native: TryFrom<i64>,
{
    let of_type = fills.ints().iter().filter_map(|&fill| T::Native::try_from(fill).ok()).collect::<Vec<_>>();
    match of_type[..] {
        [] => PrimitiveArray::new(buffer.into(), None),
        [only] => same(buffer, |value| value == only),
        _ => same(buffer, |value| of_type.contains(&value)),
    }
}

/// Floats already of the wanted type.
fn floats<T: ArrowPrimitiveType>(buffer: Buffer, fills: &Fills) -> PrimitiveArray<T>
where
    f64: From<T::Native>,
{
    match fills.floats() {
        [] => same(buffer, |value: T::Native| is_no_measurement(value.into())),
        _ => same(buffer, |value: T::Native| fills.is_float(value.into())),
    }
}

/// The buffer is taken as it is.
fn same<T: ArrowPrimitiveType>(buffer: Buffer, is_null: impl Fn(T::Native) -> bool) -> PrimitiveArray<T> {
    let values = ScalarBuffer::<T::Native>::from(buffer);
    let nulls = Some(NullBuffer::new(bitmap(&values, |value| !is_null(value)))).filter(|nulls| nulls.null_count() > 0);
    PrimitiveArray::new(values, nulls)
}

/// Numbers of any stored type, exactly, with the fills taken out.
enum Wide {
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
}

fn widen(buffer: Buffer, number: Number, fills: &Fills) -> Result<Wide, Reason> {
    fn wide_ints<T: ArrowPrimitiveType>(buffer: Buffer, fills: &Fills) -> Result<Wide, Reason>
    where
        i64: TryFrom<T::Native>,
    {
        let values = ScalarBuffer::<T::Native>::from(buffer);
        let wide = values.iter().map(|&value| {
            let value = i64::try_from(value).map_err(|_| "a number above 2^63")?;
            Ok((!fills.is_int(value)).then_some(value))
        });
        wide.collect::<Result<_, &str>>().map(Wide::Ints).map_err(Reason::from)
    }
    fn wide_floats<T: ArrowPrimitiveType>(buffer: Buffer, fills: &Fills) -> Wide
    where
        f64: From<T::Native>,
    {
        let values = ScalarBuffer::<T::Native>::from(buffer);
        Wide::Floats(values.iter().map(|&value| f64::from(value)).map(|v| (!fills.is_float(v)).then_some(v)).collect())
    }
    match number {
        Number::Int8 => wide_ints::<Int8Type>(buffer, fills),
        Number::Int16 => wide_ints::<Int16Type>(buffer, fills),
        Number::Int32 => wide_ints::<Int32Type>(buffer, fills),
        Number::Int64 => wide_ints::<Int64Type>(buffer, fills),
        Number::UInt8 => wide_ints::<UInt8Type>(buffer, fills),
        Number::UInt16 => wide_ints::<UInt16Type>(buffer, fills),
        Number::UInt32 => wide_ints::<UInt32Type>(buffer, fills),
        Number::UInt64 => wide_ints::<UInt64Type>(buffer, fills),
        Number::Float32 => Ok(wide_floats::<Float32Type>(buffer, fills)),
        Number::Float64 => Ok(wide_floats::<Float64Type>(buffer, fills)),
    }
}

fn cast(wide: &Wide, dtype: Dtype) -> Result<ArrayRef, Reason> {
    match dtype {
        Dtype::Int8 => narrow::<Int8Type>(wide, to_int),
        Dtype::Int16 => narrow::<Int16Type>(wide, to_int),
        Dtype::Int32 => narrow::<Int32Type>(wide, to_int),
        Dtype::Int64 => narrow::<Int64Type>(wide, to_int),
        Dtype::Float32 => narrow::<Float32Type>(wide, to_single),
        Dtype::Float64 => narrow::<Float64Type>(wide, to_double),
    }
}

fn narrow<T: ArrowPrimitiveType>(wide: &Wide, exact: impl Fn(Scalar) -> Option<T::Native>) -> Result<ArrayRef, Reason> {
    let to = |value: Option<Scalar>| match value {
        None => Ok(None),
        Some(value) => match exact(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Reason::from(format!("a value does not fit {}", T::DATA_TYPE))),
        },
    };
    let values: Vec<Option<T::Native>> = match wide {
        Wide::Ints(ints) => ints.iter().map(|v| to(v.map(Scalar::Int))).collect::<Result<_, _>>()?,
        Wide::Floats(floats) => floats.iter().map(|v| to(v.map(Scalar::Float))).collect::<Result<_, _>>()?,
    };
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values)))
}

#[cfg(test)]
mod tests;
