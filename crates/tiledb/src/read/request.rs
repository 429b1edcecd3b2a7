//! What to read.

use crate::condition::Condition;
use crate::literal::Literal;

/// Columns, ranges and condition of a read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRequest {
    /// The columns wanted, in the order wanted. Empty: batches without columns that tell their row counts.
    pub columns: Vec<String>,
    /// Closed ranges of dimensions. Several on one dimension are a union, those on different dimensions an intersection; a
    /// dimension without any is read whole.
    pub ranges: Vec<DimensionRange>,
    /// The test that cells must pass.
    pub condition: Option<Condition>,
    /// The most rows a batch may have (at least 1). Buffers hold as many, or some ten thousand if that is more: then several
    /// batches share their memory.
    pub batch_rows: usize,
}

/// A closed range of one dimension. What lies outside the domain is cut off, and a range with `low` above `high` is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct DimensionRange {
    /// The dimension.
    pub dimension: String,
    /// The lowest coordinate wanted.
    pub low: Literal,
    /// The highest coordinate wanted.
    pub high: Literal,
}
