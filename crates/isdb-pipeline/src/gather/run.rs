//! Runs: consecutive rows of one chunk.

use std::ops::Range;

use arrow::array::{Array as _, ArrayRef, AsArray, RecordBatch};
use arrow::compute::partition;
use arrow::datatypes::Int32Type;
use datafusion::common::{Result, internal_datafusion_err};

use crate::memory::slice_bytes;

/// Memory that each column of a run needs in addition to its values, in bytes.
const COLUMN_OVERHEAD: usize = 128;

/// Consecutive rows of one chunk, or without a chunk.
pub(super) struct Run {
    pub(super) chunk: Option<i32>,
    pub(super) rows: RecordBatch,
    /// The estimated memory of the rows, in bytes.
    pub(super) bytes: usize,
}

/// Splits `batch` into runs by the column at index `chunk`. No row is copied.
pub(super) fn split_into_runs(batch: &RecordBatch, chunk: usize) -> Result<Vec<Run>> {
    let chunks: &ArrayRef = batch.column(chunk);
    let Some(values) = chunks.as_primitive_opt::<Int32Type>() else {
        return Err(internal_datafusion_err!("expected chunks as 32-bit integers, found {}", chunks.data_type()));
    };
    let ranges = partition(std::slice::from_ref(chunks))?.ranges();
    let bytes = slice_bytes(batch)?;
    let run = |range: Range<usize>| Run {
        chunk: values.is_valid(range.start).then(|| values.value(range.start)),
        rows: batch.slice(range.start, range.len()),
        bytes: bytes * range.len() / batch.num_rows() + COLUMN_OVERHEAD * batch.num_columns(),
    };
    Ok(ranges.into_iter().map(run).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int32Array;
    use arrow::record_batch::RecordBatch;

    use super::*;

    #[test]
    fn a_run_ends_where_the_chunk_changes() {
        let chunks: ArrayRef = Arc::new(Int32Array::from(vec![Some(7), Some(7), None, Some(7), Some(0), Some(0)]));
        let rows: ArrayRef = Arc::new(Int32Array::from_iter_values(0..6));
        let batch = RecordBatch::try_from_iter([("row", rows), ("chunk", chunks)]).unwrap();
        let runs = split_into_runs(&batch, 1).unwrap();
        let first = |run: &Run| run.rows.column(0).as_primitive::<Int32Type>().value(0);
        let found: Vec<_> = runs.iter().map(|run| (run.chunk, first(run), run.rows.num_rows())).collect();
        assert_eq!(found, [(Some(7), 0, 2), (None, 2, 1), (Some(7), 3, 1), (Some(0), 4, 2)]);
        assert!(split_into_runs(&batch.slice(0, 0), 1).unwrap().is_empty());
        let parts: usize = runs.iter().map(|run| slice_bytes(&run.rows).unwrap()).sum();
        assert_eq!(parts, slice_bytes(&batch).unwrap());
    }
}
