//! What can go wrong with a granule, in the few kinds a caller treats differently.

use std::io;

/// Why a granule could not be read. Nothing of the granule is handed out with an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be fetched; trying again may help.
    #[error("{file}: cannot be read")]
    Io {
        /// The source's name.
        file: String,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// The bytes are no HDF5 file; fetching it again with the right login may help.
    #[error("{file}: not an HDF5 file, {looks_like}")]
    NotHdf5 {
        /// The source's name.
        file: String,
        /// What it seems to be instead.
        looks_like: &'static str,
    },
    /// The file ends before its own end-of-file address: a download that was cut off.
    #[error("{file}: truncated, {actual} of {expected} bytes")]
    Truncated {
        /// The source's name.
        file: String,
        /// End-of-file address in the superblock.
        expected: u64,
        /// Length of the source.
        actual: u64,
    },
    /// A sound HDF5 file of another product.
    #[error("{file}: not an ATL08 granule, {reason}")]
    NotAtl08 {
        /// The source's name.
        file: String,
        /// What tells.
        reason: String,
    },
    /// The structure of the file cannot be followed.
    #[error("{file}: the HDF5 structure is damaged or not supported")]
    Structure {
        /// The source's name.
        file: String,
        /// What the HDF5 reader said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// One dataset cannot be decoded.
    #[error("{file}: dataset {path} cannot be decoded")]
    Dataset {
        /// The source's name.
        file: String,
        /// HDF5 path of the dataset.
        path: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The result of reading a granule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason of a [`Error::Dataset`] before it is known which dataset it was.
pub(crate) type Reason = Box<dyn std::error::Error + Send + Sync>;
