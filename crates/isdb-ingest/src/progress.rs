//! What an ingest tells while it runs.

use std::path::PathBuf;
use std::time::Duration;

use crate::region::Regions;

/// What has just happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Which segments are kept by their position.
    Region {
        /// The region in force, and that of the database before and after.
        regions: Regions,
    },
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
    /// Some of a window was read, and its rows are on their way. Comes a few times a second.
    Read {
        /// Granules done so far, and read of this window.
        granules: usize,
        /// Granules to ingest in all.
        of: usize,
        /// Rows stored so far, and kept of this window.
        rows: u64,
        /// Size of the files done so far, in bytes; one that is read and not yet written counts half.
        bytes: u64,
        /// Size of the files to read in all, in bytes.
        of_bytes: u64,
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
        /// Size of the files done so far, in bytes.
        bytes: u64,
        /// Size of the files to read in all, in bytes.
        of_bytes: u64,
    },
}
