//! Collects the rows of a window. Rows arrive in runs of one chunk, because they follow the satellite's track; only the place of each
//! run is in memory, and its rows as long as there is memory for them.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, RecordBatch};
use arrow::compute::partition;
use arrow::datatypes::{Int32Type, Schema, SchemaRef};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::metrics::SpillMetrics;
use isdb_store::run_blocking;

use super::batches::{Batch, Batches};
use super::fragment_rows::FragmentRows;
use super::packing::{Run, pack};
use super::spilled::SpilledBatches;
use crate::error::Error;
use crate::memory::slice_bytes;

/// The rows of a window that have arrived so far.
pub(crate) struct Collector {
    context: Arc<TaskContext>,
    /// The columns to store.
    schema: SchemaRef,
    batches: Batches,
    runs: Vec<Run>,
    rows: usize,
    bytes: usize,
    /// The memory of the batches that are in memory.
    reservation: MemoryReservation,
    metrics: SpillMetrics,
}

impl Collector {
    /// Creates a collector of rows with the columns of `schema`, for the writer `partition`.
    pub(crate) fn new(context: Arc<TaskContext>, schema: Schema, partition: usize, metrics: SpillMetrics) -> Collector {
        let consumer = MemoryConsumer::new(format!("TileDbWriteExec[{partition}]")).with_can_spill(true);
        let reservation = consumer.register(context.memory_pool());
        Collector {
            context,
            schema: Arc::new(schema),
            batches: Batches::default(),
            runs: Vec::new(),
            rows: 0,
            bytes: 0,
            reservation,
            metrics,
        }
    }

    /// Adds the rows of `batch`, whose chunks are `chunks`.
    pub(crate) async fn push(mut self, batch: RecordBatch, chunks: &ArrayRef) -> Result<Collector> {
        if batch.num_rows() == 0 {
            return Ok(self);
        }
        self.add_runs(chunks)?;
        let bytes = slice_bytes(&batch)?;
        self.rows += batch.num_rows();
        self.bytes += bytes;
        // Once rows are in a file, all are: memory for a part of them would be missing when fragments are written.
        if self.batches.file.is_none() && self.reservation.try_grow(bytes).is_ok() {
            self.batches.batches.push(Batch::Memory(batch));
            return Ok(self);
        }
        run_blocking(move || self.push_to_file(&batch)).await.map_err(Error::from)?
    }

    fn push_to_file(mut self, batch: &RecordBatch) -> Result<Collector> {
        let mut file = match self.batches.file.take() {
            Some(file) => file,
            None => self.spill()?,
        };
        self.batches.batches.push(Batch::File(file.append(batch, &self.metrics)?));
        self.batches.file = Some(file);
        Ok(self)
    }

    /// Remembers the chunk of each run of the next batch.
    fn add_runs(&mut self, chunks: &ArrayRef) -> Result<()> {
        let Some(values) = chunks.as_primitive_opt::<Int32Type>() else {
            return Err(internal_datafusion_err!("expected chunks as 32-bit integers, found {}", chunks.data_type()));
        };
        let batch = self.batches.batches.len();
        let ranges = partition(std::slice::from_ref(chunks))?.ranges();
        self.runs.extend(ranges.into_iter().map(|rows| {
            let chunk = values.nulls().is_none_or(|nulls| nulls.is_valid(rows.start));
            Run { chunk: chunk.then(|| values.value(rows.start)), batch, rows }
        }));
        Ok(())
    }

    /// Moves all batches to a new file.
    fn spill(&mut self) -> Result<SpilledBatches> {
        let file = self.context.runtime_env().disk_manager.create_tmp_file("the rows of a window")?;
        let mut file = SpilledBatches::new(file)?;
        self.metrics.spill_file_count.add(1);
        for batch in &mut self.batches.batches {
            if let Batch::Memory(rows) = batch {
                *batch = Batch::File(file.append(rows, &self.metrics)?);
            }
        }
        self.reservation.free();
        Ok(file)
    }

    /// Divides the rows into fragments of about the same size, of at most `fragment_bytes` of Arrow memory each. Their memory or file is
    /// freed with the last of them.
    pub(crate) fn finish(self, fragment_bytes: usize) -> Vec<FragmentRows> {
        let row_bytes = self.bytes.checked_div(self.rows).unwrap_or(0).max(1);
        let fragments = pack(self.runs, self.rows, (fragment_bytes / row_bytes).max(1));
        let (batches, reservation) = (Arc::new(self.batches), Arc::new(self.reservation));
        let rows =
            |runs| FragmentRows::new(Arc::clone(&batches), Arc::clone(&reservation), Arc::clone(&self.schema), runs);
        fragments.into_iter().map(rows).collect()
    }
}
