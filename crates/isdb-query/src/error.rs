//! Errors of a session over a database.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use isdb_schema::printable::Printable;

/// An error of this crate; inside a plan it travels as [`DataFusionError::External`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array of the database could not be read.
    #[error(transparent)]
    Scan(#[from] tiledb_datafusion::Error),
    /// What a snapshot shows was vacuumed away while it was read. The newest state can be opened instead.
    #[error("the snapshot of commit {commit} of {uri} has expired: a vacuum has removed what it shows")]
    Expired {
        /// URI of the database.
        uri: String,
        /// The commit that the snapshot shows.
        commit: u64,
        /// The error that the read ended with.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A thread that reads or writes was stopped.
    #[error("reading or writing was stopped")]
    Stopped {
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The database could not be opened.
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    /// An expression that cannot be meant.
    #[error("{place}: {name}: {problem}")]
    Expression {
        /// Where it stands: `file:line:column`, or what holds it.
        place: String,
        /// The filter or derived column.
        name: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A statement that would give another answer than the one that is meant, or none at all.
    #[error("{problem}")]
    Statement {
        /// What is wrong.
        problem: String,
        /// What to write instead.
        hint: String,
    },
    /// A filter that no granule of the database can answer.
    #[error("the filter {filter} needs {variable}, which no granule of the database has")]
    Lacking {
        /// The filter.
        filter: String,
        /// The variable.
        variable: &'static str,
    },
    /// A filter that has no meaning for a release in hand.
    #[error("the filter {filter} is for releases {valid} of ATL08, and {what} is of {release}")]
    Release {
        /// The filter.
        filter: String,
        /// The releases it can be applied to.
        valid: String,
        /// A granule, or the database.
        what: String,
        /// Its release.
        release: String,
    },
    /// A statement that does more than read.
    #[error("{statement} is not allowed: statements only read")]
    ReadOnly {
        /// Its kind: `COPY`, `CREATE TABLE`.
        statement: String,
    },
    /// A view whose name is not free.
    #[error("{name} belongs to the database and cannot be replaced or dropped")]
    Reserved {
        /// The name.
        name: String,
    },
    /// A file was named in a session that reads none.
    #[error("{name} is a file, and this session reads no files")]
    FilesClosed {
        /// Its name.
        name: String,
    },
    /// A file of a person's own cannot be a table.
    #[error("{}: {problem}", path.display())]
    UserFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// DataFusion refused.
    #[error(transparent)]
    Engine(#[from] DataFusionError),
}

impl Error {
    /// Problem and hint of the [`Error::Statement`] that `error` carries, as errors of planning do.
    #[must_use]
    pub fn statement(error: &DataFusionError) -> Option<(&str, &str)> {
        let DataFusionError::External(external) = error.find_root() else { return None };
        match external.downcast_ref() {
            Some(Error::Statement { problem, hint }) => Some((problem, hint)),
            _ => None,
        }
    }

    /// The [`Error::Statement`] that `error` carries, else `error` as it is.
    pub fn unwrapped(error: DataFusionError) -> Error {
        match Error::statement(&error) {
            Some((problem, hint)) => Error::Statement { problem: problem.to_owned(), hint: hint.to_owned() },
            None => Error::Engine(error),
        }
    }
}

/// Why a file cannot be a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// It is a folder.
    #[error("it is a folder, expected a file")]
    Folder,
    /// Its ending is not that of a known format.
    #[error("expected .csv, .tsv, .txt, .parquet, .json, .ndjson or .arrow")]
    Ending,
    /// It holds nothing.
    #[error("it is empty, expected a header and rows")]
    Empty,
    /// It is in UTF-16.
    #[error("it is UTF-16, expected UTF-8")]
    Utf16,
    /// It is in another encoding than UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// The first line with such a byte, from 1.
        line: u64,
    },
    /// A line has more or fewer fields than the header.
    #[error("line {line} has {found} fields, the header has {expected}")]
    Ragged {
        /// The line, from 1.
        line: u64,
        /// Its fields.
        found: u64,
        /// The header's fields.
        expected: u64,
    },
    /// It is not a table of text in any other way.
    #[error("{problem}")]
    Form {
        /// What the parser said.
        problem: String,
    },
    /// It cannot be read.
    #[error("it cannot be read: {source}")]
    Unreadable {
        /// Why not.
        source: std::io::Error,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(error) => error,
            error => Self::External(Box::new(error)),
        }
    }
}

/// The error and its causes in one line, for a row of the ledger or of a table; control characters in it are escaped.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    Printable(&told).to_string()
}
