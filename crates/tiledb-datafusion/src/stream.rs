//! Reads one partition: libtiledb blocks, so a thread reads ahead through a short channel into a record batch stream.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use tiledb::{Array, ReadRequest};

use crate::error::Error;
use crate::read_memory::ReadMemory;

/// Batches read ahead of the consumer.
const READ_AHEAD: usize = 2;

/// A submit of a TileDB query has a price of its own, so that one batch is about this large.
const BATCH_BYTES: usize = 8 << 20;
const BATCH_ROWS: std::ops::RangeInclusive<usize> = 8_192..=131_072;

/// What a string or another value of variable length is taken to need.
const VARIABLE_WIDTH: usize = 16;

/// Streams what `request` asks of `array`, at most `fetch` rows of it. libtiledb uses at most `memory` bytes for tiles, if that is
/// given.
///
/// A dropped stream ends the thread when its current submit returns.
pub(crate) fn read(
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
        let failed = |source| DataFusionError::from(Error::Read { uri: array.uri().to_owned(), source });
        let timer = metrics.elapsed_compute().timer();
        let mut reader = array.read_within(&request, memory).map_err(failed)?;
        timer.done();
        let mut wanted = fetch.unwrap_or(usize::MAX);
        while wanted > 0 {
            let timer = metrics.elapsed_compute().timer();
            let Some(batch) = reader.next().transpose().map_err(failed)? else { break };
            timer.done();
            let batch = first_rows(batch, wanted).record_output(&metrics);
            wanted -= batch.num_rows();
            if sender.blocking_send(Ok(batch)).is_err() {
                // nobody listens any more
                break;
            }
        }
        metrics.done();
        Ok(())
    });
    builder.build()
}

fn first_rows(batch: RecordBatch, wanted: usize) -> RecordBatch {
    if batch.num_rows() > wanted { batch.slice(0, wanted) } else { batch }
}

/// Rows of one batch: what fits the byte budget, not many more than there are likely to be, and not more than the limit
/// asks for. In little memory batches are smaller.
pub(crate) fn batch_rows(
    schema: &SchemaRef,
    expected: usize,
    fetch: Option<usize>,
    budget: Option<ReadMemory>,
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
