//! Replaces fill values by NULL, for numbers that are stored in the type of their column. For other numbers, `cast` does it.

use arrow::array::{ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};

use crate::decode::fill_values::{FillValues, is_not_measured};
use crate::decode::validity_bitmap::pack_validity;

/// The column of integers in `buffer`, with fills as NULL. Most variables have one fill or none.
pub(crate) fn ints_with_nulls<T: ArrowPrimitiveType>(buffer: Buffer, fills: &FillValues) -> PrimitiveArray<T>
where
    T::Native: TryFrom<i64>,
{
    let of_type = fills.ints().iter().filter_map(|&fill| T::Native::try_from(fill).ok()).collect::<Vec<_>>();
    match of_type[..] {
        [] => PrimitiveArray::new(buffer.into(), None),
        [only] => with_nulls(buffer, |value| value == only),
        _ => with_nulls(buffer, |value| of_type.contains(&value)),
    }
}

/// The column of floats in `buffer`, with fills and floats that are not measurements as NULL.
pub(crate) fn floats_with_nulls<T: ArrowPrimitiveType>(buffer: Buffer, fills: &FillValues) -> PrimitiveArray<T>
where
    f64: From<T::Native>,
{
    match fills.floats() {
        [] => with_nulls(buffer, |value: T::Native| is_not_measured(value.into())),
        _ => with_nulls(buffer, |value: T::Native| fills.is_null_float(value.into())),
    }
}

/// The column whose values are the buffer itself, without a copy.
fn with_nulls<T: ArrowPrimitiveType>(buffer: Buffer, is_null: impl Fn(T::Native) -> bool) -> PrimitiveArray<T> {
    let values = ScalarBuffer::<T::Native>::from(buffer);
    let nulls =
        Some(NullBuffer::new(pack_validity(&values, |value| !is_null(value)))).filter(|nulls| nulls.null_count() > 0);
    PrimitiveArray::new(values, nulls)
}
