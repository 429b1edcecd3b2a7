//! Collected batches, in memory or in a file.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::{Result, internal_datafusion_err};

use super::spilled::{SpilledBatch, SpilledBatches};

/// The batches of a window in the order in which they arrived.
#[derive(Default)]
pub(crate) struct Batches {
    pub(super) batches: Vec<Batch>,
    /// The file, once some batches do not fit in memory.
    pub(super) file: Option<SpilledBatches>,
}

/// A collected batch.
pub(super) enum Batch {
    Memory(RecordBatch),
    File(SpilledBatch),
}

impl Batches {
    /// Returns the column at `column` of the batch at `batch`.
    pub(super) fn column(&self, batch: usize, column: usize) -> Result<ArrayRef> {
        match (self.batches.get(batch), &self.file) {
            (Some(Batch::Memory(batch)), _) => Ok(Arc::clone(batch.column(column))),
            (Some(Batch::File(batch)), Some(file)) => file.read(batch, column),
            _ => Err(internal_datafusion_err!("expected a batch {batch}, found {} batches", self.batches.len())),
        }
    }
}
