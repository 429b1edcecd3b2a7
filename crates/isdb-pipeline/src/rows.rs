//! How much memory rows take.

use arrow::array::{Array as _, RecordBatch};
use arrow::error::ArrowError;

/// The memory of the rows of `batch`, which may be a slice: only its own part counts.
pub(crate) fn bytes_of(batch: &RecordBatch) -> Result<usize, ArrowError> {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size()).sum()
}
