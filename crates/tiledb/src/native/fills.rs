//! Statistics of tiles of a column in which some values are NULL although they are stored as values, which the statistics count as such.

use arrow::array::{ArrowNativeTypeOp, ArrowPrimitiveType};
use arrow::buffer::Buffer;
use arrow::datatypes::ArrowNativeType;

use super::compare::by_type;
use crate::predicate::single_below;
use crate::schema::column::{Column, Fill};
use crate::schema::physical::PhysicalType;

/// The number of NULLs of a tile that is not known.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// The smallest and the largest value of each tile, and its number of NULLs.
pub(super) type FillStatistics = (Option<(Buffer, Buffer)>, Vec<u64>);

/// Returns what the stored statistics of a column say of its values that are not NULL: `ranges` have the smallest and the largest value
/// of each tile, `sums` the bits of the sums of floats, and `cells` the numbers of cells.
///
/// The smallest and largest floats of a tile with NaN mean nothing, because libtiledb compares each value with those before it. Such a
/// tile has NaN as its sum, and so the values of a tile without a finite sum are unknown: its range is empty.
pub(super) fn statistics(
    column: &Column,
    fill: &Fill,
    ranges: Option<(Buffer, Buffer)>,
    sums: Option<Vec<u64>>,
    cells: &[u64],
) -> FillStatistics {
    let unknown = || (None, vec![UNKNOWN; cells.len()]);
    let Some((low, high)) = ranges else { return unknown() };
    match (column.physical, fill) {
        (PhysicalType::Float32, Fill::From(first)) => {
            let below = single_below(*first);
            let below = if f64::from(below) < *first { below } else { below.next_down() };
            let (low, high) = (low.typed_data::<f32>(), high.typed_data::<f32>());
            floats(low, high, below, (f32::MAX, f32::MIN), sums, cells)
        }
        (PhysicalType::Float64, Fill::From(first)) => {
            let (low, high) = (low.typed_data::<f64>(), high.typed_data::<f64>());
            floats(low, high, first.next_down(), (f64::MAX, f64::MIN), sums, cells)
        }
        (physical, Fill::At(fill)) => by_type!(physical, integers(&low, &high, fill, cells), unknown()),
        _ => unknown(),
    }
}

/// `below` is the largest value that is not NULL, and `nothing` a range without values.
fn floats<T: ArrowNativeType + PartialOrd>(
    low: &[T],
    high: &[T],
    below: T,
    nothing: (T, T),
    sums: Option<Vec<u64>>,
    cells: &[u64],
) -> FillStatistics {
    let sums = sums.unwrap_or_default();
    let of_tile = |tile: usize, (low, high): (T, T)| {
        let sum = sums.get(tile).map_or(f64::NAN, |bits| f64::from_bits(*bits));
        // A sum that would be infinite is the largest number instead, and what follows is not added.
        if !sum.is_finite() || sum.abs() == f64::MAX {
            (nothing, UNKNOWN)
        } else if low > below {
            (nothing, cells.get(tile).copied().unwrap_or(UNKNOWN))
        } else if high > below {
            ((low, below), UNKNOWN)
        } else {
            ((low, high), 0)
        }
    };
    collected(low, high, of_tile)
}

fn integers<T: ArrowPrimitiveType>(low: &Buffer, high: &Buffer, fill: &[u8], cells: &[u64]) -> FillStatistics {
    let fill = Buffer::from(fill);
    let Some(fill) = fill.typed_data::<T::Native>().first().copied() else { return (None, vec![UNKNOWN; cells.len()]) };
    let one = T::Native::ONE;
    let of_tile = |tile: usize, (low, high): (T::Native, T::Native)| {
        if low == fill && high == fill {
            ((low, high), cells.get(tile).copied().unwrap_or(UNKNOWN))
        } else if low == fill {
            ((fill.add_wrapping(one), high), UNKNOWN)
        } else if high == fill {
            ((low, fill.sub_wrapping(one)), UNKNOWN)
        } else {
            ((low, high), if low < fill && fill < high { UNKNOWN } else { 0 })
        }
    };
    collected(low.typed_data::<T::Native>(), high.typed_data::<T::Native>(), of_tile)
}

fn collected<T: ArrowNativeType>(
    low: &[T],
    high: &[T],
    of_tile: impl Fn(usize, (T, T)) -> ((T, T), u64),
) -> FillStatistics {
    let (mut lows, mut highs, mut nulls) = (Vec::with_capacity(low.len()), Vec::with_capacity(low.len()), Vec::new());
    for (tile, (low, high)) in low.iter().zip(high).enumerate() {
        let ((low, high), count) = of_tile(tile, (*low, *high));
        lows.push(low);
        highs.push(high);
        nulls.push(count);
    }
    (Some((Buffer::from_vec(lows), Buffer::from_vec(highs))), nulls)
}
