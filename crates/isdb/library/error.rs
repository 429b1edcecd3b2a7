//! The error of the library.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use isdb_region::RegionError;
use isdb_schema::catalogue;
use isdb_schema::config::ConfigError;
use isdb_schema::filters::FilterError;
use isdb_schema::period::PeriodError;
use isdb_schema::suggest::did_you_mean;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate. Its causes are in [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No database exists at the location, it cannot be read or written, or another writer holds it.
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    /// The database cannot be queried as requested: a statement is not allowed, a filter does not fit the database, or its snapshot
    /// has expired.
    #[error(transparent)]
    Query(isdb_query::Error),
    /// DataFusion cannot plan or run a statement.
    #[error(transparent)]
    Engine(DataFusionError),
    /// The database has no such table or view.
    #[error("unknown table {name}{suggestion}")]
    UnknownTable {
        /// The name that was given.
        name: String,
        /// The end of the sentence: similar names, or nothing.
        suggestion: String,
    },
    /// ATL08 has no such variable.
    #[error("unknown ATL08 variable {name:?}{suggestion}")]
    UnknownVariable {
        /// The name that was given.
        name: String,
        /// The end of the sentence: similar names, or nothing.
        suggestion: String,
    },
    /// The name of a tag is invalid.
    #[error("invalid name of a tag {name:?}: {problem}")]
    TagName {
        /// The name that was given.
        name: String,
        /// The reason.
        problem: &'static str,
    },
    /// A list of filters is invalid.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A config is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A period is invalid.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// A region is invalid.
    #[error("invalid region{}", path.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default())]
    Region {
        /// The GeoJSON file; None for a region that was given as text.
        path: Option<PathBuf>,
        /// The reason.
        source: RegionError,
    },
    /// The GeoJSON file of a region cannot be read.
    #[error("cannot read the region {}", path.display())]
    RegionFile {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder that queries spill to cannot be used.
    #[error("cannot spill to {}", path.display())]
    SpillFolder {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// An ingest, a removal or a consolidation failed.
    #[cfg(feature = "ingest")]
    #[error(transparent)]
    Ingest(#[from] isdb_ingest::Error),
    /// A file is not a complete granule.
    #[cfg(feature = "ingest")]
    #[error(transparent)]
    Granule(#[from] isdb_granule::Error),
    /// NASA's archive, its CMR or the login failed.
    #[cfg(feature = "cmr")]
    #[error(transparent)]
    Archive(#[from] isdb_cmr::Error),
    /// A work list is invalid.
    #[cfg(feature = "cmr")]
    #[error("invalid work list {}", path.display())]
    WorkList {
        /// The file.
        path: PathBuf,
        /// The line and the reason.
        source: isdb_cmr::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Rows could not be converted to a polars data frame.
    #[cfg(feature = "polars")]
    #[error(transparent)]
    Polars(#[from] ::polars::error::PolarsError),
}

impl From<isdb_query::Error> for Error {
    fn from(error: isdb_query::Error) -> Error {
        match error {
            isdb_query::Error::Engine(error) => Error::Engine(error),
            isdb_query::Error::Store(error) => Error::Store(error),
            error => Error::Query(error),
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Error {
        Error::from(isdb_query::Error::from(error))
    }
}

impl Error {
    /// Whether a vacuum has removed the state that was read. Opening the database again shows the newest state.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        // Transparent variants pass on the source of their error, so the search has to begin with that error itself.
        match self {
            Error::Store(error) => isdb_query::is_expired(error),
            Error::Query(error) => isdb_query::is_expired(error),
            Error::Engine(error) => isdb_query::is_expired(error),
            _ => false,
        }
    }

    pub(crate) fn unknown_variable(name: &str) -> Error {
        let suggestion = did_you_mean(name, catalogue::variables().iter().map(|variable| variable.name));
        Error::UnknownVariable { name: name.to_owned(), suggestion }
    }
}
