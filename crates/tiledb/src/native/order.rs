//! The order in which tiles are visited.

use std::cmp::Ordering;

use arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType};

use super::array::NativeArray;
use super::compare::by_type;
use super::verdict::TileStatistics;
use crate::error::Result;
use crate::request::TileOrder;
use crate::request::TileRun;
use crate::schema::physical::PhysicalType;

/// Returns the tiles of `runs`, one by one, by the largest or smallest value of an attribute, or by their NULLs before that. As they
/// are, if their statistics do not say.
pub(super) fn in_order(array: &NativeArray, order: &TileOrder, runs: Vec<TileRun>) -> Result<Vec<TileRun>> {
    let column = array.column(&order.column)?;
    by_type!(column.value_type(), sorted(array, order, runs), Ok(runs))
}

fn sorted<T: ArrowPrimitiveType>(array: &NativeArray, order: &TileOrder, runs: Vec<TileRun>) -> Result<Vec<TileRun>> {
    let column = array.column(&order.column)?;
    let mut tiles: Vec<(Rank<T::Native>, TileRun)> = Vec::with_capacity(runs.len());
    array.prepare(runs.iter().map(|run| run.fragment));
    for run in &runs {
        let fragment = array.fragment(run.fragment)?;
        let statistics = fragment.column(column)?;
        let mut rest = *run;
        while rest.count > 0 {
            let (tile, others) = rest.split_at(1, fragment.capacity() as u64);
            let rank = match &statistics {
                Some(statistics) => Rank::new(&statistics.statistics(tile.first, tile.cells), order),
                None => Some(Rank::of_nulls(tile.cells, order)),
            };
            let Some(rank) = rank else { return Ok(runs) };
            tiles.push((rank, tile));
            rest = others;
        }
    }
    tiles.sort_by(|(a, _), (b, _)| a.compare(b, order.descending));
    Ok(tiles.into_iter().map(|(_, tile)| tile).collect())
}

/// What decides the place of a tile.
struct Rank<T> {
    /// The number of NULLs if they come first, else 0.
    first_nulls: u64,
    /// The extreme value; `None` if all cells are NULL.
    extreme: Option<T>,
}

impl<T: ArrowNativeType + PartialOrd> Rank<T> {
    /// Returns the rank of a tile; `None` if its statistics do not say.
    fn new(statistics: &TileStatistics<'_>, order: &TileOrder) -> Option<Self> {
        let nulls = statistics.nulls.unwrap_or(0);
        if nulls >= statistics.cells {
            return Some(Self::of_nulls(nulls, order));
        }
        let (low, high) = statistics.range?;
        let values = if order.descending { high } else { low };
        let extreme = *values.typed_data::<T>().get(statistics.tile)?;
        Some(Self { extreme: Some(extreme), ..Self::of_nulls(nulls, order) })
    }

    /// The rank of a tile without a value.
    fn of_nulls(nulls: u64, order: &TileOrder) -> Self {
        Self { first_nulls: if order.nulls_first { nulls } else { 0 }, extreme: None }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let by_value = match (self.extreme, other.extreme) {
            (Some(a), Some(b)) => {
                let ascending = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
                if descending { ascending.reverse() } else { ascending }
            }
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (None, None) => Ordering::Equal,
        };
        other.first_nulls.cmp(&self.first_nulls).then(by_value)
    }
}
