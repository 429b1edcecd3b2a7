//! The error that ends a command: an error of the library, or one of the command line itself.

use std::error::Error;
use std::path::PathBuf;

use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use datafusion::sql::sqlparser::parser::ParserError;
use isdb_query::{error_hint, error_message, is_expired};
use isdb_schema::config::ConfigError;
use isdb_schema::filters::FilterError;
use isdb_schema::period::PeriodError;
use rustyline::error::ReadlineError;

use crate::program::exit_code::{FAILED, USAGE};

/// The error that ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("no database specified")]
    NoDatabase,
    #[error(transparent)]
    Library(crate::Error),
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("cannot write to standard output")]
    Stdout(#[source] std::io::Error),
    #[error("cannot read standard input")]
    Stdin(#[source] std::io::Error),
    #[error("{}: the file name does not determine the format", path.display())]
    UnknownEnding { path: PathBuf },
    #[error("a binary format cannot be printed on a terminal")]
    BinaryToTerminal,
    #[error("{format} needs positions, and the result has none")]
    NoGeometry { format: &'static str },
    #[error("expected {missing} among the columns, found none: the shape of a segment depends on it")]
    SegmentColumns { missing: String },
    #[error("{format} has no place for a row without a position")]
    NoPosition { format: &'static str },
    #[error("expected a column of numbers for --geometry-columns, found {} {column}", if *.is_found { "another type in" } else { "no column" })]
    GeometryColumn { column: String, is_found: bool },
    #[error("expected a latitude from -90 to 90 in the column {column}, found {degrees}")]
    NotALatitude { column: String, degrees: f64 },
    #[error("the result already has a column geometry, and a file would get another")]
    SecondGeometry,
    #[error("expected a file for GeoPackage, found a stream")]
    GeoPackageToStream,
    #[error("expected a file that ends with .tif or .csv, found {}", path.display())]
    GridEnding { path: PathBuf },
    #[error("no cell of the grid has a segment")]
    EmptyGrid,
    #[error("expected a file that ends with .png, found {}", path.display())]
    MapEnding { path: PathBuf },
    #[error("no row has a position and a value")]
    EmptyMap,
    #[error("expected a column of numbers for --value, found {} {column}", if *.is_found { "another type in" } else { "no column" })]
    ValueColumn { column: String, is_found: bool },
    #[error("cannot write {format}: {problem}")]
    FeatureFormat { format: &'static str, problem: String },
    #[error("expected {expected}, found nothing in {flag}")]
    Empty { expected: &'static str, flag: &'static str, hint: &'static str },
    #[error("no statement in {origin}")]
    NoStatement { origin: String },
    #[error("{count} statements, but {target} holds the result of one")]
    OneStatementOnly { count: usize, target: String },
    #[error("a prompt writes text to standard output only")]
    OutputOfPrompt,
    #[error("the prompt failed")]
    Prompt(#[from] ReadlineError),
    #[error("{0}")]
    Syntax(ParserError),
    #[error("unknown column {name}")]
    UnknownColumn { name: String, hint: String },
    #[error("unknown table {name}")]
    UnknownTable { name: String, hint: String },
    #[error("no such file: {name}")]
    NoFile { name: String, hint: Option<&'static str> },
    #[error("nothing was repaired")]
    NotConfirmed,
    #[error("cannot locate a home directory for the netrc")]
    NoHome,
    #[error("{0}")]
    Message(String),
    #[error("the query needs more memory than it may use")]
    Memory(#[source] DataFusionError),
    #[error("{problem}")]
    Statement { problem: String, hint: String },
    #[error("the query engine found no valid plan for this statement")]
    Planner(#[source] DataFusionError),
    #[error("the query failed")]
    Query(#[source] DataFusionError),
    #[error("a row could not be written")]
    Format(#[from] arrow::error::ArrowError),
    #[error("a row could not be written")]
    Parquet(#[from] ParquetError),
    #[error("cannot start")]
    Runtime(#[source] std::io::Error),
}

impl From<crate::Error> for CliError {
    fn from(error: crate::Error) -> CliError {
        match error {
            crate::Error::Engine(error) => CliError::from(error),
            error => CliError::Library(error),
        }
    }
}

/// Errors of the crates below, which are errors of the library as well.
macro_rules! library_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> CliError {
                CliError::from(crate::Error::from(error))
            }
        })*
    };
}

library_errors!(isdb_query::Error, isdb_cmr::Error, isdb_ingest::Error, FilterError, ConfigError, PeriodError);

impl From<DataFusionError> for CliError {
    /// An error that DataFusion itself reports becomes one line; any other error is printed with its causes.
    fn from(error: DataFusionError) -> CliError {
        if is_out_of_memory(&error) {
            return CliError::Memory(error);
        }
        let error = match user_file_error(error) {
            Ok(error) => return CliError::Library(crate::Error::Query(error)),
            Err(error) => error,
        };
        if let Some(hint) = error_hint(&error) {
            return CliError::Statement { problem: error_message(&error), hint };
        }
        match error.find_root() {
            DataFusionError::Plan(_)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::Execution(_) => CliError::Message(error_message(&error)),
            DataFusionError::ArrowError(arrow, _) if arrow.source().is_none() => {
                CliError::Message(error_message(&error))
            }
            _ => CliError::Query(error),
        }
    }
}

impl CliError {
    /// Converts the error of a statement that was parsed but could not be planned.
    pub(crate) fn from_planning(error: DataFusionError) -> CliError {
        let is_fault_of_engine = match error.find_root() {
            DataFusionError::Internal(_) => true,
            // The engine's check of its own plan.
            DataFusionError::Plan(text) => text.contains("does not satisfy"),
            _ => false,
        };
        if is_fault_of_engine { CliError::Planner(error) } else { CliError::from(error) }
    }

    /// The exit code of a command that ends with this error: that of a wrong command line if a value in it is wrong by itself.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            CliError::Empty { .. }
            | CliError::UnknownEnding { .. }
            | CliError::GridEnding { .. }
            | CliError::MapEnding { .. }
            | CliError::OutputOfPrompt => USAGE,
            CliError::Library(
                crate::Error::Region { path: None, .. } | crate::Error::Period(_) | crate::Error::Filter(_),
            ) => USAGE,
            _ => FAILED,
        }
    }

    /// Whether a vacuum has removed the state that was read; the newest state can be opened instead.
    pub(crate) fn is_expired(&self) -> bool {
        match self {
            CliError::Library(error) => error.is_expired(),
            CliError::Query(error) => is_expired(error),
            _ => false,
        }
    }

    /// Whether the reader of the output has closed it, which is not a failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Returns the error about a file of the user, if `error` only wraps it.
fn user_file_error(error: DataFusionError) -> Result<isdb_query::Error, DataFusionError> {
    use isdb_query::Error as Query;
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Query>() {
            Ok(own) if matches!(*own, Query::UserFile { .. } | Query::FilesClosed { .. }) => Ok(*own),
            Ok(own) => Err(DataFusionError::External(own)),
            Err(inner) => Err(DataFusionError::External(inner)),
        },
        other => Err(other),
    }
}

/// Whether an operator or a read of libtiledb ran out of memory. libtiledb has no error code for that, only a message.
pub(super) fn is_out_of_memory(error: &DataFusionError) -> bool {
    if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) {
        return true;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(tiledb::Error::Library { message, .. }) = error.downcast_ref() {
            return message.to_lowercase().contains("memory budget");
        }
        cause = error.source();
    }
    false
}
