//! The progress of a run in numbers.

use isdb_pipeline::PlanProgress;

use crate::report::progress::Progress;

/// The work done so far, and the work in total.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    /// Granules in committed windows.
    pub(super) granules: usize,
    /// All granules to ingest.
    pub(super) all_granules: usize,
    /// Rows in committed windows.
    pub(super) rows: u64,
    /// Bytes of the files of committed windows.
    pub(super) bytes: u64,
    /// Bytes of all files to read.
    pub(super) all_bytes: u64,
}

impl Totals {
    /// Returns the progress while a window is read. Rows that its plan has read count half, because sorting and writing
    /// take about as long as reading.
    pub(super) fn reading(self, pace: PlanProgress) -> Progress {
        let Totals { granules, all_granules: of, rows, bytes, all_bytes: of_bytes } = self;
        let granules = granules + usize::try_from(pace.granules).unwrap_or(0);
        Progress::Read { granules, of, rows: rows + pace.rows, bytes: bytes + pace.bytes / 2, of_bytes }
    }

    /// Returns the progress after a window was committed.
    pub(super) fn committed(self) -> Progress {
        let Totals { granules, all_granules: of, rows, bytes, all_bytes: of_bytes } = self;
        Progress::Committed { granules, of, rows, bytes, of_bytes }
    }
}
