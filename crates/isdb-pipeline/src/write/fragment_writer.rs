//! Packs rows that are sorted by chunk into fragments: adjacent chunks share a fragment until it is full, and a fragment ends
//! between two chunks if possible.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};
use isdb_query::CHUNK;
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::{Id, WrittenFragment, fault, write_fragment};
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::memory::slice_bytes;
use crate::tally::TALLY;
use crate::write::target::WriteTarget;

/// Fragments that are written at a time: each is encoded by one core.
const MAX_CONCURRENT: usize = 2;

/// Collects rows until they fill a fragment, and writes it while the rows of the next fragment arrive.
pub(crate) struct FragmentWriter {
    target: WriteTarget,
    /// The number of this writer, from 0, and the number of all.
    writer: (usize, usize),
    schema: SchemaRef,
    pending: Vec<RecordBatch>,
    pending_bytes: usize,
    last_chunk: Option<i32>,
    /// The fragments that are being written, each on a thread that may block.
    writing: VecDeque<JoinHandle<Result<WrittenFragment>>>,
    written: Vec<WrittenFragment>,
    metrics: WriteMetrics,
}

/// Metrics of a writer for EXPLAIN ANALYZE.
#[derive(Clone, Default)]
struct WriteMetrics {
    fragments: Count,
    rows: Count,
    time: Time,
}

impl FragmentWriter {
    /// Creates a writer for rows with the columns of `input`. `writer` is its number, from 0, and the number of all writers.
    pub(crate) fn new(target: WriteTarget, writer: (usize, usize), input: &SchemaRef) -> FragmentWriter {
        let is_stored = |field: &&Arc<Field>| ![TALLY, CHUNK].contains(&field.name().as_str());
        let mut fields: Vec<Arc<Field>> = input.fields().iter().filter(is_stored).map(Arc::clone).collect();
        fields.push(Arc::new(Field::new(FRAGMENT_ID, DataType::Int64, false)));
        FragmentWriter {
            target,
            writer,
            schema: Arc::new(Schema::new(fields)),
            pending: Vec::new(),
            pending_bytes: 0,
            last_chunk: None,
            writing: VecDeque::new(),
            written: Vec::new(),
            metrics: WriteMetrics::default(),
        }
    }

    /// Adds the metrics of this writer to `metrics`, for `partition`.
    pub(crate) fn with_metrics(self, metrics: &ExecutionPlanMetricsSet, partition: usize) -> FragmentWriter {
        let metrics = WriteMetrics {
            fragments: MetricBuilder::new(metrics).counter("fragments", partition),
            rows: MetricBuilder::new(metrics).output_rows(partition),
            time: MetricBuilder::new(metrics).subset_time("write_time", partition),
        };
        FragmentWriter { metrics, ..self }
    }

    /// Adds the rows of `batch`, and begins to write the fragment that they complete.
    pub(crate) async fn push(&mut self, mut batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let chunks = batch.remove_column(batch.schema().index_of(CHUNK)?);
        let chunks = chunks.as_primitive::<Int32Type>();
        let full = self.target.fragment_bytes;
        // From three quarters on, the fragment ends at the next chunk.
        if self.pending_bytes >= full - full / 4 {
            let mut previous = self.last_chunk;
            let change = chunks.values().iter().position(|chunk| previous.replace(*chunk).is_some_and(|p| p != *chunk));
            // A chunk larger than a fragment may be split at any row.
            if let Some(end) = change.or((self.pending_bytes >= full).then_some(0)) {
                self.add(batch.slice(0, end))?;
                self.begin_fragment().await?;
                batch = batch.slice(end, batch.num_rows() - end);
            }
        }
        self.last_chunk = chunks.values().last().copied();
        self.add(batch)
    }

    /// Writes the remaining rows, and returns all fragments.
    pub(crate) async fn finish(mut self) -> Result<Vec<WrittenFragment>> {
        // An error must not be returned while fragments are still being written.
        let begun = self.begin_fragment().await;
        let ended = self.wait_for_all().await;
        begun.and(ended)?;
        Ok(self.written)
    }

    /// Waits for all fragments that are being written, and returns the first error.
    pub(crate) async fn wait_for_all(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        while !self.writing.is_empty() {
            let ended = self.wait_for_oldest().await;
            outcome = outcome.and(ended);
        }
        outcome
    }

    /// Waits for the oldest fragment that is being written.
    async fn wait_for_oldest(&mut self) -> Result<()> {
        if let Some(writing) = self.writing.pop_front() {
            let interrupted = |source| Error::Interrupted { uri: self.target.location.segments(), source };
            self.written.push(writing.await.map_err(interrupted)??);
        }
        Ok(())
    }

    fn add(&mut self, rows: RecordBatch) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let id: ArrayRef = Arc::new(Int64Array::from_value(self.next_id().0, rows.num_rows()));
        let columns = rows.columns().iter().map(Arc::clone).chain([id]).collect();
        self.pending_bytes += slice_bytes(&rows)?;
        self.pending.push(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        Ok(())
    }

    /// Returns the id of the pending fragment.
    fn next_id(&self) -> Id {
        let (writer, writers) = self.writer;
        self.target.fragment_id(self.written.len() + self.writing.len(), writer, writers)
    }

    /// Begins to write the pending rows as one fragment, after the oldest one if [`MAX_CONCURRENT`] are being written.
    async fn begin_fragment(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let id = self.next_id();
        if self.writing.len() >= MAX_CONCURRENT {
            self.wait_for_oldest().await?;
        }
        let location = self.target.location.clone();
        let timestamp = self.target.window.timestamp;
        let (pending, bytes) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.pending_bytes));
        let metrics = self.metrics.clone();
        let span = tracing::Span::current();
        self.writing.push_back(tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let timer = metrics.time.timer();
            let rows: usize = pending.iter().map(RecordBatch::num_rows).sum();
            let written = write_fragment(&location, timestamp, id, pending).map_err(Error::Store)?;
            fault::reached("after-fragment");
            tracing::debug!(fragment = written.record.name, rows, bytes, "fragment written");
            drop(timer);
            metrics.fragments.add(1);
            metrics.rows.add(rows);
            Ok(written)
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StringArray};
    use arrow::compute::cast;
    use isdb_schema::catalogue::variable;
    use isdb_schema::segments::stored_fields;
    use isdb_store::{Database, Design, Location, Writer};

    use super::*;

    /// Creates rows of one chunk, with values that are valid in any column.
    fn rows_of(chunk: i32, rows: usize) -> RecordBatch {
        let fields = stored_fields(&[variable("h_canopy").unwrap()]);
        let mut fields: Vec<Field> = fields.into_iter().filter(|field| field.name() != FRAGMENT_ID).collect();
        fields.push(Field::new(CHUNK, DataType::Int32, true));
        let column = |field: &Field| {
            if let DataType::Dictionary(..) = field.data_type() {
                let text = field.metadata()["enumeration"].split(' ').next().unwrap();
                return cast(&StringArray::from(vec![text; rows]), field.data_type()).unwrap();
            }
            let value = if field.name() == CHUNK { chunk } else { 1 };
            let whole = cast(&Int32Array::from_value(value, rows), &DataType::Int64).unwrap();
            cast(&whole, field.data_type()).unwrap()
        };
        let columns = fields.iter().map(column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[tokio::test]
    async fn a_fragment_ends_between_chunks_unless_a_chunk_fills_it() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().join("db").to_str().unwrap()).unwrap();
        let database = Database::create(&location, &Design::new(&[variable("h_canopy").unwrap()]), 1).await.unwrap();
        let window = Writer::take_over(&database, 2).await.unwrap().begin_window(1, 2).unwrap();
        let mut ten = rows_of(0, 10);
        ten.remove_column(ten.num_columns() - 1);
        let target = WriteTarget {
            location: location.clone(),
            window,
            task: (0, 1),
            fragment_bytes: slice_bytes(&ten).unwrap(),
            writers: 1,
        };
        let mut writer = FragmentWriter::new(target, (0, 1), &rows_of(0, 0).schema());
        for (chunk, rows) in [(0, 4), (1, 4), (2, 4), (3, 4), (4, 5), (4, 5), (4, 5), (4, 5), (5, 4), (6, 0)] {
            writer.push(rows_of(chunk, rows)).await.unwrap();
        }
        let written = writer.finish().await.unwrap();
        let fragments: Vec<_> = written.iter().map(|fragment| (fragment.record.id, fragment.record.rows)).collect();
        let expected = [8, 8, 10, 10, 4].iter().zip(0..).map(|(rows, index)| (window.fragment_id(index), *rows));
        assert_eq!(fragments, expected.collect::<Vec<_>>());
    }
}
