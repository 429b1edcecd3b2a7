//! Reads one partition as a stream of record batches: by tile where it is polled, because decoding is work for the query's own threads,
//! or through libtiledb, which waits for its own threads, so that another thread reads ahead and sends batches through a short channel.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use datafusion::physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter};
use futures::Stream;
use tiledb::{Array, ReadRequest, Reader};

use crate::dynamic_filter::DynamicFilterWatch;
use crate::error::Error;
use crate::read_memory::{ReadMemory, StepMemory};

/// Number of batches that are read ahead of the consumer.
const READ_AHEAD: usize = 2;

/// The approximate size of a batch in bytes. Each submit of a TileDB query has a fixed cost, so batches are large.
const BATCH_BYTES: usize = 8 << 20;
const BATCH_ROWS: std::ops::RangeInclusive<usize> = 8_192..=131_072;

/// Estimated bytes of a string or another value of variable length.
const VARIABLE_WIDTH: usize = 16;

/// A read by tile, which begins at the first poll.
struct TileStream {
    array: Array,
    request: ReadRequest,
    schema: SchemaRef,
    reader: Option<Reader>,
    memory: StepMemory,
    remaining: usize,
    watch: Option<DynamicFilterWatch>,
    metrics: BaselineMetrics,
}

impl TileStream {
    /// Reads some tiles. An inner `None` if no row of them is left, an outer one at the end.
    fn advance(&mut self) -> Result<Option<Option<RecordBatch>>, DataFusionError> {
        if self.remaining == 0 {
            return Ok(None);
        }
        let _timer = self.metrics.elapsed_compute().timer();
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(self.array.read(&self.request).map_err(|error| read_error(&self.array, error))?),
        };
        if let Some(watch) = &mut self.watch
            && let Some(condition) = watch.changed(&self.array, &self.schema)?
        {
            reader.restrict(&condition).map_err(|error| read_error(&self.array, error))?;
        }
        self.memory.reserve(reader)?;
        let next = reader.next_step().transpose();
        self.memory.release(reader);
        let next = next.map_err(|error| read_error(&self.array, error))?;
        let Some(step) = next else { return Ok(None) };
        let Some(batch) = step else { return Ok(Some(None)) };
        let batch = first_rows(batch, self.remaining);
        self.remaining -= batch.num_rows();
        Ok(Some(Some(batch.record_output(&self.metrics))))
    }
}

impl Stream for TileStream {
    type Item = Result<RecordBatch, DataFusionError>;

    /// Returns to the scheduler after each step, so that a query can be cancelled however rare its rows are.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.advance() {
            Ok(Some(Some(batch))) => Poll::Ready(Some(Ok(batch))),
            Ok(Some(None)) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            end => {
                self.remaining = 0;
                self.reader = None;
                self.memory.free();
                self.metrics.done();
                Poll::Ready(end.err().map(Err))
            }
        }
    }
}

fn read_error(array: &Array, source: tiledb::Error) -> DataFusionError {
    Error::Read { uri: array.uri().to_owned(), source }.into()
}

/// Streams the rows of the tiles of `request`, at most `fetch`. A step of the read reserves its bytes in `memory`.
pub(crate) fn read_tiles(
    array: Array,
    request: ReadRequest,
    memory: StepMemory,
    schema: SchemaRef,
    fetch: Option<usize>,
    watch: Option<DynamicFilterWatch>,
    metrics: BaselineMetrics,
) -> SendableRecordBatchStream {
    let remaining = fetch.unwrap_or(usize::MAX);
    let batches = {
        let schema = Arc::clone(&schema);
        TileStream { array, request, schema, reader: None, memory, remaining, watch, metrics }
    };
    Box::pin(cooperative(RecordBatchStreamAdapter::new(schema, batches)))
}

/// Streams the rows of `request` that libtiledb reads, at most `fetch`. It uses at most `memory` bytes for tiles; its default for None.
/// After the stream is dropped, the thread ends when its current submit returns.
pub(crate) fn read_ahead(
    array: Array,
    request: ReadRequest,
    memory: Option<u64>,
    schema: SchemaRef,
    fetch: Option<usize>,
    metrics: BaselineMetrics,
) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStreamBuilder::new(schema, READ_AHEAD);
    let sender = builder.tx();
    builder.spawn_blocking(move || {
        let read_error = |source| read_error(&array, source);
        let timer = metrics.elapsed_compute().timer();
        let mut reader = array.read_within(&request, memory).map_err(read_error)?;
        timer.done();
        let mut remaining = fetch.unwrap_or(usize::MAX);
        while remaining > 0 {
            let timer = metrics.elapsed_compute().timer();
            let Some(batch) = reader.next().transpose().map_err(read_error)? else { break };
            timer.done();
            let batch = first_rows(batch, remaining).record_output(&metrics);
            remaining -= batch.num_rows();
            if sender.blocking_send(Ok(batch)).is_err() {
                // the stream was dropped
                break;
            }
        }
        metrics.done();
        Ok(())
    });
    builder.build()
}

fn first_rows(batch: RecordBatch, limit: usize) -> RecordBatch {
    if batch.num_rows() > limit { batch.slice(0, limit) } else { batch }
}

/// Returns the rows of one batch: as many as fit in [`BATCH_BYTES`], at most twice the `expected` rows, and at most `fetch`.
/// With little memory batches are smaller.
pub(crate) fn batch_rows(
    schema: &SchemaRef,
    expected: usize,
    fetch: Option<usize>,
    budget: Option<&ReadMemory>,
) -> usize {
    let row: usize = schema.fields().iter().map(|field| width(field.data_type())).sum();
    let row = row.max(1);
    let bytes = budget.map_or(BATCH_BYTES, |budget| BATCH_BYTES.min(budget.batch_bytes()));
    let fewest = *BATCH_ROWS.start();
    let least = if bytes < BATCH_BYTES { fewest.min(bytes / row).max(1) } else { fewest };
    let rows = (bytes / row).min(expected.saturating_mul(2)).clamp(least, *BATCH_ROWS.end());
    rows.min(fetch.unwrap_or(usize::MAX).max(1))
}

fn width(kind: &DataType) -> usize {
    match kind {
        DataType::FixedSizeList(item, length) => usize::try_from(*length).unwrap_or(1) * width(item.data_type()),
        other => other.primitive_width().unwrap_or(VARIABLE_WIDTH),
    }
}
