//! Errors that end a whole ingest. A granule that cannot be read does not: it is reported as failed.

use std::path::PathBuf;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends the whole ingest. Windows that were committed before it stay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path in the request does not exist.
    #[error("{}: no such file or folder", path.display())]
    NoSuchPath {
        /// The path, as the request names it.
        path: PathBuf,
    },
    /// A folder or pattern contains no HDF5 file.
    #[error("{what}: no .h5 file found")]
    NoGranules {
        /// The folder or pattern, as the request names it.
        what: String,
    },
    /// A glob pattern is invalid.
    #[error("invalid pattern: {pattern}")]
    Pattern {
        /// The pattern, as the request names it.
        pattern: String,
        /// The reason.
        #[source]
        source: glob::PatternError,
    },
    /// A file or folder could not be read or written.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The folder for rows that do not fit in memory cannot be used.
    #[error("cannot spill rows to {}", path.display())]
    Spill {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The requested variables, derived columns or filters do not fit the granules.
    #[error(transparent)]
    Selection(isdb_query::Error),
    /// Stored segments could not be read.
    #[error(transparent)]
    Pipeline(#[from] isdb_pipeline::Error),
    /// A granule is of another release than the database, or than another granule of the request.
    #[error("{granule} is of release {release:03}, and {other} is of release {pinned:03}")]
    OtherRelease {
        /// The granule.
        granule: String,
        /// Its release.
        release: u16,
        /// `the database`, or another granule.
        other: String,
        /// The release of `other`.
        pinned: u16,
    },
    /// The database was filled for another region.
    #[error("the database {uri} holds only segments in {stored}; {requested} is another region")]
    OtherRegion {
        /// The database.
        uri: String,
        /// Its region.
        stored: String,
        /// The region of the request.
        requested: String,
    },
    /// The database was filled without a region.
    #[error("the database {uri} holds whole granules, not only their segments in {requested}")]
    WholeGranules {
        /// The database.
        uri: String,
        /// The region of the request.
        requested: String,
    },
    /// No granule in the database matches a name or pattern.
    #[error("the database holds no granule {name}{suggestion}")]
    NoSuchGranule {
        /// The name, as given.
        name: String,
        /// A did-you-mean suggestion that ends the sentence; may be empty.
        suggestion: String,
    },
    /// NASA's archive rejected the login, or a download does not fit on the disk.
    #[error(transparent)]
    Archive(#[from] isdb_cmr::Error),
    /// The database could not be opened, read or written.
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    /// The text of an area in the database is not a region.
    #[error("invalid area {name} in the database")]
    Area {
        /// The name of the area in the ledger.
        name: String,
        /// The reason.
        #[source]
        source: isdb_region::RegionError,
    },
    /// A bucket of the archive cannot be read directly.
    #[error("cannot read the bucket {bucket} directly")]
    Direct {
        /// The bucket.
        bucket: String,
        /// The cause.
        #[source]
        source: object_store::Error,
    },
    /// A background task panicked or was cancelled.
    #[error("a background task was stopped")]
    Stopped {
        /// The error with which the task ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// Fragments could not be consolidated; what was visible stays visible.
    #[error("{fragments} fragments could not be consolidated")]
    Compaction {
        /// The number of fragments.
        fragments: usize,
        /// The error of the plan.
        #[source]
        source: datafusion::error::DataFusionError,
    },
    /// A window could not be written; none of it is visible.
    #[error("a window of {granules} granules could not be written")]
    Window {
        /// The number of granules in the window.
        granules: usize,
        /// The error of the plan.
        #[source]
        source: datafusion::error::DataFusionError,
    },
}
