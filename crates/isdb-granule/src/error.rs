//! Errors of reading a granule, grouped by how callers treat them.

use std::io;

use isdb_schema::printable::Printable;

/// The reason why a granule could not be read. No part of a granule is returned with an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be fetched; reading again may succeed.
    #[error("{}: cannot be read", Printable(.file))]
    Io {
        /// The source's name.
        file: String,
        /// The source's error.
        #[source]
        source: io::Error,
    },
    /// The bytes are not an HDF5 file; downloading it again with the right login may help.
    #[error("{}: not an HDF5 file, {looks_like}", Printable(.file))]
    NotHdf5 {
        /// The source's name.
        file: String,
        /// A description of the file, for the user.
        looks_like: &'static str,
    },
    /// The file is shorter than its superblock states: a download that was cut off.
    #[error("{}: truncated, {actual} of {expected} bytes", Printable(.file))]
    Truncated {
        /// The source's name.
        file: String,
        /// Length of the complete file, by [`end_of_file`](crate::end_of_file).
        expected: u64,
        /// Length of the source.
        actual: u64,
    },
    /// A valid HDF5 file of another product.
    #[error("{}: not an ATL08 granule, {reason}", Printable(.file))]
    NotAtl08 {
        /// The source's name.
        file: String,
        /// The reason.
        reason: String,
    },
    /// The structure of the file cannot be followed.
    #[error("{}: the HDF5 structure is damaged or not supported", Printable(.file))]
    Structure {
        /// The source's name.
        file: String,
        /// The HDF5 reader's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// One dataset cannot be decoded.
    #[error("{}: dataset {path} cannot be decoded", Printable(.file))]
    Dataset {
        /// The source's name.
        file: String,
        /// HDF5 path of the dataset.
        path: String,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether the bytes could not be fetched, so that reading the file again may succeed. A read past the end of the file is
    /// damage of the file.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return io.kind() != io::ErrorKind::UnexpectedEof;
            }
            cause = error.source();
        }
        false
    }

    pub(crate) fn io(file: &str, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }

    pub(crate) fn not_atl08(file: &str, reason: String) -> Self {
        Self::NotAtl08 { file: file.to_owned(), reason }
    }

    pub(crate) fn structure(file: &str, source: Reason) -> Self {
        Self::Structure { file: file.to_owned(), source }
    }

    /// The error after a panic of the HDF5 reader, which some damaged files cause.
    pub(crate) fn reader_panicked(file: &str) -> Self {
        Self::structure(file, "the HDF5 reader cannot follow it".into())
    }

    /// An error about the dataset at `path` of `file`.
    pub(crate) fn dataset(file: &str, path: String, source: Reason) -> Self {
        Self::Dataset { file: file.to_owned(), path, source }
    }
}

/// The result of reading a granule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason of an [`Error::Dataset`], before the dataset's path is added.
pub(crate) type Reason = Box<dyn std::error::Error + Send + Sync>;
