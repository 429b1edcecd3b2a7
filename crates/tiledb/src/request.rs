//! Read requests: columns, ranges and condition.

use crate::predicate::{DimensionRange, Predicate};

/// An order in which to visit tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileOrder {
    /// An attribute.
    pub column: String,
    /// Whether tiles with the largest values come first, else those with the smallest.
    pub descending: bool,
    /// Whether tiles with NULL come before all others, those with most of them first.
    pub nulls_first: bool,
}

/// The cells and columns to read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRequest {
    /// The columns, in the order of the batches. If empty, batches have row counts but no columns.
    pub columns: Vec<String>,
    /// Closed ranges of dimensions. Several on one dimension are a union, those on different dimensions an intersection; a
    /// dimension without any is read whole.
    pub ranges: Vec<DimensionRange>,
    /// The condition on cells; `None` reads all.
    pub condition: Option<Predicate>,
    /// The tiles to read, some of those that [`Array::tiles`](crate::Array::tiles) returned for the same ranges; `None` reads all of
    /// them. Ignored where that returned none.
    pub tiles: Option<Vec<TileRun>>,
    /// The attribute whose extreme values a reader by tile returns early, if the statistics of tiles say; `None` for no preference.
    pub order: Option<TileOrder>,
    /// The maximum number of rows per batch (at least 1). Buffers are sized for this many rows, or for some ten thousand if
    /// that is more; several batches then share their memory.
    pub batch_rows: usize,
}

/// Tiles of one fragment that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileRun {
    /// The fragment's position in the list that the array was opened with.
    pub fragment: usize,
    /// The first tile.
    pub first: usize,
    /// The number of tiles.
    pub count: usize,
    /// The number of their cells.
    pub cells: u64,
    /// Whether some of their cells may be outside of the ranges.
    pub is_cut: bool,
}

impl TileRun {
    /// The tiles.
    pub(crate) fn tiles(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.count
    }

    /// Splits after `tiles` tiles of `capacity` cells each.
    #[must_use]
    pub fn split_at(self, tiles: usize, capacity: u64) -> (Self, Self) {
        let cells = self.cells.min(tiles as u64 * capacity);
        let head = Self { count: tiles, cells, ..self };
        let tail = Self { first: self.first + tiles, count: self.count - tiles, cells: self.cells - cells, ..self };
        (head, tail)
    }
}
