//! The order in which tiles are visited.

use std::cmp::Ordering;

use arrow::datatypes::ArrowPrimitiveType;

use super::array::NativeArray;
use super::compare::by_type;
use super::verdict::TileStatistics;
use crate::error::Result;
use crate::request::TileOrder;
use crate::request::TileRun;
use crate::schema::physical::PhysicalType;

/// Returns the tiles of `runs`, one by one, by the largest or smallest value of an attribute. As they are, if their statistics do not
/// say.
pub(super) fn in_order(array: &NativeArray, order: &TileOrder, runs: Vec<TileRun>) -> Result<Vec<TileRun>> {
    let column = array.column(&order.column)?;
    by_type!(column.value_type(), sorted(array, order, runs), Ok(runs))
}

fn sorted<T: ArrowPrimitiveType>(array: &NativeArray, order: &TileOrder, runs: Vec<TileRun>) -> Result<Vec<TileRun>> {
    let column = array.column(&order.column)?;
    let mut tiles: Vec<(Option<T::Native>, TileRun)> = Vec::with_capacity(runs.len());
    for run in &runs {
        let fragment = array.fragment(run.fragment)?;
        let statistics = fragment.column(column)?;
        let mut rest = *run;
        while rest.count > 0 {
            let (tile, others) = rest.split_at(1, fragment.capacity() as u64);
            // A fragment without the attribute has only NULL.
            let extreme = match &statistics {
                Some(statistics) => match extreme::<T>(&statistics.statistics(tile.first, tile.cells), order) {
                    Extreme::Unknown => return Ok(runs),
                    Extreme::None => None,
                    Extreme::Value(value) => Some(value),
                },
                None => None,
            };
            tiles.push((extreme, tile));
            rest = others;
        }
    }
    tiles.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => {
            let ascending = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            if order.descending { ascending.reverse() } else { ascending }
        }
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (None, None) => Ordering::Equal,
    });
    Ok(tiles.into_iter().map(|(_, tile)| tile).collect())
}

enum Extreme<T> {
    Unknown,
    /// All cells are NULL.
    None,
    Value(T),
}

fn extreme<T: ArrowPrimitiveType>(statistics: &TileStatistics<'_>, order: &TileOrder) -> Extreme<T::Native> {
    if statistics.nulls.is_some_and(|nulls| nulls >= statistics.cells) {
        return Extreme::None;
    }
    let Some((low, high)) = statistics.range else { return Extreme::Unknown };
    let values = if order.descending { high } else { low };
    values.typed_data::<T::Native>().get(statistics.tile).map_or(Extreme::Unknown, |value| Extreme::Value(*value))
}
