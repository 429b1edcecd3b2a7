//! The interface of the writers of row formats.

use arrow::array::RecordBatch;

use crate::program::error::CliError;

/// Writes batches of one schema in one format.
pub(crate) trait RowWriter {
    /// Writes the rows of a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError>;
    /// Writes the end of the format, such as a footer.
    fn finish(self: Box<Self>) -> Result<(), CliError>;
}
