//! The size of the steps of a scan.

/// The most rows that are decoded together: their columns stay in the processor's cache, and a batch pays for its overhead.
const STEP_ROWS: usize = if cfg!(test) { 64 } else { 32_768 };

/// Halves of the bytes of the decoded columns that a step holds: the columns, the bytes of the files, about half as many, and the copy
/// of the rows that a condition leaves.
const HALVES_HELD: usize = 5;

/// How many tiles a step reads.
#[derive(Debug)]
pub(super) struct StepSize {
    /// Rows of the next step: the first steps are small, because a limit may end the read.
    rows: usize,
    most_rows: usize,
    /// Cells of a tile of every fragment.
    capacity: usize,
    /// Bytes of a cell in all columns.
    cell_bytes: usize,
}

impl StepSize {
    /// The first step of a scan whose batches have at most `batch_rows`.
    pub(super) fn new(capacity: u64, cell_bytes: usize, batch_rows: usize) -> Self {
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        Self { rows: 1, most_rows: STEP_ROWS.min(batch_rows), capacity, cell_bytes }
    }

    /// The tiles of a step of a run of `count`.
    pub(super) fn tiles(&self, count: usize) -> usize {
        self.rows.div_ceil(self.capacity).clamp(1, count.max(1))
    }

    /// The tiles of the largest step.
    pub(super) fn most_tiles(&self) -> usize {
        self.most_rows.div_ceil(self.capacity).max(1)
    }

    /// Bytes that a step of this many tiles may hold at a time.
    pub(super) fn memory(&self, tiles: usize) -> usize {
        let bytes = tiles.saturating_mul(self.capacity).saturating_mul(self.cell_bytes);
        bytes.saturating_mul(HALVES_HELD) / 2
    }

    /// Makes the next step larger, after one that has read something.
    pub(super) fn grow(&mut self) {
        self.rows = self.rows.max(self.capacity).saturating_mul(2).min(self.most_rows);
    }

    /// Makes steps of at most half of `tiles`. Returns false if that is not possible.
    pub(super) fn halve(&mut self, tiles: usize) -> bool {
        if tiles > 1 {
            self.most_rows = tiles / 2 * self.capacity;
            self.rows = self.most_rows;
        }
        tiles > 1
    }
}
