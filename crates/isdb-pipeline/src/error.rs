//! Errors of ingest and compaction plans.

use std::path::PathBuf;

use datafusion::error::DataFusionError;

/// An error of this crate; inside a plan it travels as [`DataFusionError::External`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A selection does not fit the product or the database.
    #[error(transparent)]
    Query(#[from] isdb_query::Error),
    /// An array of the database cannot be scanned.
    #[error(transparent)]
    Scan(#[from] tiledb_datafusion::Error),
    /// An array of the database could not be read.
    #[error("reading the TileDB array {uri}")]
    Read {
        /// URI of the array.
        uri: String,
        /// libtiledb's error.
        #[source]
        source: tiledb::Error,
    },
    /// A fragment could not be written.
    #[error("writing a fragment of the TileDB array {uri}")]
    Write {
        /// URI of the array.
        uri: String,
        /// libtiledb's error.
        #[source]
        source: tiledb::Error,
    },
    /// Rows that memory does not hold could not be spilled or read back.
    #[error("rows that do not fit the memory cannot be kept in {}", path.display())]
    Spill {
        /// The temporary file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: DataFusionError,
    },
    /// A thread that reads or writes was stopped.
    #[error("reading or writing was stopped")]
    Stopped {
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The database could not be read or written.
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    /// DataFusion failed.
    #[error(transparent)]
    Engine(#[from] DataFusionError),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(error) => error,
            Error::Query(error) => error.into(),
            Error::Scan(error) => error.into(),
            error => Self::External(Box::new(error)),
        }
    }
}
