//! What the metadata in memory say of a whole column.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};

use super::compare::{by_type, range};
use super::fragment::{ColumnTiles, OpenFragment};
use crate::schema::column::Column;
use crate::schema::physical::PhysicalType;

/// What is known of all cells of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSummary {
    /// The least and the greatest value, as an array of the two; `None` if they are not known, or all cells are NULL. Zero may be −0.0 or
    /// 0.0.
    pub range: Option<ArrayRef>,
    /// The number of NULLs; `None` if it is not known.
    pub nulls: Option<u64>,
}

/// A fragment, and its tiles of the column if it has it.
pub(super) type Part = (Arc<OpenFragment>, Option<Arc<ColumnTiles>>);

impl ColumnSummary {
    /// Sums up the statistics of the tiles of all fragments.
    pub(super) fn new(column: &Column, parts: &[Part]) -> Self {
        // The order of an enumeration's keys is not that of its texts.
        let is_ordered = column.enumeration.is_none();
        let range = if is_ordered { by_type!(column.value_type(), extremes(column, parts), None) } else { None };
        Self { range, nulls: parts.iter().map(nulls).sum() }
    }
}

/// The NULLs of a fragment, whose cells are all NULL if it lacks the column.
fn nulls((fragment, tiles): &Part) -> Option<u64> {
    let of_tile = |tile| tiles.as_ref().map_or(Some(fragment.cells_of(tile) as u64), |tiles| tiles.nulls(tile));
    (0..fragment.tiles()).map(of_tile).sum()
}

fn extremes<T: ArrowPrimitiveType>(column: &Column, parts: &[Part]) -> Option<ArrayRef> {
    let mut extremes: Option<(T::Native, T::Native)> = None;
    let of_column = parts.iter().filter_map(|(fragment, tiles)| Some((fragment, tiles.as_ref()?)));
    for (fragment, tiles) in of_column {
        for tile in 0..fragment.tiles() {
            let cells = fragment.cells_of(tile) as u64;
            let statistics = tiles.statistics(tile, cells);
            // The values of a tile of only NULLs mean nothing.
            if statistics.nulls? < cells {
                let (low, high) = range::<T::Native>(&statistics)?;
                let (least, greatest) = extremes.unwrap_or((low, high));
                extremes = Some((if low < least { low } else { least }, if high > greatest { high } else { greatest }));
            }
        }
    }
    let (low, high) = extremes?;
    let extremes = PrimitiveArray::<T>::from_iter_values([low, high]);
    Some(Arc::new(extremes.with_data_type(column.data_type())))
}
