//! The rows of one fragment, read column by column from the collected batches.

use std::error::Error as StdError;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::{Id, Rows};

use super::batches::Batches;
use super::packing::Run;

/// The rows of one fragment.
pub(crate) struct FragmentRows {
    batches: Arc<Batches>,
    /// The memory of `batches`, until all fragments are written.
    _memory: Arc<MemoryReservation>,
    /// The columns of the batches.
    collected: SchemaRef,
    /// Rows of the batches, in their order.
    runs: Vec<Run>,
    id: Id,
}

impl FragmentRows {
    pub(super) fn new(
        batches: Arc<Batches>,
        memory: Arc<MemoryReservation>,
        collected: SchemaRef,
        mut runs: Vec<Run>,
    ) -> FragmentRows {
        // Neighbouring chunks are often in one fragment.
        runs.dedup_by(|next, run| {
            let follows = run.batch == next.batch && run.rows.end == next.rows.start;
            if follows {
                run.rows.end = next.rows.end;
            }
            follows
        });
        FragmentRows { batches, _memory: memory, collected, runs, id: Id(0) }
    }

    /// Gives the fragment its id, which all rows have as `fragment_id`.
    pub(crate) fn with_id(self, id: Id) -> FragmentRows {
        FragmentRows { id, ..self }
    }

    /// Returns the fragment's id.
    pub(crate) fn id(&self) -> Id {
        self.id
    }

    /// Returns the number of rows.
    pub(crate) fn count(&self) -> usize {
        self.runs.iter().map(|run| run.rows.len()).sum()
    }

    /// Returns the file that the rows are in, if they are in one.
    #[cfg(test)]
    pub(crate) fn file(&self) -> Option<std::path::PathBuf> {
        self.batches.file.as_ref().and_then(super::spilled::SpilledBatches::path)
    }

    fn parts(&self, name: &str) -> Result<Vec<ArrayRef>> {
        if name == FRAGMENT_ID {
            let id = |run: &Run| Arc::new(Int64Array::from_value(self.id.0, run.rows.len())) as ArrayRef;
            return Ok(self.runs.iter().map(id).collect());
        }
        let index = self.collected.index_of(name)?;
        let mut parts = Vec::with_capacity(self.runs.len());
        for runs in self.runs.chunk_by(|a, b| a.batch == b.batch) {
            let Some(first) = runs.first() else { continue };
            let column = self.batches.column(first.batch, index)?;
            parts.extend(runs.iter().map(|run| match run.rows.len() == column.len() {
                true => Arc::clone(&column),
                false => column.slice(run.rows.start, run.rows.len()),
            }));
        }
        Ok(parts)
    }
}

impl Rows for FragmentRows {
    fn batches(&self) -> Vec<(SchemaRef, usize)> {
        let mut fields: Vec<Arc<Field>> = self.collected.fields().iter().map(Arc::clone).collect();
        fields.push(Arc::new(Field::new(FRAGMENT_ID, DataType::Int64, false)));
        let schema: SchemaRef = Arc::new(arrow::datatypes::Schema::new(fields));
        self.runs.iter().map(|run| (Arc::clone(&schema), run.rows.len())).collect()
    }

    fn column(&self, name: &str) -> Result<Vec<ArrayRef>, Box<dyn StdError + Send + Sync>> {
        Ok(self.parts(name)?)
    }
}
