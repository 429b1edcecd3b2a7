//! Which errors of a window may not occur again: storage that failed for a moment, as network file systems do.

use std::error::Error as StdError;
use std::io::ErrorKind;

use datafusion::error::DataFusionError;

use crate::error::Error;

/// libtiledb has no error code for a full disk, only the message of the operating system.
const FULL_DISK: &str = "No space left on device";

/// Whether a window that ended with `error` may succeed at a second try with a new writer.
pub(crate) fn is_worth_retrying(error: &Error) -> bool {
    // Other errors come from the request, the ledger or the archive.
    if !matches!(error, Error::Window { .. } | Error::Store(_) | Error::Pipeline(_)) {
        return false;
    }
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if !may_pass(error) || error.to_string().contains(FULL_DISK) {
            return false;
        }
        cause = error.source();
    }
    true
}

/// Whether `cause`, one error of a chain, may be gone at the next try. Its own causes are checked separately.
fn may_pass(cause: &(dyn StdError + 'static)) -> bool {
    let is_store = |error: &isdb_store::Error| store_error_may_pass(error);
    if let Some(Error::Store(error)) = cause.downcast_ref() {
        return is_store(error);
    }
    match cause.downcast_ref::<isdb_pipeline::Error>() {
        Some(isdb_pipeline::Error::Store(error)) => return is_store(error),
        // A panic, or a selection that does not fit.
        Some(isdb_pipeline::Error::Interrupted { .. } | isdb_pipeline::Error::Query(_)) => return false,
        _ => {}
    }
    if let Some(error) = cause.downcast_ref() {
        return is_store(error);
    }
    if let Some(error) = cause.downcast_ref::<std::io::Error>() {
        return !matches!(
            error.kind(),
            ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::Unsupported
        );
    }
    cause.downcast_ref::<DataFusionError>().is_none_or(|error| {
        matches!(
            error,
            DataFusionError::External(_)
                | DataFusionError::IoError(_)
                | DataFusionError::ArrowError(..)
                | DataFusionError::ObjectStore(_)
                | DataFusionError::Context(..)
                | DataFusionError::Shared(_)
        )
    })
}

fn store_error_may_pass(error: &isdb_store::Error) -> bool {
    use isdb_store::Error as Store;
    // An object store that was overloaded or out of reach, and not one that refuses.
    if let Store::Store { cause, .. } = error {
        return matches!(**cause, object_store::Error::Generic { .. });
    }
    // Otherwise another process writes, the database is damaged, or the rows do not match: the next try ends in the same way.
    matches!(
        error,
        Store::Io { .. } | Store::Log { .. } | Store::TileDb(_) | Store::Arrow(_) | Store::Unfinished { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn in_window(error: isdb_pipeline::Error) -> Error {
        Error::Window { granules: 1, source: DataFusionError::from(error) }
    }

    fn io_error(kind: ErrorKind) -> isdb_store::Error {
        isdb_store::Error::Io { path: "db".to_owned(), source: kind.into() }
    }

    #[test]
    fn storage_that_fails_for_a_moment_is_tried_again() {
        for error in [
            in_window(io_error(ErrorKind::TimedOut).into()),
            io_error(ErrorKind::StaleNetworkFileHandle).into(),
            in_window(DataFusionError::IoError(io::Error::other("stale file handle")).into()),
            isdb_store::Error::Unfinished { uri: "db".to_owned() }.into(),
        ] {
            assert!(is_worth_retrying(&error), "{error:?}");
        }
    }

    #[test]
    fn a_lost_database_and_a_full_disk_are_not_tried_again() {
        let uri = || "db".to_owned();
        for error in [
            in_window(isdb_store::Error::Overtaken { uri: uri(), number: 7 }.into()),
            isdb_store::Error::Locked { uri: uri() }.into(),
            in_window(isdb_store::Error::Mismatch { uri: uri(), problem: String::new() }.into()),
            in_window(io_error(ErrorKind::StorageFull).into()),
            in_window(DataFusionError::IoError(io::Error::other("cannot write: No space left on device")).into()),
            in_window(DataFusionError::ResourcesExhausted("no memory".to_owned()).into()),
            in_window(DataFusionError::Internal("a bug".to_owned()).into()),
            Error::NoSuchPath { path: "x".into() },
        ] {
            assert!(!is_worth_retrying(&error), "{error:?}");
        }
    }
}
