//! Comparisons of a column's values with literals of its type: of the ranges of tiles, and of cells.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::datatypes::ArrowNativeType;

use super::verdict::{TileStatistics, Verdict};
use crate::predicate::Op;
use crate::schema::physical::PhysicalType;
use crate::validity::bits;

/// Calls a function that is generic over Arrow's primitive types with the one that represents `$physical`.
macro_rules! by_type {
    ($physical:expr, $function:ident($($argument:expr),*), $other:expr) => {
        match $physical {
            PhysicalType::Int8 => $function::<arrow::datatypes::Int8Type>($($argument),*),
            PhysicalType::Int16 => $function::<arrow::datatypes::Int16Type>($($argument),*),
            PhysicalType::Int32 => $function::<arrow::datatypes::Int32Type>($($argument),*),
            PhysicalType::Int64 => $function::<arrow::datatypes::Int64Type>($($argument),*),
            PhysicalType::UInt8 => $function::<arrow::datatypes::UInt8Type>($($argument),*),
            PhysicalType::UInt16 => $function::<arrow::datatypes::UInt16Type>($($argument),*),
            PhysicalType::UInt32 => $function::<arrow::datatypes::UInt32Type>($($argument),*),
            PhysicalType::UInt64 => $function::<arrow::datatypes::UInt64Type>($($argument),*),
            PhysicalType::Float32 => $function::<arrow::datatypes::Float32Type>($($argument),*),
            PhysicalType::Float64 => $function::<arrow::datatypes::Float64Type>($($argument),*),
            PhysicalType::TimestampNs => $function::<arrow::datatypes::TimestampNanosecondType>($($argument),*),
            PhysicalType::Bool | PhysicalType::Text => $other,
        }
    };
}
pub(super) use by_type;

/// The values of a set.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// Values of a primitive type, ascending; Booleans as bytes.
    Primitive(Buffer),
    /// Text, ascending.
    Text(Vec<Vec<u8>>),
}

pub(super) fn sorted<T: ArrowPrimitiveType>(values: Vec<Vec<u8>>) -> Values {
    let values = Buffer::from(values.concat().as_slice());
    let mut values = values.typed_data::<T::Native>().to_vec();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    Values::Primitive(Buffer::from_vec(values))
}

pub(super) fn sorted_bytes(physical: PhysicalType, mut values: Vec<Vec<u8>>) -> Values {
    values.sort_unstable();
    if physical == PhysicalType::Text { Values::Text(values) } else { Values::Primitive(values.concat().into()) }
}

/// Returns the lowest and highest value of the tile, if they are known and in order. NaN is in no order.
pub(super) fn range<T: ArrowNativeType>(statistics: &TileStatistics<'_>) -> Option<(T, T)> {
    let (low, high) = statistics.range?;
    let (low, high) = (low.typed_data::<T>().get(statistics.tile)?, high.typed_data::<T>().get(statistics.tile)?);
    (low <= high).then_some((*low, *high))
}

pub(super) fn compare_range<T: ArrowPrimitiveType>(op: Op, value: &Buffer, statistics: &TileStatistics<'_>) -> Verdict {
    let value = value.typed_data::<T::Native>().first();
    let (Some((low, high)), Some(value)) = (range::<T::Native>(statistics), value) else { return Verdict::Maybe };
    let (is_never, is_always) = match op {
        Op::Eq => (*value < low || high < *value, low == *value && high == *value),
        Op::NotEq => (low == *value && high == *value, *value < low || high < *value),
        Op::Lt => (low >= *value, high < *value),
        Op::LtEq => (low > *value, high <= *value),
        Op::Gt => (high <= *value, low > *value),
        Op::GtEq => (high < *value, low >= *value),
    };
    match (is_never, is_always) {
        (true, _) => Verdict::Never,
        (_, true) => Verdict::Always,
        _ => Verdict::Maybe,
    }
}

pub(super) fn search_range<T: ArrowPrimitiveType>(
    values: &Buffer,
    negated: bool,
    statistics: &TileStatistics<'_>,
) -> Verdict {
    let values = values.typed_data::<T::Native>();
    let Some((low, high)) = range::<T::Native>(statistics) else { return Verdict::Maybe };
    let first = values.partition_point(|value| *value < low);
    match values.get(first) {
        Some(value) if *value <= high && low == high => Verdict::from(!negated),
        Some(value) if *value <= high => Verdict::Maybe,
        _ => Verdict::from(negated),
    }
}

/// Clears the bits of NULL.
pub(super) fn valid(array: &ArrayRef, mask: BooleanBuffer) -> BooleanBuffer {
    array.nulls().map_or_else(|| mask.clone(), |nulls| &mask & nulls.inner())
}

pub(super) fn compare<T: ArrowPrimitiveType>(array: &ArrayRef, op: Op, value: &Buffer) -> BooleanBuffer {
    let values = array.as_primitive::<T>().values();
    let Some(value) = value.typed_data::<T::Native>().first().copied() else {
        return BooleanBuffer::new_unset(array.len());
    };
    match op {
        Op::Eq => bits(values, |cell| cell == value),
        Op::NotEq => bits(values, |cell| cell != value),
        Op::Lt => bits(values, |cell| cell < value),
        Op::LtEq => bits(values, |cell| cell <= value),
        Op::Gt => bits(values, |cell| cell > value),
        Op::GtEq => bits(values, |cell| cell >= value),
    }
}

pub(super) fn search<T: ArrowPrimitiveType>(array: &ArrayRef, values: &Buffer) -> BooleanBuffer {
    let values = values.typed_data::<T::Native>();
    let order = |a: &T::Native, b: &T::Native| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Less);
    bits(array.as_primitive::<T>().values(), |cell| values.binary_search_by(|value| order(value, &cell)).is_ok())
}

pub(super) fn compare_other(array: &ArrayRef, op: Op, value: &Buffer) -> BooleanBuffer {
    if let Some(cells) = array.as_boolean_opt() {
        let (unset, set) = (op.holds([0].as_slice().cmp(value)), op.holds([1].as_slice().cmp(value)));
        return match (unset, set) {
            (true, true) => BooleanBuffer::new_set(cells.len()),
            (false, true) => cells.values().clone(),
            (true, false) => !cells.values(),
            (false, false) => BooleanBuffer::new_unset(cells.len()),
        };
    }
    let Some(cells) = array.as_string_opt::<i64>() else { return BooleanBuffer::new_unset(array.len()) };
    BooleanBuffer::collect_bool(cells.len(), |at| op.holds(cells.value(at).as_bytes().cmp(value)))
}

pub(super) fn search_bits(array: &ArrayRef, values: &Buffer) -> BooleanBuffer {
    let Some(cells) = array.as_boolean_opt() else { return BooleanBuffer::new_unset(array.len()) };
    match (values.contains(&0), values.contains(&1)) {
        (true, true) => BooleanBuffer::new_set(cells.len()),
        (true, false) => !cells.values(),
        (false, true) => cells.values().clone(),
        (false, false) => BooleanBuffer::new_unset(cells.len()),
    }
}

pub(super) fn search_text(array: &ArrayRef, values: &[Vec<u8>]) -> BooleanBuffer {
    let Some(cells) = array.as_string_opt::<i64>() else { return BooleanBuffer::new_unset(array.len()) };
    BooleanBuffer::collect_bool(cells.len(), |at| {
        values.binary_search_by(|value| value.as_slice().cmp(cells.value(at).as_bytes())).is_ok()
    })
}
