//! What can go wrong with a granule, in the few kinds a caller treats differently.

use std::io;

use isdb_schema::printable::Printable;

use crate::structure::REFUSED;

/// Why a granule could not be read. Nothing of the granule is handed out with an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be fetched; trying again may help.
    #[error("{}: cannot be read", Printable(.file))]
    Io {
        /// The source's name.
        file: String,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// The bytes are no HDF5 file; fetching it again with the right login may help.
    #[error("{}: not an HDF5 file, {looks_like}", Printable(.file))]
    NotHdf5 {
        /// The source's name.
        file: String,
        /// What it seems to be instead.
        looks_like: &'static str,
    },
    /// The file ends before its own end-of-file address: a download that was cut off.
    #[error("{}: truncated, {actual} of {expected} bytes", Printable(.file))]
    Truncated {
        /// The source's name.
        file: String,
        /// End-of-file address in the superblock.
        expected: u64,
        /// Length of the source.
        actual: u64,
    },
    /// A sound HDF5 file of another product.
    #[error("{}: not an ATL08 granule, {reason}", Printable(.file))]
    NotAtl08 {
        /// The source's name.
        file: String,
        /// What tells.
        reason: String,
    },
    /// The structure of the file cannot be followed.
    #[error("{}: the HDF5 structure is damaged or not supported", Printable(.file))]
    Structure {
        /// The source's name.
        file: String,
        /// What the HDF5 reader said.
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
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether the bytes could not be fetched, which says nothing about the file: reading it again may succeed. A read past
    /// the end of the file is the file's own fault.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return io.kind() != io::ErrorKind::UnexpectedEof;
            }
            if let Some(hdf5::FormatError::Source(problem)) = error.downcast_ref() {
                return !problem.starts_with(REFUSED);
            }
            cause = error.source();
        }
        false
    }
}

/// The result of reading a granule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason of a [`Error::Dataset`] before it is known which dataset it was.
pub(crate) type Reason = Box<dyn std::error::Error + Send + Sync>;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::granule::Granule;
    use crate::source::ByteSource;
    use crate::testing::{Bytes, named, small_granule};

    /// A granule whose reads fail with `error` after the first `good` ones.
    struct Failing {
        bytes: Bytes,
        good: AtomicUsize,
        error: fn() -> io::Error,
    }

    impl ByteSource for Failing {
        fn name(&self) -> &str {
            self.bytes.name()
        }

        fn len(&self) -> u64 {
            self.bytes.len()
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
            let is_good = self.good.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            is_good.map_or_else(|_| Err((self.error)()), |_| self.bytes.read_at(offset, buffer))
        }
    }

    /// The first error of reading a sound granule when reads fail with `error` from the `good`th on; None if none was met.
    fn failure(good: usize, error: fn() -> io::Error) -> Option<Error> {
        let bytes = Bytes::new("made.h5", small_granule(&[], |_| ()));
        let source = Arc::new(Failing { bytes, good: AtomicUsize::new(good), error });
        Granule::open_shared(source).and_then(|granule| granule.decode(&named(&["h_canopy"]), 1)).err()
    }

    #[test]
    fn a_failing_disk_is_transient_wherever_it_fails_and_a_short_file_is_not() {
        // 5 is EIO on every Unix.
        let errors = (0..200).map_while(|good| failure(good, || io::Error::from_raw_os_error(5)));
        let errors: Vec<Error> = errors.collect();
        assert!(errors.len() > 10, "{errors:?}");
        for error in &errors {
            assert!(error.is_transient(), "{error:?}");
        }
        let short = failure(errors.len() - 1, || io::ErrorKind::UnexpectedEof.into()).unwrap();
        assert!(!short.is_transient(), "{short:?}");
    }
}
