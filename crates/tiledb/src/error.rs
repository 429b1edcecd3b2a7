//! Errors, with the array, column and row they concern.

use crate::literal::Literal;

/// An error of reading or writing TileDB arrays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// libtiledb failed.
    #[error("cannot {action} {uri}: {message}")]
    Library {
        /// The attempted action, e.g. `open the array`.
        action: &'static str,
        /// The URI of the array, group or file; empty for actions without one.
        uri: String,
        /// libtiledb's message.
        message: String,
    },
    /// The loaded libtiledb has a version that this crate does not support.
    #[error(
        "expected libtiledb {expected}, found {found}: set TILEDB_DIR to an installation of {expected} and build again, \
         or unset it to build with the pinned library"
    )]
    Version {
        /// The supported version, `major.minor`.
        expected: String,
        /// The loaded version, `major.minor.patch`.
        found: String,
    },
    /// A column, type or layout that this crate cannot store or read.
    #[error("column {column}: {reason}")]
    Unsupported {
        /// The column's name.
        column: String,
        /// Why it is not supported.
        reason: String,
    },
    /// The array has no dimension or attribute of this name.
    #[error("{uri} has no column {column}")]
    UnknownColumn {
        /// The array.
        uri: String,
        /// The requested name.
        column: String,
    },
    /// A value that the column's type cannot represent exactly.
    #[error("column {column} ({data_type}) cannot represent {value} exactly")]
    NotRepresentable {
        /// The column that the value is compared with.
        column: String,
        /// The column's Arrow type.
        data_type: arrow::datatypes::DataType,
        /// The value.
        value: Literal,
    },
    /// A condition that TileDB cannot evaluate, e.g. on a list.
    #[error("invalid condition on {column}: {reason}")]
    Condition {
        /// The column compared, or the predicate if it has no column.
        column: String,
        /// Why it cannot be evaluated.
        reason: &'static str,
    },
    /// A coordinate that is not in the array's domain, or that its type would round; nothing was written.
    #[error(
        "row {row}: invalid coordinate {column} = {value}: expected a value in the domain and of the precision of the dimension"
    )]
    Coordinate {
        /// The dimension.
        column: String,
        /// The row number over all batches, from 0.
        row: usize,
        /// The value as text (`NULL`, `NaN`, or a number that the dimension cannot store).
        value: String,
    },
    /// A list element equal to the value that marks NULL; nothing was written.
    #[error("row {row}: an element of {column} equals {value}, which marks NULL in this array")]
    ElementNull {
        /// The list column.
        column: String,
        /// The row number over all batches, from 0.
        row: usize,
        /// The value that marks NULL.
        value: String,
    },
    /// Batches that do not match the array; nothing was written.
    #[error("cannot write to {uri}: {reason}")]
    Batch {
        /// The array.
        uri: String,
        /// The mismatch.
        reason: String,
    },
    /// A read whose buffers have reached their maximum size and are too small for one row.
    #[error("cannot read {uri}: a row does not fit into buffers of {bytes} bytes")]
    NoProgress {
        /// The array.
        uri: String,
        /// The size of the largest buffer.
        bytes: usize,
    },
    /// A fragment stamped later than the local clock; libtiledb does not list it until then.
    #[error("the timestamp of {uri} is {ahead_ms} ms ahead of the local clock")]
    FutureFragment {
        /// The fragment.
        uri: String,
        /// The difference in milliseconds.
        ahead_ms: u64,
    },
    /// A name or URI that contains a NUL byte, which ends strings in C.
    #[error("{text:?} contains a NUL byte")]
    NulByte {
        /// The text.
        text: String,
    },
    /// A file of an array cannot be read. If it does not exist, its fragment may have been vacuumed.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: String,
        /// The error of the file.
        #[source]
        source: std::io::Error,
    },
    /// A file or folder of a new fragment cannot be written. What was begun has been removed.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: String,
        /// The error of the file.
        #[source]
        source: std::io::Error,
    },
    /// The caller's rows of a new fragment cannot be read. What was begun has been removed.
    #[error("cannot read column {column} of the rows to write")]
    Rows {
        /// The column.
        column: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column of a new fragment cannot be encoded. What was begun has been removed.
    #[error("cannot encode column {column} for {uri}")]
    Encode {
        /// The array.
        uri: String,
        /// The column.
        column: String,
        /// Why.
        #[source]
        source: Box<tiledb_format::Error>,
    },
    /// The bytes of a file are damaged, or in a form that this crate does not read.
    #[error("cannot decode {path}{}", column.as_ref().map(|column| format!(" (column {column})")).unwrap_or_default())]
    Format {
        /// The file, or the pattern of a column's files.
        path: String,
        /// The column; `None` for metadata.
        column: Option<String>,
        /// What is wrong with the bytes.
        #[source]
        source: Box<tiledb_format::Error>,
    },
    /// Stored data is not valid Arrow data, e.g. text that is not UTF-8.
    #[error("cannot convert column {column} of {uri} to or from Arrow")]
    Data {
        /// The array.
        uri: String,
        /// The column.
        column: String,
        /// Arrow's error.
        #[source]
        source: arrow::error::ArrowError,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
