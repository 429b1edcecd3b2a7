//! NULL inside lists: TileDB keeps one validity byte per cell, so an element is NULL on disk by its value.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::ArrowNativeType;

use crate::column::{ElementNull, Physical};

/// Which elements read are NULL; `None` if none is.
pub(crate) fn nulls(physical: Physical, marker: &ElementNull, data: &Buffer) -> Option<NullBuffer> {
    let valid = match (physical, marker) {
        (Physical::Float32, _) => valid(data.typed_data::<f32>(), |value| value.is_nan()),
        (_, ElementNull::Nan) => valid(data.typed_data::<f64>(), |value| value.is_nan()),
        (_, ElementNull::Bytes(bytes)) => match bytes.len() {
            1 => equal(data.typed_data::<u8>(), native(bytes).map(u8::from_ne_bytes)),
            2 => equal(data.typed_data::<u16>(), native(bytes).map(u16::from_ne_bytes)),
            4 => equal(data.typed_data::<u32>(), native(bytes).map(u32::from_ne_bytes)),
            _ => equal(data.typed_data::<u64>(), native(bytes).map(u64::from_ne_bytes)),
        },
    };
    let nulls = NullBuffer::new(valid);
    (nulls.null_count() > 0).then_some(nulls)
}

/// The elements to write, each NULL replaced by its marker; copied only if one is NULL.
///
/// # Errors
/// The index of the first element that is not NULL, lies in no NULL list and equals the marker.
pub(crate) fn encode(
    physical: Physical,
    marker: &ElementNull,
    data: Buffer,
    nulls: Option<&NullBuffer>,
    list_is_valid: impl Fn(usize) -> bool,
) -> Result<Buffer, usize> {
    match (physical, marker) {
        (Physical::Float32, _) => replace(data, nulls, f32::NAN, |value: f32| value.is_nan(), list_is_valid),
        (_, ElementNull::Nan) => replace(data, nulls, f64::NAN, |value: f64| value.is_nan(), list_is_valid),
        (_, ElementNull::Bytes(bytes)) => match bytes.len() {
            1 => integers(data, nulls, native(bytes).map(u8::from_ne_bytes), list_is_valid),
            2 => integers(data, nulls, native(bytes).map(u16::from_ne_bytes), list_is_valid),
            4 => integers(data, nulls, native(bytes).map(u32::from_ne_bytes), list_is_valid),
            _ => integers(data, nulls, native(bytes).map(u64::from_ne_bytes), list_is_valid),
        },
    }
}

fn native<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn valid<T: Copy>(values: &[T], is_null: impl Fn(T) -> bool) -> BooleanBuffer {
    values.iter().map(|value| !is_null(*value)).collect()
}

fn equal<T: Copy + PartialEq>(values: &[T], marker: Option<T>) -> BooleanBuffer {
    valid(values, |value| Some(value) == marker)
}

fn integers<T: ArrowNativeType>(
    data: Buffer,
    nulls: Option<&NullBuffer>,
    marker: Option<T>,
    list_is_valid: impl Fn(usize) -> bool,
) -> Result<Buffer, usize> {
    match marker {
        Some(marker) => replace(data, nulls, marker, |value| value == marker, list_is_valid),
        None => Ok(data),
    }
}

fn replace<T: ArrowNativeType>(
    data: Buffer,
    nulls: Option<&NullBuffer>,
    marker: T,
    is_marker: impl Fn(T) -> bool,
    list_is_valid: impl Fn(usize) -> bool,
) -> Result<Buffer, usize> {
    let values = data.typed_data::<T>();
    let is_valid = |at: usize| nulls.is_none_or(|nulls| nulls.is_valid(at));
    let collides = |(at, value): (usize, &T)| is_marker(*value) && is_valid(at) && list_is_valid(at);
    if let Some(at) = values.iter().enumerate().position(collides) {
        return Err(at);
    }
    match nulls {
        Some(nulls) if nulls.null_count() > 0 => {
            let replaced = values.iter().zip(nulls).map(|(value, valid)| if valid { *value } else { marker });
            Ok(replaced.collect::<Vec<T>>().into())
        }
        _ => Ok(data),
    }
}
