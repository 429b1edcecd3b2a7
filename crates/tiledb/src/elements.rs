//! NULL list elements: TileDB keeps one validity byte per cell, so a marker value represents a NULL element on disk.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::ArrowNativeType;

use crate::schema::column::{ElementNull, Fill};
use crate::schema::physical::PhysicalType;
use crate::validity;

/// Returns the validity of values of which NaN is NULL; `None` if none is NaN.
pub(crate) fn not_nan(physical: PhysicalType, data: &Buffer) -> Option<NullBuffer> {
    let valid = match physical {
        PhysicalType::Float32 => validity::bits(data.typed_data::<f32>(), |value| !value.is_nan()),
        _ => validity::bits(data.typed_data::<f64>(), |value| !value.is_nan()),
    };
    Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
}

/// Returns the validity of values of which those of `fill` are NULL; `None` if none is.
pub(crate) fn not_fill(physical: PhysicalType, fill: &Fill, data: &Buffer) -> Option<NullBuffer> {
    let valid = match (physical, fill) {
        // False for NaN as well. A single is compared as a double, which `first` is.
        (PhysicalType::Float32, Fill::From(first)) => {
            validity::bits(data.typed_data::<f32>(), |value| f64::from(value) < *first)
        }
        (_, Fill::From(first)) => validity::bits(data.typed_data::<f64>(), |value| value < *first),
        (_, Fill::At(bytes)) => match bytes.len() {
            1 => different(data.typed_data::<u8>(), native(bytes).map(u8::from_ne_bytes)),
            2 => different(data.typed_data::<u16>(), native(bytes).map(u16::from_ne_bytes)),
            4 => different(data.typed_data::<u32>(), native(bytes).map(u32::from_ne_bytes)),
            _ => different(data.typed_data::<u64>(), native(bytes).map(u64::from_ne_bytes)),
        },
    };
    Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
}

/// Returns the values with NaN under each NULL, and a validity byte for each: 0 for NULL and NaN.
pub(crate) fn nan_as_null(physical: PhysicalType, data: Buffer, nulls: Option<&NullBuffer>) -> (Buffer, Buffer) {
    let data = match physical {
        PhysicalType::Float32 => replace(data, nulls, Some(f32::NAN)),
        _ => replace(data, nulls, Some(f64::NAN)),
    };
    let validity = match physical {
        PhysicalType::Float32 => data.typed_data::<f32>().iter().map(|value| u8::from(!value.is_nan())).collect(),
        _ => data.typed_data::<f64>().iter().map(|value| u8::from(!value.is_nan())).collect::<Vec<u8>>(),
    };
    (data, validity.into())
}

/// Replaces NULL by NaN, and marks NaN as NULL: in cells of this type, of which a validity byte of 0 marks the NULLs.
pub(crate) fn unite_nan_and_null(physical: PhysicalType, cells: &mut [u8], validity: &mut [u8]) {
    match physical {
        PhysicalType::Float32 => {
            for (cell, valid) in cells.as_chunks_mut::<4>().0.iter_mut().zip(validity) {
                let value = f32::from_ne_bytes(*cell);
                *valid = u8::from(*valid != 0 && !value.is_nan());
                *cell = if *valid != 0 { value } else { f32::NAN }.to_ne_bytes();
            }
        }
        _ => {
            for (cell, valid) in cells.as_chunks_mut::<8>().0.iter_mut().zip(validity) {
                let value = f64::from_ne_bytes(*cell);
                *valid = u8::from(*valid != 0 && !value.is_nan());
                *cell = if *valid != 0 { value } else { f64::NAN }.to_ne_bytes();
            }
        }
    }
}

/// Returns the validity of elements read; `None` if none is NULL.
pub(crate) fn nulls(physical: PhysicalType, marker: &ElementNull, data: &Buffer) -> Option<NullBuffer> {
    let valid = match (physical, marker) {
        (PhysicalType::Float32, _) => valid(data.typed_data::<f32>(), |value| value.is_nan()),
        (_, ElementNull::Nan) => valid(data.typed_data::<f64>(), |value| value.is_nan()),
        (_, ElementNull::Bytes(bytes)) => match bytes.len() {
            1 => different(data.typed_data::<u8>(), native(bytes).map(u8::from_ne_bytes)),
            2 => different(data.typed_data::<u16>(), native(bytes).map(u16::from_ne_bytes)),
            4 => different(data.typed_data::<u32>(), native(bytes).map(u32::from_ne_bytes)),
            _ => different(data.typed_data::<u64>(), native(bytes).map(u64::from_ne_bytes)),
        },
    };
    let nulls = NullBuffer::new(valid);
    (nulls.null_count() > 0).then_some(nulls)
}

/// Returns the index of the first valid element of a valid list that equals the marker, and so would be read as NULL.
pub(crate) fn collision(
    physical: PhysicalType,
    marker: &ElementNull,
    data: &Buffer,
    nulls: Option<&NullBuffer>,
    list_is_valid: impl Fn(usize) -> bool,
) -> Option<usize> {
    let is_valid = |at: usize| nulls.is_none_or(|nulls| nulls.is_valid(at)) && list_is_valid(at);
    match (physical, marker) {
        (PhysicalType::Float32, _) => first(data.typed_data::<f32>(), |value| value.is_nan(), is_valid),
        (_, ElementNull::Nan) => first(data.typed_data::<f64>(), |value| value.is_nan(), is_valid),
        (_, ElementNull::Bytes(bytes)) => match bytes.len() {
            1 => first_equal(data.typed_data::<u8>(), native(bytes).map(u8::from_ne_bytes), is_valid),
            2 => first_equal(data.typed_data::<u16>(), native(bytes).map(u16::from_ne_bytes), is_valid),
            4 => first_equal(data.typed_data::<u32>(), native(bytes).map(u32::from_ne_bytes), is_valid),
            _ => first_equal(data.typed_data::<u64>(), native(bytes).map(u64::from_ne_bytes), is_valid),
        },
    }
}

/// Replaces NULL elements by the marker; copies only if there are any.
pub(crate) fn encode(physical: PhysicalType, marker: &ElementNull, data: Buffer, nulls: Option<&NullBuffer>) -> Buffer {
    match (physical, marker) {
        (PhysicalType::Float32, _) => replace(data, nulls, Some(f32::NAN)),
        (_, ElementNull::Nan) => replace(data, nulls, Some(f64::NAN)),
        (_, ElementNull::Bytes(bytes)) => match bytes.len() {
            1 => replace(data, nulls, native(bytes).map(u8::from_ne_bytes)),
            2 => replace(data, nulls, native(bytes).map(u16::from_ne_bytes)),
            4 => replace(data, nulls, native(bytes).map(u32::from_ne_bytes)),
            _ => replace(data, nulls, native(bytes).map(u64::from_ne_bytes)),
        },
    }
}

fn native<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn valid<T: Copy>(values: &[T], is_null: impl Fn(T) -> bool) -> BooleanBuffer {
    values.iter().map(|value| !is_null(*value)).collect()
}

fn different<T: Copy + PartialEq>(values: &[T], marker: Option<T>) -> BooleanBuffer {
    valid(values, |value| Some(value) == marker)
}

fn first<T: Copy>(values: &[T], is_marker: impl Fn(T) -> bool, is_valid: impl Fn(usize) -> bool) -> Option<usize> {
    values.iter().enumerate().position(|(at, value)| is_marker(*value) && is_valid(at))
}

fn first_equal<T: Copy + PartialEq>(
    values: &[T],
    marker: Option<T>,
    is_valid: impl Fn(usize) -> bool,
) -> Option<usize> {
    first(values, |value| Some(value) == marker, is_valid)
}

fn replace<T: ArrowNativeType>(data: Buffer, nulls: Option<&NullBuffer>, marker: Option<T>) -> Buffer {
    match (nulls, marker) {
        (Some(nulls), Some(marker)) if nulls.null_count() > 0 => {
            let replaced =
                data.typed_data::<T>().iter().zip(nulls).map(|(value, valid)| if valid { *value } else { marker });
            replaced.collect::<Vec<T>>().into()
        }
        _ => data,
    }
}
