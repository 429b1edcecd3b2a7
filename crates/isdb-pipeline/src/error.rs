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
    /// Rows that do not fit in memory cannot be spilled or read back.
    #[error("cannot spill rows to {}", path.display())]
    Spill {
        /// The temporary file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: DataFusionError,
    },
    /// The thread that writes a fragment ended early.
    #[error("writing a fragment of the TileDB array {uri} was interrupted")]
    Interrupted {
        /// URI of the array.
        uri: String,
        /// How the thread ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The database cannot be read or written.
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    /// DataFusion failed.
    #[error(transparent)]
    DataFusion(#[from] DataFusionError),
}

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::DataFusion(error) => error,
            Error::Query(error) => error.into(),
            error => Self::External(Box::new(error)),
        }
    }
}
