//! Read requests: columns, ranges and condition.

use crate::condition::Condition;
use crate::literal::Literal;

/// The cells and columns to read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRequest {
    /// The columns, in the order of the batches. If empty, batches have row counts but no columns.
    pub columns: Vec<String>,
    /// Closed ranges of dimensions. Several on one dimension are a union, those on different dimensions an intersection; a
    /// dimension without any is read whole.
    pub ranges: Vec<DimensionRange>,
    /// The condition on cells; `None` reads all.
    pub condition: Option<Condition>,
    /// The maximum number of rows per batch (at least 1). Buffers are sized for this many rows, or for some ten thousand if that is
    /// more; several batches then share their memory.
    pub batch_rows: usize,
}

/// A closed range of one dimension. It is clipped to the domain, and empty if `low` is above `high`.
#[derive(Clone, Debug, PartialEq)]
pub struct DimensionRange {
    /// The dimension.
    pub dimension: String,
    /// The lowest coordinate.
    pub low: Literal,
    /// The highest coordinate.
    pub high: Literal,
}
