//! Packs rows that come sorted by chunk into fragments: neighbouring chunks share one until it is full, and a fragment ends
//! between two chunks where it can.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::fault;
use tiledb::Context;

use crate::chunk::CHUNK;
use crate::error::Error;
use crate::tally::TALLY;
use crate::write::{WriteTarget, WrittenFragment};

/// A chunk that fills more than this many fragments' worth is cut, wherever that is.
const MOST_OVERFULL: usize = 2;

/// Collects rows until they make a fragment.
pub(crate) struct FragmentWriter {
    context: Arc<Context>,
    target: WriteTarget,
    /// Writers that count their fragments side by side.
    writers: usize,
    schema: SchemaRef,
    pending: Vec<RecordBatch>,
    pending_bytes: usize,
    last_chunk: Option<i32>,
    written: Vec<WrittenFragment>,
    metrics: Metrics,
}

/// What EXPLAIN ANALYZE tells of a writer.
#[derive(Default)]
struct Metrics {
    fragments: Count,
    rows: Count,
    time: Time,
}

impl FragmentWriter {
    /// A writer of rows with the columns of `input`, which counts its fragments in steps of `writers`.
    pub(crate) fn new(context: Arc<Context>, target: WriteTarget, writers: usize, input: &SchemaRef) -> FragmentWriter {
        let is_stored = |field: &&Arc<Field>| ![TALLY, CHUNK].contains(&field.name().as_str());
        let mut fields: Vec<Arc<Field>> = input.fields().iter().filter(is_stored).map(Arc::clone).collect();
        fields.push(Arc::new(Field::new(FRAGMENT_ID, DataType::Int64, false)));
        FragmentWriter {
            context,
            target,
            writers,
            schema: Arc::new(Schema::new(fields)),
            pending: Vec::new(),
            pending_bytes: 0,
            last_chunk: None,
            written: Vec::new(),
            metrics: Metrics::default(),
        }
    }

    /// Tells of its work in `metrics`, for `partition`.
    pub(crate) fn with_metrics(self, metrics: &ExecutionPlanMetricsSet, partition: usize) -> FragmentWriter {
        let metrics = Metrics {
            fragments: MetricBuilder::new(metrics).counter("fragments", partition),
            rows: MetricBuilder::new(metrics).output_rows(partition),
            time: MetricBuilder::new(metrics).subset_time("write_time", partition),
        };
        FragmentWriter { metrics, ..self }
    }

    /// Keeps the rows of `batch`, and writes the fragment that they complete.
    pub(crate) async fn take(mut self, mut batch: RecordBatch) -> Result<FragmentWriter> {
        if batch.num_rows() == 0 {
            return Ok(self);
        }
        let chunks = batch.remove_column(batch.schema().index_of(CHUNK)?);
        let chunks = chunks.as_primitive::<Int32Type>();
        if self.pending_bytes >= self.target.fragment_bytes {
            let mut previous = self.last_chunk;
            let change = chunks.values().iter().position(|chunk| previous.replace(*chunk).is_some_and(|p| p != *chunk));
            let is_overfull = self.pending_bytes >= MOST_OVERFULL * self.target.fragment_bytes;
            if let Some(end) = change.or(is_overfull.then_some(0)) {
                self.keep(batch.slice(0, end))?;
                self = self.write().await?;
                batch = batch.slice(end, batch.num_rows() - end);
            }
        }
        self.last_chunk = chunks.values().last().copied();
        self.keep(batch)?;
        Ok(self)
    }

    /// Writes what is left, and tells of every fragment.
    pub(crate) async fn finish(self) -> Result<Vec<WrittenFragment>> {
        Ok(self.write().await?.written)
    }

    fn keep(&mut self, rows: RecordBatch) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let id: ArrayRef = Arc::new(Int64Array::from_value(self.next_id(), rows.num_rows()));
        let columns = rows.columns().iter().map(Arc::clone).chain([id]).collect();
        let mut bytes = 0;
        for column in rows.columns() {
            // Batches may be slices: only their own part counts.
            bytes += column.to_data().get_slice_memory_size()?;
        }
        self.pending_bytes += bytes;
        self.pending.push(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        Ok(())
    }

    fn next_id(&self) -> i64 {
        self.target.first_fragment + (self.written.len() * self.writers) as i64
    }

    /// Writes what is pending as one fragment, on a thread that may block.
    async fn write(mut self) -> Result<FragmentWriter> {
        if self.pending.is_empty() {
            return Ok(self);
        }
        let write = move || -> Result<FragmentWriter> {
            let timer = self.metrics.time.timer();
            let rows: usize = self.pending.iter().map(RecordBatch::num_rows).sum();
            let target = &self.target;
            let name = tiledb::write_fragment(
                &self.context,
                &target.array,
                target.timestamp,
                std::mem::take(&mut self.pending),
            )
            .map_err(|source| Error::Write { uri: target.array.clone(), source })?;
            fault::reached("after-fragment");
            tracing::debug!(fragment = name, rows, bytes = self.pending_bytes, "fragment written");
            self.written.push(WrittenFragment { id: self.next_id(), name, rows: rows as i64 });
            drop(timer);
            self.metrics.fragments.add(1);
            self.metrics.rows.add(rows);
            self.pending.clear();
            self.pending_bytes = 0;
            Ok(self)
        };
        tokio::task::spawn_blocking(write).await.map_err(|source| Error::Stopped { source })?
    }
}
