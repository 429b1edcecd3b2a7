//! Exact casts of a column's numbers from the type in which they are stored to the catalogue's type. Fills become NULL on the way.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use isdb_schema::catalogue::Dtype;

use crate::decode::element::Number;
use crate::decode::fill_values::FillValues;
use crate::decode::scalar::{Scalar, to_double, to_int, to_single};
use crate::error::Reason;

/// Numbers of any stored type in the widest type of their kind, which holds them exactly; fills are `None`.
pub(crate) enum WideNumbers {
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
}

/// Widens the native numbers in `buffer`.
pub(crate) fn widen(buffer: Buffer, number: Number, fills: &FillValues) -> Result<WideNumbers, Reason> {
    fn wide_ints<T: ArrowPrimitiveType>(buffer: Buffer, fills: &FillValues) -> Result<WideNumbers, Reason>
    where
        i64: TryFrom<T::Native>,
    {
        let values = ScalarBuffer::<T::Native>::from(buffer);
        let wide = values.iter().map(|&value| {
            let value = i64::try_from(value).map_err(|_| "a number above 2^63")?;
            Ok((!fills.is_null_int(value)).then_some(value))
        });
        wide.collect::<Result<_, &str>>().map(WideNumbers::Ints).map_err(Reason::from)
    }
    fn wide_floats<T: ArrowPrimitiveType>(buffer: Buffer, fills: &FillValues) -> WideNumbers
    where
        f64: From<T::Native>,
    {
        let values = ScalarBuffer::<T::Native>::from(buffer);
        WideNumbers::Floats(
            values.iter().map(|&value| f64::from(value)).map(|v| (!fills.is_null_float(v)).then_some(v)).collect(),
        )
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

/// The column of type `dtype`; an error if a number has no exact value in it.
pub(crate) fn cast(wide: &WideNumbers, dtype: Dtype) -> Result<ArrayRef, Reason> {
    match dtype {
        Dtype::Int8 => narrow::<Int8Type>(wide, to_int),
        Dtype::Int16 => narrow::<Int16Type>(wide, to_int),
        Dtype::Int32 => narrow::<Int32Type>(wide, to_int),
        Dtype::Int64 => narrow::<Int64Type>(wide, to_int),
        Dtype::Float32 => narrow::<Float32Type>(wide, to_single),
        Dtype::Float64 => narrow::<Float64Type>(wide, to_double),
    }
}

fn narrow<T: ArrowPrimitiveType>(
    wide: &WideNumbers,
    exact: impl Fn(Scalar) -> Option<T::Native>,
) -> Result<ArrayRef, Reason> {
    let to = |value: Option<Scalar>| match value {
        None => Ok(None),
        Some(value) => match exact(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Reason::from(format!("a value does not fit {}", T::DATA_TYPE))),
        },
    };
    let values: Vec<Option<T::Native>> = match wide {
        WideNumbers::Ints(ints) => ints.iter().map(|v| to(v.map(Scalar::Int))).collect::<Result<_, _>>()?,
        WideNumbers::Floats(floats) => floats.iter().map(|v| to(v.map(Scalar::Float))).collect::<Result<_, _>>()?,
    };
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values)))
}
