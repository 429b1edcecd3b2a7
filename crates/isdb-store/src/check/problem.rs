//! Whether an error shows a damage. One that may pass does not: the file may be whole, and must not be dropped.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::files::remote::array_files::store_error;
use crate::files::remote::bucket::{is_beyond_end, is_not_found};

/// The problem of a file that is lost.
pub(super) const MISSING: &str = "it does not exist";

/// Parts of libtiledb's messages, in lower case, about resources and not about files. libtiledb has no codes for them.
const PASSING: [&str; 7] = [
    "memory budget",
    "bad_alloc",
    "out of memory",
    "cannot allocate",
    "too many open files",
    "permission denied",
    "no space left",
];

/// A path, and the problem there.
pub(super) type Problem = (String, String);

/// Describes the damage that `error` shows.
///
/// # Errors
/// `error` itself when it may pass.
pub(super) fn problem_of(error: Error) -> Result<String> {
    let (path, problem) = problem_at(error, "")?;
    Ok(if path.is_empty() { problem } else { format!("{path}: {problem}") })
}

/// Describes the damage that `error` shows, with the file of the array that it names, or else `path`.
///
/// # Errors
/// `error` itself when it may pass.
pub(super) fn problem_at(error: Error, path: &str) -> Result<Problem> {
    let error = match error {
        Error::TileDb(error) => match store_error(error) {
            Ok(error) => error,
            Err(tiledb::Error::File { path, source }) if is_damage(&source) => return Ok((path, describe(&source))),
            Err(tiledb::Error::Format { path, column, source }) => {
                let column = column.map(|column| format!("column {column}: ")).unwrap_or_default();
                return Ok((path, format!("{column}{source}")));
            }
            Err(error) => Error::TileDb(error),
        },
        error => error,
    };
    let problem = match &error {
        Error::Damaged { problem, .. } => problem.clone(),
        Error::OtherFormat { expected, found, .. } => format!("expected format {expected}, found {found}"),
        Error::Io { source, .. } if is_damage(source) => describe(source),
        Error::Log { source, .. } => match io_source(source) {
            Some(source) if is_damage(source) => describe(source),
            None if matches!(source, object_store::Error::NotFound { .. }) => MISSING.to_owned(),
            _ => return Err(error),
        },
        Error::Store { problem, .. } if is_beyond_end(&error) => problem.clone(),
        Error::Store { .. } if is_not_found(&error) => MISSING.to_owned(),
        Error::TileDb(tiledb::Error::Library { message, .. }) => {
            let lower = message.to_lowercase();
            match PASSING.iter().any(|part| lower.contains(part)) {
                true => return Err(error),
                false => message.clone(),
            }
        }
        Error::TileDb(tiledb::Error::File { .. }) => return Err(error),
        Error::TileDb(_) | Error::Arrow(_) => error.to_string(),
        _ => return Err(error),
    };
    Ok((path.to_owned(), problem))
}

/// Whether the storage lost the file or some of its bytes.
fn is_damage(error: &io::Error) -> bool {
    let is_lost = matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::UnexpectedEof
    );
    is_lost || Errno::from_io_error(error) == Some(Errno::IO)
}

fn describe(error: &io::Error) -> String {
    if error.kind() == ErrorKind::NotFound { MISSING.to_owned() } else { error.to_string() }
}

fn io_source(error: &object_store::Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io(source: io::Error) -> Error {
        Error::Io { path: "f".to_owned(), source }
    }

    #[test]
    fn a_lost_file_or_a_bad_sector_is_a_damage_and_what_may_pass_is_not() {
        assert_eq!(problem_of(io(ErrorKind::NotFound.into())).unwrap(), "it does not exist");
        assert!(problem_of(io(io::Error::from(Errno::IO))).is_ok());
        for passing in [Errno::ACCESS, Errno::MFILE, Errno::STALE, Errno::NOMEM, Errno::NOSPC] {
            assert!(problem_of(io(passing.into())).is_err(), "{passing}");
        }
        let library = |message: &str| {
            let (uri, message) = (String::new(), message.to_owned());
            Error::TileDb(tiledb::Error::Library { action: "read", uri, message })
        };
        assert!(problem_of(library("Cannot read: Permission denied")).is_err());
        assert!(problem_of(library("Exceeded memory budget")).is_err());
        assert!(problem_of(library("ZStd decompression failed")).is_ok());
    }
}
