//! Read requests: columns, ranges and condition.

use crate::native::TileRun;
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
    /// The tiles to read, some of those that [`Array::tiles`](crate::Array::tiles) returned for the same ranges; `None` reads all of
    /// them. Ignored where that returned none.
    pub tiles: Option<Vec<TileRun>>,
    /// The maximum number of rows per batch (at least 1). Buffers are sized for this many rows, or for some ten thousand if
    /// that is more; several batches then share their memory.
    pub batch_rows: usize,
}
