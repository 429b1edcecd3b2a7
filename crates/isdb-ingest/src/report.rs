//! What an ingest tells: progress while it runs, and a report at its end.

use std::path::PathBuf;

use isdb_schema::ledger::Removed;

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
    /// A window became visible.
    Committed {
        /// Granules done so far, failed ones included.
        granules: usize,
        /// Granules to ingest in all.
        of: usize,
        /// Rows stored so far.
        rows: u64,
        /// Size of the files done so far, in bytes.
        bytes: u64,
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
    /// What each filter removed of all granules, in their order.
    pub removed: Vec<Removed>,
}

impl Report {
    /// Granules looked at and not skipped.
    pub fn done(&self) -> usize {
        self.ingested + self.empty + self.failed.len()
    }

    /// Adds what filters removed of one granule.
    pub(crate) fn charge(&mut self, removed: &[Removed]) {
        for one in removed {
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
}
