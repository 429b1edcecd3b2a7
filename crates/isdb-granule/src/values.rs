//! From raw numbers to an Arrow column: what is NULL is decided here, and numbers stored in another type are cast if that
//! loses nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, FixedSizeListArray, PrimitiveArray, new_null_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use isdb_schema::catalogue::{Dtype, Fill, Variable};

use crate::element::{Element, Number};
use crate::error::Reason;

/// A float at or above this is no measurement, whatever the attributes say: the product's fill is the largest single.
const NO_MEASUREMENT: f32 = 3.4e38;

/// The values of one variable that mean "nothing measured".
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Fills {
    ints: [Option<i64>; 2],
    floats: [Option<f64>; 2],
}

impl Fills {
    /// The `_FillValue` attribute and the catalogue's fill. Zero is a value, and so is whatever the catalogue lists as a
    /// flag (−1 in `msw_flag` and its like).
    pub(crate) fn new(variable: &Variable, attribute: Option<&hdf5::AttrValue>) -> Self {
        let ints = [attribute.and_then(hdf5::AttrValue::as_i64), int_of(variable.fill)];
        let floats = [attribute.and_then(hdf5::AttrValue::as_f64), float_of(variable.fill)];
        let is_flag = |value: f64| variable.flag_values.split_whitespace().any(|flag| flag.parse() == Ok(value));
        Self {
            ints: ints.map(|fill| fill.filter(|&value| value != 0 && !is_flag(value as f64))),
            floats: floats.map(|fill| fill.filter(|&value| value != 0.0 && !is_flag(value))),
        }
    }

    fn int(&self, value: i64) -> bool {
        self.ints.contains(&Some(value))
    }

    fn float(&self, value: f64) -> bool {
        value.is_nan() || value >= f64::from(NO_MEASUREMENT) || self.floats.contains(&Some(value))
    }
}

fn int_of(fill: Option<Fill>) -> Option<i64> {
    match fill {
        Some(Fill::Int(fill)) => Some(fill),
        _ => None,
    }
}

/// An integer fill of the catalogue also counts where a clip tool turned the integers into floats.
fn float_of(fill: Option<Fill>) -> Option<f64> {
    fill.map(|fill| match fill {
        Fill::Int(fill) => fill as f64,
        Fill::Float(fill) => f64::from(fill),
    })
}

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
        (Number::Int8, Dtype::Int8) => same::<Int8Type>(buffer, |v| fills.int(v.into())),
        (Number::Int16, Dtype::Int16) => same::<Int16Type>(buffer, |v| fills.int(v.into())),
        (Number::Int32, Dtype::Int32) => same::<Int32Type>(buffer, |v| fills.int(v.into())),
        (Number::Int64, Dtype::Int64) => same::<Int64Type>(buffer, |v| fills.int(v)),
        (Number::Float32, Dtype::Float32) => same::<Float32Type>(buffer, |v| fills.float(v.into())),
        (Number::Float64, Dtype::Float64) => same::<Float64Type>(buffer, |v| fills.float(v)),
        (number, dtype) => cast(&widen(buffer, number, fills)?, dtype)?,
    };
    match list_type(variable, dtype)? {
        None => Ok(numbers),
        Some((item, width)) => Ok(Arc::new(FixedSizeListArray::try_new(item, width, numbers, None)?)),
    }
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

/// Numbers already of the wanted type: the buffer is taken as it is.
fn same<T: ArrowPrimitiveType>(buffer: Buffer, is_null: impl Fn(T::Native) -> bool) -> ArrayRef {
    let values = ScalarBuffer::<T::Native>::from(buffer);
    let valid = BooleanBuffer::collect_bool(values.len(), |i| values.get(i).is_some_and(|&value| !is_null(value)));
    let nulls = NullBuffer::new(valid);
    Arc::new(PrimitiveArray::<T>::new(values, (nulls.null_count() > 0).then_some(nulls)))
}

/// Numbers of any stored type, exactly, with the fills taken out.
enum Wide {
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
}

fn widen(buffer: Buffer, number: Number, fills: &Fills) -> Result<Wide, Reason> {
    fn ints<T: ArrowPrimitiveType>(buffer: Buffer, fills: &Fills) -> Result<Wide, Reason>
    where
        i64: TryFrom<T::Native>,
    {
        let values = ScalarBuffer::<T::Native>::from(buffer);
        let wide = values.iter().map(|&value| {
            let value = i64::try_from(value).map_err(|_| "a number above 2^63")?;
            Ok((!fills.int(value)).then_some(value))
        });
        wide.collect::<Result<_, &str>>().map(Wide::Ints).map_err(Reason::from)
    }
    fn floats<T: ArrowPrimitiveType>(buffer: Buffer, fills: &Fills) -> Wide
    where
        f64: From<T::Native>,
    {
        let values = ScalarBuffer::<T::Native>::from(buffer);
        Wide::Floats(values.iter().map(|&value| f64::from(value)).map(|v| (!fills.float(v)).then_some(v)).collect())
    }
    match number {
        Number::Int8 => ints::<Int8Type>(buffer, fills),
        Number::Int16 => ints::<Int16Type>(buffer, fills),
        Number::Int32 => ints::<Int32Type>(buffer, fills),
        Number::Int64 => ints::<Int64Type>(buffer, fills),
        Number::UInt8 => ints::<UInt8Type>(buffer, fills),
        Number::UInt16 => ints::<UInt16Type>(buffer, fills),
        Number::UInt32 => ints::<UInt32Type>(buffer, fills),
        Number::UInt64 => ints::<UInt64Type>(buffer, fills),
        Number::Float32 => Ok(floats::<Float32Type>(buffer, fills)),
        Number::Float64 => Ok(floats::<Float64Type>(buffer, fills)),
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

/// One number that was stored in another type.
#[derive(Clone, Copy)]
enum Scalar {
    Int(i64),
    Float(f64),
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

#[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
fn to_int<T: TryFrom<i64>>(value: Scalar) -> Option<T> {
    let int = match value {
        Scalar::Int(int) => int,
        // 2^63 and above would saturate to a different number that compares equal as a double
        Scalar::Float(float) => (float.abs() < 9.2e18).then_some(float as i64).filter(|&int| int as f64 == float)?,
    };
    T::try_from(int).ok()
}

#[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
fn to_single(value: Scalar) -> Option<f32> {
    let double = to_double(value)?;
    let single = double as f32;
    (f64::from(single) == double).then_some(single)
}

fn to_double(value: Scalar) -> Option<f64> {
    match value {
        Scalar::Int(int) => Some(int as f64).filter(|double| int.unsigned_abs() <= 1 << 53 && double.is_finite()),
        Scalar::Float(float) => Some(float),
    }
}

#[cfg(test)]
mod tests;
