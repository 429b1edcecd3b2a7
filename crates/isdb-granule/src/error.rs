//! What can go wrong with a granule, in the few kinds a caller treats differently.

use std::io;

use isdb_schema::shown::Shown;

/// Why a granule could not be read. Nothing of the granule is handed out with an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be fetched; trying again may help.
    #[error("{}: cannot be read", Shown(.file))]
    Io {
        /// The source's name.
        file: String,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// The bytes are no HDF5 file; fetching it again with the right login may help.
    #[error("{}: not an HDF5 file, {looks_like}", Shown(.file))]
    NotHdf5 {
        /// The source's name.
        file: String,
        /// What it seems to be instead.
        looks_like: &'static str,
    },
    /// The file ends before its own end-of-file address: a download that was cut off.
    #[error("{}: truncated, {actual} of {expected} bytes", Shown(.file))]
    Truncated {
        /// The source's name.
        file: String,
        /// End-of-file address in the superblock.
        expected: u64,
        /// Length of the source.
        actual: u64,
    },
    /// A sound HDF5 file of another product.
    #[error("{}: not an ATL08 granule, {reason}", Shown(.file))]
    NotAtl08 {
        /// The source's name.
        file: String,
        /// What tells.
        reason: String,
    },
    /// The structure of the file cannot be followed.
    #[error("{}: the HDF5 structure is damaged or not supported", Shown(.file))]
    Structure {
        /// The source's name.
        file: String,
        /// What the HDF5 reader said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// One dataset cannot be decoded.
    #[error("{}: dataset {path} cannot be decoded", Shown(.file))]
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
