//! What an ingest tells: progress while it runs, and a report at its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use isdb_schema::ledger::{GranuleState, Removed};
use isdb_store::LedgerRow;

use crate::select::Attempt;
use crate::verdict::Why;

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
    /// Files are to be fetched from NASA's archive; nothing was fetched so far.
    ToFetch {
        /// How many.
        granules: usize,
        /// Bytes that are not in the folder yet, as far as sizes are known.
        bytes: u64,
        /// Where they come.
        folder: PathBuf,
        /// Bytes that are free there.
        free: u64,
    },
    /// A file has come, or has failed to.
    Fetched {
        /// Files that have come so far, those that were there already included.
        granules: usize,
        /// Bytes that have come over the network so far.
        bytes: u64,
    },
    /// An attempt to fetch a file has failed; another follows.
    FetchAgain {
        /// The file's name.
        name: String,
        /// Why.
        error: String,
        /// When.
        pause: Duration,
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

/// Why a file is left out, which is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// The database has it, with all that is asked for.
    Stored,
    /// Another file of the same release and revision of the granule was ingested by the same run.
    Copy,
    /// A newer revision or release of the granule is stored.
    Older,
    /// It is a subset of a granule that is stored whole.
    Subset,
    /// The granule was removed on purpose; only a file that is named itself brings it back.
    Removed,
    /// It was measured before or after what is asked for.
    OtherTime,
}

impl Skip {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Skip::Stored => "in the database already",
            Skip::Copy => "a copy of another file",
            Skip::Older => "older than what is stored",
            Skip::Subset => "a subset of what is stored",
            Skip::Removed => "removed on purpose",
            Skip::OtherTime => "of another time",
        }
    }
}

/// A granule that could not be ingested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The file.
    pub path: PathBuf,
    /// Where it failed, in a word of the ledger's `stage`; None where that is not known.
    pub stage: Option<String>,
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
    /// Granules that are new in the database.
    pub ingested: usize,
    /// Granules whose rows took the place of earlier ones.
    pub replaced: usize,
    /// Granules that were read and hold no row.
    pub empty: usize,
    /// How many files were left out, and why.
    pub skipped: BTreeMap<Skip, usize>,
    /// Granules that could not be ingested.
    pub failed: Vec<Failure>,
    /// Files that an earlier ingest failed on, that are as they were, and that were not tried again.
    pub failed_before: Vec<Failure>,
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
        self.ingested + self.replaced + self.empty + self.failed.len()
    }

    /// Files left out for any reason.
    pub fn skipped(&self) -> usize {
        self.skipped.values().sum()
    }

    /// Adds what needed no attempt.
    pub(crate) fn leave_out(&mut self, skipped: &BTreeMap<Skip, usize>, failed_before: Vec<Failure>) {
        for (why, count) in skipped {
            *self.skipped.entry(*why).or_default() += count;
        }
        self.failed_before.extend(failed_before);
    }

    /// Adds what became of an attempt, as its `row` of the ledger tells.
    pub(crate) fn tell(&mut self, row: &LedgerRow, attempt: &Attempt) {
        match row.state {
            GranuleState::Ingested if row.replaces.is_empty() => self.ingested += 1,
            GranuleState::Ingested => self.replaced += 1,
            GranuleState::Empty => self.empty += 1,
            GranuleState::Failed | GranuleState::Removed => self.failed.push(Failure {
                path: attempt.candidate.path.clone(),
                stage: row.stage.clone(),
                error: row.error.clone().unwrap_or_default(),
            }),
        }
        self.count(row);
        self.warn(row, attempt);
    }

    /// Adds the numbers of one attempt.
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

    /// Adds what is odd about the file of an attempt; that it replaces what it outranks, or was asked for again, is not.
    fn warn(&mut self, row: &LedgerRow, attempt: &Attempt) {
        let usual =
            attempt.taking.why.filter(|why| *why != Why::Changed).map(|why| why.to_string()).unwrap_or_default();
        let notes = row.notes.as_deref().map(|notes| notes.strip_prefix(&usual).unwrap_or(notes));
        let notes = notes.map(|notes| notes.trim_start_matches("; ").to_owned()).filter(|notes| !notes.is_empty());
        let missing = row.missing_variables.as_ref().map(|names| format!("NULL for want of {names}"));
        let texts: Vec<String> = notes.into_iter().chain(missing).collect();
        if !texts.is_empty() {
            self.warnings.push(Warning { path: attempt.candidate.path.clone(), text: texts.join("; ") });
        }
    }
}
