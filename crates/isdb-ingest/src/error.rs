//! What ends an ingest. A granule that cannot be read does not: it is told in the report.

use std::path::PathBuf;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends the whole ingest. Windows that were committed before it stay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path that was named does not exist.
    #[error("{}: no such file or folder", path.display())]
    NoSuchPath {
        /// The path, as named.
        path: PathBuf,
    },
    /// A folder or pattern holds no HDF5 file.
    #[error("{what}: no .h5 file found")]
    NoGranules {
        /// The folder or pattern, as named.
        what: String,
    },
    /// A pattern that cannot be understood.
    #[error("{pattern}: not a pattern")]
    Pattern {
        /// The pattern, as named.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: glob::PatternError,
    },
    /// A folder could not be read.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// What is asked for cannot be taken of these granules.
    #[error(transparent)]
    Selection(isdb_query::Error),
    /// Stored segments could not be read.
    #[error(transparent)]
    Pipeline(#[from] isdb_pipeline::Error),
    /// A granule of another release than the database, or than another granule for it.
    #[error("{granule} is of release {release:03}, and {other} is of release {pinned:03}")]
    OtherRelease {
        /// The granule.
        granule: String,
        /// Its release.
        release: u16,
        /// `the database`, or another granule.
        other: String,
        /// The release of that.
        pinned: u16,
    },
    /// The database was filled for another region.
    #[error("the database {uri} holds only segments in {stored}, and {asked} is another region")]
    OtherRegion {
        /// The database.
        uri: String,
        /// Its region.
        stored: String,
        /// The region of the ingest.
        asked: String,
    },
    /// The database was filled without a region.
    #[error("the database {uri} holds whole granules, not only their segments in {asked}")]
    WholeGranules {
        /// The database.
        uri: String,
        /// The region of the ingest.
        asked: String,
    },
    /// A name or pattern that no granule in the database has.
    #[error("the database holds no granule {name}{near}")]
    NoSuchGranule {
        /// The name, as given.
        name: String,
        /// What may have been meant, as the end of the sentence.
        near: String,
    },
    /// NASA's archive does not accept who we are, or what it has does not fit on the disk.
    #[error(transparent)]
    Archive(#[from] isdb_cmr::Error),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    /// The database names an area that cannot be understood.
    #[error("the area {name} of the database cannot be understood")]
    Area {
        /// Its name in the ledger.
        name: String,
        /// What is wrong with it.
        #[source]
        source: isdb_region::RegionError,
    },
    /// The archive's bucket cannot be read directly.
    #[error("the bucket {bucket} cannot be read directly")]
    Direct {
        /// The bucket.
        bucket: String,
        /// What is wrong.
        #[source]
        source: object_store::Error,
    },
    /// A thread was stopped.
    #[error("the work was stopped")]
    Stopped {
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// Fragments could not be written again; what was visible stays visible.
    #[error("{fragments} fragments could not be written again")]
    Compaction {
        /// How many.
        fragments: usize,
        /// What the plan ended with.
        #[source]
        source: datafusion::error::DataFusionError,
    },
    /// A window could not be written; nothing of it is visible.
    #[error("a window of {granules} granules could not be written")]
    Window {
        /// How many granules it held.
        granules: usize,
        /// What the plan ended with.
        #[source]
        source: datafusion::error::DataFusionError,
    },
}
