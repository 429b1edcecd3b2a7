//! Read requests: columns, ranges and condition.

use crate::predicate::{DimensionRange, Predicate};

/// The cells and columns to read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRequest {
    /// The columns, in the order of the batches. If empty, batches have row counts but no columns.
    pub columns: Vec<String>,
    /// Closed ranges of dimensions. Several on one dimension are a union, those on different dimensions an intersection; a
    /// dimension without any is read whole.
    pub ranges: Vec<DimensionRange>,
    /// The condition on cells; `None` reads all.
    pub condition: Option<Predicate>,
    /// The maximum number of rows per batch (at least 1). Buffers are sized for this many rows, or for some ten thousand if
    /// that is more; several batches then share their memory.
    pub batch_rows: usize,
}
