//! Errors of a scan.

use datafusion::error::DataFusionError;

/// An error of this crate. DataFusion returns it as [`DataFusionError::External`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The array could not be read.
    #[error("reading the TileDB array {uri}")]
    Read {
        /// URI of the array.
        uri: String,
        /// libtiledb's error.
        #[source]
        source: tiledb::Error,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
