//! Progress messages of a running ingest.

use std::path::PathBuf;
use std::time::Duration;

use crate::request::region::Regions;

/// An event of an ingest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The region of the ingest is known.
    Region {
        /// The region that segments are kept in, and the region of the database before and after.
        regions: Regions,
    },
    /// The filters are known.
    Filters {
        /// Their names, in their order; empty for none.
        names: Vec<String>,
    },
    /// The files were found and compared with the ledger.
    Found {
        /// Granules to ingest.
        new: usize,
        /// Granules that are skipped.
        skipped: usize,
        /// Size of the files to ingest, in bytes.
        bytes: u64,
    },
    /// Files are to be downloaded from NASA's archive; none has been downloaded so far.
    ToDownload {
        /// The number of files.
        granules: usize,
        /// Bytes that are not in the folder yet, as far as sizes are known.
        bytes: u64,
        /// The folder for the files.
        folder: PathBuf,
        /// Free bytes in it.
        free: u64,
    },
    /// A file was downloaded or failed, or bytes of one have arrived.
    Downloaded {
        /// Files done so far, earlier downloads included.
        granules: usize,
        /// Bytes received over the network so far.
        bytes: u64,
    },
    /// A download failed and is retried.
    DownloadRetried {
        /// The file's name.
        name: String,
        /// Why it failed.
        error: String,
        /// The time until the next try.
        pause: Duration,
    },
    /// Part of a window was read; sent a few times a second.
    Read {
        /// Granules done so far, and read of this window.
        granules: usize,
        /// Granules to ingest in all.
        of: usize,
        /// Rows stored so far, and kept of this window.
        rows: u64,
        /// Size of the files done so far, in bytes; a file that is read and not yet written counts half.
        bytes: u64,
        /// Size of all files to read, in bytes.
        of_bytes: u64,
    },
    /// A window failed. It is read and written once more, after a takeover.
    WindowRetried {
        /// The number of its granules.
        granules: usize,
        /// Why it failed.
        error: String,
    },
    /// A group of fragments was consolidated.
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
        /// Size of all files to read, in bytes.
        of_bytes: u64,
    },
}
