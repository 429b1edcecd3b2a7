//! Memory of record batches.

use arrow::array::{Array as _, RecordBatch};
use arrow::error::ArrowError;

/// Returns the bytes of the rows of `batch`. Of a slice, only its own rows count, not the buffers that it shares.
pub(crate) fn slice_bytes(batch: &RecordBatch) -> Result<usize, ArrowError> {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size()).sum()
}
