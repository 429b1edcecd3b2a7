//! The one error of this crate: who said no, to what, and where.

use crate::literal::Literal;

/// What can go wrong between Arrow and TileDB.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// libtiledb refused: its own message, what was attempted and at which URI.
    #[error("cannot {action} {uri}: {message}")]
    Library {
        /// What was attempted, e.g. `open the array`.
        action: &'static str,
        /// The array, group or file; empty where there is none.
        uri: String,
        /// libtiledb's own words.
        message: String,
    },
    /// A column, type or layout that this crate does not store or read.
    #[error("column {column}: {reason}")]
    Unsupported {
        /// The column's name.
        column: String,
        /// What about it is not supported.
        reason: String,
    },
    /// A name that is neither a dimension nor an attribute of the array.
    #[error("{uri} has no column {column}")]
    UnknownColumn {
        /// The array.
        uri: String,
        /// The name asked for.
        column: String,
    },
    /// A value that the column's physical type cannot hold exactly.
    #[error("column {column} ({data_type}) cannot hold {value} exactly")]
    NotRepresentable {
        /// The column the value was meant for.
        column: String,
        /// The column's Arrow type.
        data_type: arrow::datatypes::DataType,
        /// The value.
        value: Literal,
    },
    /// A condition that TileDB cannot evaluate, e.g. on a list.
    #[error("condition on column {column}: {reason}")]
    Condition {
        /// The column compared.
        column: String,
        /// Why it cannot be evaluated.
        reason: &'static str,
    },
    /// A coordinate that TileDB must not be given; nothing was written.
    #[error("row {row}: {column} is {value}, which is no coordinate of this array")]
    Coordinate {
        /// The dimension.
        column: String,
        /// The row, counted over all batches.
        row: usize,
        /// The value as text (`NULL`, `NaN`, or a number outside the domain).
        value: String,
    },
    /// A real list element equal to the value that stands for NULL; nothing was written.
    #[error("row {row}: an element of {column} equals {value}, which stands for NULL in this array")]
    ElementNull {
        /// The list column.
        column: String,
        /// The row, counted over all batches.
        row: usize,
        /// The value that stands for NULL.
        value: String,
    },
    /// Batches that do not fit the array; nothing was written.
    #[error("cannot write to {uri}: {reason}")]
    Batch {
        /// The array.
        uri: String,
        /// What does not fit.
        reason: String,
    },
    /// A read whose buffers grew to their limit without one row fitting in.
    #[error("cannot read {uri}: no row fits into buffers of {bytes} bytes")]
    NoProgress {
        /// The array.
        uri: String,
        /// The largest buffer tried.
        bytes: usize,
    },
    /// A fragment stamped later than this machine's clock: libtiledb tells nothing about it until then.
    #[error("{uri} is stamped {ahead_ms} ms ahead of this machine's clock")]
    FutureFragment {
        /// The fragment.
        uri: String,
        /// How far ahead it is, in milliseconds.
        ahead_ms: u64,
    },
    /// A name or URI with a NUL byte inside, which C cannot be told.
    #[error("{text:?} holds a NUL byte")]
    Name {
        /// The text.
        text: String,
    },
    /// What TileDB stores is not valid Arrow data, e.g. text that is not UTF-8.
    #[error("{uri}, column {column}")]
    Data {
        /// The array.
        uri: String,
        /// The column.
        column: String,
        /// Arrow's own words.
        #[source]
        source: arrow::error::ArrowError,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
