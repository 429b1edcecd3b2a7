//! Conditions decided before any cell is decoded: by the statistics of tiles.

use arrow::array::{ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Float64Type, Int64Type, TimestampNanosecondType};

use super::fragment::OpenFragment;
use super::test::Test;
use super::verdict::{TileStatistics, Verdict};
use crate::error::Result;
use crate::literal::Literal;
use crate::predicate::{Axis, Intervals};
use crate::schema::layout::Dimension;
use crate::validity::bits;

/// The tests of a condition that the statistics of some tiles leave open.
pub(super) struct TileTests<'t> {
    remaining: Vec<&'t Test>,
}

impl<'t> TileTests<'t> {
    pub(super) fn new(tests: &'t [Test]) -> Self {
        Self { remaining: tests.iter().collect() }
    }

    /// Removes the tiles without a matching cell, and the tests that are true for every cell of the others.
    pub(super) fn prune(&mut self, fragment: &OpenFragment, tiles: &mut Vec<usize>) -> Result<()> {
        let mut open = Vec::with_capacity(self.remaining.len());
        for test in &self.remaining {
            let columns = fragment.columns_of(test)?;
            let mut is_open = false;
            tiles.retain(|tile| {
                let cells = fragment.cells_of(*tile) as u64;
                let verdict = test.verdict(&|column| {
                    let found = columns.iter().find(|(name, _)| *name == column.name);
                    match found.and_then(|(_, tiles)| tiles.as_ref()) {
                        Some(tiles) => tiles.statistics(*tile, cells),
                        // The fragment lacks the attribute.
                        None => TileStatistics { range: None, tile: *tile, nulls: Some(cells), cells },
                    }
                });
                is_open |= verdict == Verdict::Maybe;
                verdict != Verdict::Never
            });
            if is_open {
                open.push(*test);
            }
        }
        self.remaining = open;
        Ok(())
    }

    /// Whether a test that is open compares this column.
    pub(super) fn needs(&self, name: &str) -> bool {
        let mut is_needed = false;
        self.remaining.iter().for_each(|test| test.columns(&mut |column| is_needed |= column.name == name));
        is_needed
    }

    pub(super) fn remaining(&self) -> impl Iterator<Item = &'t Test> {
        self.remaining.iter().copied()
    }
}

/// Returns which coordinates are in `intervals`.
pub(super) fn range_mask(array: &ArrayRef, dimension: &Dimension, intervals: &Intervals) -> BooleanBuffer {
    let axis = dimension.domain.axis();
    let masks = intervals.iter().map(|(low, high)| match (axis, axis.value(low), axis.value(high)) {
        (Axis::Float64, Literal::Float(low), Literal::Float(high)) => {
            bits(array.as_primitive::<Float64Type>().values(), |cell| low <= cell && cell <= high)
        }
        (Axis::TimestampNs, ..) => {
            bits(array.as_primitive::<TimestampNanosecondType>().values(), |cell| low <= cell && cell <= high)
        }
        _ => bits(array.as_primitive::<Int64Type>().values(), |cell| low <= cell && cell <= high),
    });
    masks.reduce(|a, b| &a | &b).unwrap_or_else(|| BooleanBuffer::new_unset(array.len()))
}
