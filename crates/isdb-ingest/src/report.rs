//! What an ingest tells: progress while it runs, and a report at its end.

use std::path::{Path, PathBuf};

use isdb_schema::ledger::{GranuleState, Removed};
use isdb_store::LedgerRow;

/// What has just happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The filters that segments have to pass, by name and in their order; empty for none.
    Filters {
        /// Their names.
        names: Vec<String>,
    },
    /// Files were looked at: this many are to be ingested, this many are in the database already.
    Found {
        /// Granules to ingest.
        new: usize,
        /// Granules that the ledger calls done.
        skipped: usize,
        /// Size of the files to ingest, in bytes.
        bytes: u64,
    },
    /// A granule was read, and its rows are on their way.
    Read {
        /// Size of the files read so far, in bytes.
        bytes: u64,
    },
    /// Fragments were written again together.
    Consolidated {
        /// Groups done.
        group: usize,
        /// Groups in all.
        of: usize,
    },
    /// A window became visible.
    Committed {
        /// Granules done so far, failed ones included.
        granules: usize,
        /// Granules to ingest in all.
        of: usize,
        /// Rows stored so far.
        rows: u64,
    },
}

/// A granule that could not be ingested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub error: String,
}

/// Something odd about a granule that was ingested all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub path: PathBuf,
    /// What is odd.
    pub text: String,
}

/// What became of every file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Granules whose rows are now in the database.
    pub ingested: usize,
    /// Granules that were read and hold no row.
    pub empty: usize,
    /// Granules that were in the database already, or came twice.
    pub skipped: usize,
    /// Granules that could not be read.
    pub failed: Vec<Failure>,
    /// Rows stored.
    pub rows: u64,
    /// Rows without position or time, which were left out.
    pub rows_rejected: u64,
    /// Beams with rows, without rows, and not in their files.
    pub beams: [u64; 3],
    /// What was odd, granule by granule.
    pub warnings: Vec<Warning>,
    /// What each filter removed of all granules, in their order.
    pub removed: Vec<Removed>,
}

impl Report {
    /// Granules looked at and not skipped.
    pub fn done(&self) -> usize {
        self.ingested + self.empty + self.failed.len()
    }

    /// Adds what became of the file at `path`.
    pub(crate) fn tell(&mut self, row: &LedgerRow, path: &Path) {
        match row.state {
            GranuleState::Ingested => self.ingested += 1,
            GranuleState::Empty => self.empty += 1,
            GranuleState::Failed | GranuleState::Removed => {
                self.failed.push(Failure { path: path.to_path_buf(), error: row.error.clone().unwrap_or_default() });
            }
        }
        self.count(row);
        self.warn(path, row);
    }

    fn count(&mut self, row: &LedgerRow) {
        let number = |count: i64| u64::try_from(count).unwrap_or(0);
        self.rows += number(row.rows_kept);
        self.rows_rejected += number(row.rows_rejected);
        for (sum, beams) in self.beams.iter_mut().zip([row.beams_read, row.beams_empty, row.beams_missing]) {
            *sum += number(beams);
        }
        for one in &row.removed_by {
            match self.removed.iter_mut().find(|sum| sum.filter == one.filter) {
                None => self.removed.push(one.clone()),
                Some(sum) => {
                    sum.removed += one.removed;
                    sum.null += one.null;
                    sum.alone += one.alone;
                }
            }
        }
    }

    fn warn(&mut self, path: &Path, row: &LedgerRow) {
        let missing = row.missing_variables.as_ref().map(|names| format!("NULL for want of {names}"));
        let texts: Vec<String> = row.notes.iter().cloned().chain(missing).collect();
        if !texts.is_empty() {
            self.warnings.push(Warning { path: path.to_path_buf(), text: texts.join("; ") });
        }
    }
}
