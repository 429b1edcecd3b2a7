//! The error of a front end: the text and the hint that the command prints, and a kind that a program can act on.

use isdb_query::Error as QueryError;
use isdb_store::Error as StoreError;

use crate::program::error::{CliError, causes};

/// An error with its causes and a hint.
#[derive(Debug)]
pub struct Failure(CliError);

/// What a program can do about a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// A vacuum has removed the state; the newest can be opened.
    Expired,
    /// No database, array, file, tag or granule of that name exists.
    NotFound,
    /// A statement names a column that its tables do not have.
    UnknownColumn,
    /// A statement names a table or a file that does not exist.
    UnknownTable,
    /// A statement cannot be parsed, planned or run as it is written.
    InvalidStatement,
    /// A filter, a region, a period, a config or another value is invalid.
    InvalidValue,
    /// Another process is writing to the database.
    Locked,
    /// The login to NASA's archive failed or is missing.
    LoginFailed,
    /// NASA's archive cannot be reached, or gives an unexpected response.
    Archive,
    /// A query or an ingest needs more memory than it may use.
    OutOfMemory,
    /// The database is damaged, or another version of isdb made it.
    Damaged,
    /// Anything else.
    Other,
}

impl Failure {
    /// Creates the error of an invalid value.
    pub fn invalid(expected: &str) -> Failure {
        Failure(CliError::Statement { problem: expected.to_owned(), hint: String::new() })
    }

    /// Returns the error in one line, and a line for each cause that says more.
    #[must_use]
    pub fn message(&self) -> String {
        let causes = causes(&self.0).into_iter().map(|cause| format!("\n  cause: {cause}"));
        format!("{}{}", self.0, causes.collect::<String>())
    }

    /// Returns what to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint().filter(|hint| !hint.is_empty())
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match &self.0 {
            error if error.is_expired() => FailureKind::Expired,
            CliError::Library(error) => library_kind(error),
            CliError::UnknownColumn { .. } => FailureKind::UnknownColumn,
            CliError::UnknownTable { .. } | CliError::NoFile { .. } => FailureKind::UnknownTable,
            CliError::Memory(_) => FailureKind::OutOfMemory,
            // As `invalid` makes them.
            CliError::Statement { hint, .. } if hint.is_empty() => FailureKind::InvalidValue,
            CliError::Syntax(_) | CliError::Statement { .. } | CliError::Message(_) | CliError::Planner(_) => {
                FailureKind::InvalidStatement
            }
            CliError::Empty { .. }
            | CliError::UnknownEnding { .. }
            | CliError::NoGeometry { .. }
            | CliError::NoPosition { .. } => FailureKind::InvalidValue,
            _ => FailureKind::Other,
        }
    }
}

fn library_kind(error: &crate::Error) -> FailureKind {
    match error {
        crate::Error::Store(error) => store_kind(error),
        crate::Error::Query(QueryError::UserFile { .. }) => FailureKind::NotFound,
        crate::Error::Query(_) => FailureKind::InvalidStatement,
        crate::Error::UnknownTable { .. } => FailureKind::UnknownTable,
        crate::Error::UnknownVariable { .. }
        | crate::Error::TagName { .. }
        | crate::Error::Filter(_)
        | crate::Error::Config(_)
        | crate::Error::Period(_)
        | crate::Error::Region { .. }
        | crate::Error::SpillFolder { .. }
        | crate::Error::WorkList { .. } => FailureKind::InvalidValue,
        crate::Error::RegionFile { .. } | crate::Error::Read { .. } => FailureKind::NotFound,
        crate::Error::Archive(error) => archive_kind(error),
        crate::Error::Ingest(error) => ingest_kind(error),
        _ => FailureKind::Other,
    }
}

fn ingest_kind(error: &isdb_ingest::Error) -> FailureKind {
    match error {
        isdb_ingest::Error::Store(error) => store_kind(error),
        isdb_ingest::Error::Archive(error) => archive_kind(error),
        isdb_ingest::Error::NoSuchGranule { .. }
        | isdb_ingest::Error::NoSuchPath { .. }
        | isdb_ingest::Error::NoGranules { .. } => FailureKind::NotFound,
        isdb_ingest::Error::Selection(_)
        | isdb_ingest::Error::OtherRelease { .. }
        | isdb_ingest::Error::OtherRegion { .. }
        | isdb_ingest::Error::WholeGranules { .. }
        | isdb_ingest::Error::Spill { .. } => FailureKind::InvalidValue,
        _ => FailureKind::Other,
    }
}

fn store_kind(error: &StoreError) -> FailureKind {
    match error {
        StoreError::NotFound { .. }
        | StoreError::NotAnArray { .. }
        | StoreError::UnknownTag { .. }
        | StoreError::TooEarly { .. } => FailureKind::NotFound,
        StoreError::Locked { .. } | StoreError::Overtaken { .. } | StoreError::LostLock { .. } => FailureKind::Locked,
        StoreError::Damaged { .. }
        | StoreError::OtherFormat { .. }
        | StoreError::LostLog { .. }
        | StoreError::LostArray { .. } => FailureKind::Damaged,
        StoreError::OtherVariables { .. } | StoreError::OtherDesign { .. } | StoreError::TagName { .. } => {
            FailureKind::InvalidValue
        }
        _ => FailureKind::Other,
    }
}

fn archive_kind(error: &isdb_cmr::Error) -> FailureKind {
    if error.is_login_error() { FailureKind::LoginFailed } else { FailureKind::Archive }
}

impl std::fmt::Display for Failure {
    /// The message, and the hint in a line of its own.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message())?;
        match self.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Failure {
        Failure(error)
    }
}

/// Errors of the crates below, which are errors of the command as well.
macro_rules! failures {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure(CliError::from(error))
            }
        })*
    };
}

failures!(
    crate::Error,
    datafusion::error::DataFusionError,
    arrow::error::ArrowError,
    isdb_query::Error,
    isdb_cmr::Error,
    isdb_ingest::Error
);
