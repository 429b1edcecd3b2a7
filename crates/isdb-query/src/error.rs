//! Errors of a session over a database.

use std::path::PathBuf;

use datafusion::error::DataFusionError;

/// An error of this crate; inside a plan it travels as [`DataFusionError::External`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array of the database could not be read.
    #[error(transparent)]
    Scan(#[from] tiledb_datafusion::Error),
    /// A vacuum removed data of the snapshot while it was read. The newest state can be opened instead.
    #[error("the snapshot of commit {commit} of {uri} has expired: a vacuum has removed its data")]
    Expired {
        /// URI of the database.
        uri: String,
        /// Number of the snapshot's commit.
        commit: u64,
        /// The error that the read ended with.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A thread that reads or writes was stopped.
    #[error("reading or writing was stopped")]
    Stopped {
        /// How the thread ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The database could not be opened.
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    /// An invalid expression of a filter or a derived column.
    #[error("{location}: {name}: {problem}")]
    Expression {
        /// Location of the expression: `file:line:column`, or the preset that contains it.
        location: String,
        /// Name of the filter or derived column.
        name: String,
        /// The problem, and where possible the correct form.
        problem: String,
    },
    /// A statement whose answer cannot be the intended one, or that cannot be planned.
    #[error("{problem}")]
    Statement {
        /// The problem.
        problem: String,
        /// What to write instead.
        hint: String,
    },
    /// A filter on a variable that no granule of the database has.
    #[error("the filter {filter} needs {variable}, which no granule of the database has")]
    MissingVariable {
        /// Name of the filter.
        filter: String,
        /// Name of the variable.
        variable: &'static str,
    },
    /// A filter that is not defined for the release of a granule.
    #[error("the filter {filter} is for releases {valid} of ATL08, and {what} is of {release}")]
    Release {
        /// Name of the filter.
        filter: String,
        /// Releases that the filter is defined for.
        valid: String,
        /// The granule or database whose release does not fit.
        what: String,
        /// Its release.
        release: String,
    },
    /// An array of another program cannot be read.
    #[error("cannot read the array {uri}")]
    Array {
        /// The array's URI.
        uri: String,
        /// The reason.
        #[source]
        source: tiledb::Error,
    },
    /// Filters, a region or a period for an array without a view that they could restrict.
    #[error("filters, region and period do not apply to {uri}, which neither icesat2db nor gedidb has made")]
    NoView {
        /// The array's URI.
        uri: String,
    },
    /// A statement that does more than read.
    #[error("{statement} is not allowed: statements only read")]
    ReadOnly {
        /// The kind of statement: `COPY`, `CREATE TABLE`.
        statement: String,
    },
    /// A statement that replaces or drops a table or view of the database.
    #[error("{name} belongs to the database and cannot be replaced or dropped")]
    Reserved {
        /// Name of the table or view.
        name: String,
    },
    /// A statement that reads a file, in a session that reads no files.
    #[error("{name} is a file, and this session reads no files")]
    FilesClosed {
        /// Name of the file.
        name: String,
    },
    /// A file of the user cannot be read as a table.
    #[error("{}: {problem}", path.display())]
    UserFile {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        problem: FileProblem,
    },
    /// DataFusion could not plan or run a statement.
    #[error(transparent)]
    Engine(DataFusionError),
}

impl From<DataFusionError> for Error {
    /// Returns the error of this crate inside `error`, such as that of a view which cannot be created; else [`Error::Engine`].
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(external) => match external.downcast() {
                Ok(own) => *own,
                Err(external) => Error::Engine(DataFusionError::External(external)),
            },
            error => Error::Engine(error),
        }
    }
}

impl Error {
    /// Creates an [`Error::Statement`].
    pub(crate) fn statement(problem: impl Into<String>, hint: impl Into<String>) -> Error {
        Error::Statement { problem: problem.into(), hint: hint.into() }
    }

    /// Creates the error of a file whose content is invalid.
    pub(crate) fn malformed(name: &str, problem: &impl std::fmt::Display) -> Error {
        let problem = FileProblem::Malformed { problem: problem.to_string() };
        Error::UserFile { path: PathBuf::from(name), problem }
    }

    /// Returns problem and hint of the [`Error::Statement`] inside `error`, which errors of planning may wrap.
    #[must_use]
    pub fn find_statement(error: &DataFusionError) -> Option<(&str, &str)> {
        let DataFusionError::External(external) = error.find_root() else { return None };
        match external.downcast_ref() {
            Some(Error::Statement { problem, hint }) => Some((problem, hint)),
            _ => None,
        }
    }

    /// Converts an error of planning: returns the [`Error::Statement`] inside it if there is one, at any depth.
    pub(crate) fn from_planning(error: DataFusionError) -> Error {
        if let Some((problem, hint)) = Error::find_statement(&error) {
            return Error::statement(problem, hint);
        }
        Error::from(error)
    }
}

/// Why a file cannot be read as a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// The path is a folder.
    #[error("it is a folder, expected a file")]
    Folder,
    /// The name does not have the extension of a known format.
    #[error("expected .csv, .tsv, .txt, .parquet, .json, .ndjson, .geojson or .arrow")]
    UnknownExtension,
    /// The file is empty.
    #[error("it is empty, expected a header and rows")]
    Empty,
    /// The file is UTF-16.
    #[error("it is UTF-16, expected UTF-8")]
    Utf16,
    /// The file is not valid UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// The first line with an invalid byte, from 1.
        line: u64,
    },
    /// A line has more or fewer fields than the header.
    #[error("line {line} has {found} fields, the header has {expected}")]
    Ragged {
        /// Number of the line, from 1.
        line: u64,
        /// Fields of the line.
        found: u64,
        /// Fields of the header.
        expected: u64,
    },
    /// The parser found another fault.
    #[error("{problem}")]
    Malformed {
        /// The parser's message.
        problem: String,
    },
    /// The file cannot be read.
    #[error("it cannot be read: {source}")]
    Unreadable {
        /// The error of the file system.
        source: std::io::Error,
    },
}

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(error) => error,
            error => Self::External(Box::new(error)),
        }
    }
}
