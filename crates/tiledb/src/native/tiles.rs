//! The tiles that ranges select, by the rectangles of fragments and of tiles, and those of them in which a condition leaves a cell.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::BooleanBuffer;

use super::array::NativeArray;
use super::fragment::{OpenFragment, side};
use super::live::LiveFragment;
use crate::error::Result;
use crate::predicate::Ranges;
use crate::request::TileRun;
use crate::schema::layout::ArrayLayout;

/// The most fragments that are searched one by one.
const UNINDEXED: usize = if cfg!(test) { 1 } else { 64 };

/// How a rectangle lies to the ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overlap {
    Outside,
    Cut,
    Inside,
}

impl NativeArray {
    /// As [`Array::tiles`](crate::Array::tiles).
    pub(crate) fn tiles(&self, ranges: &Ranges) -> Result<Vec<TileRun>> {
        let ranges = with_both_zeros(ranges, &self.layout);
        let mut runs = Vec::new();
        let overlapping = self.overlapping(&ranges);
        self.prepare(overlapping.iter().filter(|(_, overlap)| *overlap == Overlap::Cut).map(|(position, _)| *position));
        for (position, overlap) in overlapping {
            let Some(live) = self.fragments().get(position).filter(|live| live.cells > 0) else { continue };
            match overlap {
                Overlap::Outside => {}
                Overlap::Inside => {
                    let count = usize::try_from(live.cells.div_ceil(self.layout.capacity)).unwrap_or(usize::MAX);
                    runs.push(TileRun { fragment: position, first: 0, count, cells: live.cells, is_cut: false });
                }
                Overlap::Cut => cut(position, &*self.fragment(position)?, &ranges, &mut runs)?,
            }
        }
        Ok(runs)
    }

    /// As [`Array::fragments_within`](crate::Array::fragments_within).
    pub(crate) fn fragments_within(&self, ranges: &Ranges) -> Vec<usize> {
        let ranges = with_both_zeros(ranges, &self.layout);
        self.overlapping(&ranges).into_iter().map(|(position, _)| position).collect()
    }

    /// Returns the positions of the fragments that are not outside of `ranges`, ascending.
    fn overlapping(&self, ranges: &Ranges) -> Vec<(usize, Overlap)> {
        let is_indexed = ranges.dimensions().any(|dimension| dimension < 2) && self.fragments().len() > UNINDEXED;
        let mut positions = match is_indexed {
            true => self.index().candidates(ranges, &self.layout),
            false => (0..self.fragments().len()).collect(),
        };
        positions.sort_unstable();
        let overlap = |position: usize| {
            let live = self.fragments().get(position)?;
            let overlap = overlap(ranges, |dimension| recorded_side(live, dimension, &self.layout));
            (overlap != Overlap::Outside).then_some((position, overlap))
        };
        positions.into_iter().filter_map(overlap).collect()
    }
}

/// Adds the tiles of a fragment that overlap `ranges`.
fn cut(position: usize, fragment: &OpenFragment, ranges: &Ranges, runs: &mut Vec<TileRun>) -> Result<()> {
    let rectangles = fragment.rectangles()?;
    let mut last: Option<TileRun> = None;
    for tile in 0..fragment.tiles() {
        let side = |dimension: usize| rectangles.get(tile)?.get(dimension).copied();
        let is_cut = match overlap(ranges, side) {
            Overlap::Outside => {
                runs.extend(last.take());
                continue;
            }
            Overlap::Cut => true,
            Overlap::Inside => false,
        };
        let cells = fragment.cells_of(tile) as u64;
        match &mut last {
            Some(run) if run.is_cut == is_cut => {
                run.count += 1;
                run.cells += cells;
            }
            _ => runs.extend(last.replace(TileRun { fragment: position, first: tile, count: 1, cells, is_cut })),
        }
    }
    runs.extend(last);
    Ok(())
}

/// Returns how the rectangle with these sides, of keys, lies to `ranges`. A side that is not known may be anywhere.
fn overlap(ranges: &Ranges, side: impl Fn(usize) -> Option<(i64, i64)>) -> Overlap {
    let mut overlap = Overlap::Inside;
    for (dimension, intervals) in ranges.iter() {
        match side(dimension) {
            Some((low, high)) if intervals.covers(low, high) => {}
            Some((low, high)) if !intervals.iter().any(|interval| interval.0 <= high && low <= interval.1) => {
                return Overlap::Outside;
            }
            _ => overlap = Overlap::Cut,
        }
    }
    overlap
}

fn recorded_side(live: &LiveFragment, dimension: usize, layout: &ArrayLayout) -> Option<(i64, i64)> {
    let (low, high) = live.domain.get(dimension)?;
    side(layout.dimensions.get(dimension)?.domain.axis(), low, high)
}

/// Returns ranges that include −0.0 where they include 0.0, and the other way around, as in libtiledb.
pub(super) fn with_both_zeros(ranges: &Ranges, layout: &ArrayLayout) -> Ranges {
    let widened = ranges.iter().map(|(dimension, intervals)| {
        let axis = layout.dimensions.get(dimension).map(|dimension| dimension.domain.axis());
        let widened = axis.map(|axis| intervals.clone().with_whole_zeros(axis).0);
        (dimension, widened.unwrap_or_else(|| intervals.clone()))
    });
    widened.collect()
}

/// Returns the tiles in which `mask` leaves a cell, and the mask of their cells; no mask if these are all tiles.
pub(super) fn kept_tiles(
    fragment: &OpenFragment,
    tiles: &[usize],
    mask: &BooleanBuffer,
) -> (Vec<usize>, Option<BooleanBuffer>) {
    let mut kept = Vec::with_capacity(tiles.len());
    let mut kept_mask = BooleanBufferBuilder::new(mask.len());
    let mut start = 0;
    for tile in tiles {
        let own = mask.slice(start, fragment.cells_of(*tile));
        start += own.len();
        if own.count_set_bits() > 0 {
            kept.push(*tile);
            kept_mask.append_buffer(&own);
        }
    }
    if kept.len() == tiles.len() {
        return (kept, None);
    }
    (kept, Some(kept_mask.finish()))
}
