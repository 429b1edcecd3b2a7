//! Collects the rows of one partition, and writes them as fragments, one after the other, each with several threads.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, SpillMetrics, Time};
use isdb_query::CHUNK;
use isdb_store::{WrittenFragment, fault, write_fragment};

use crate::collect::collector::Collector;
use crate::collect::fragment_rows::FragmentRows;
use crate::error::Error;
use crate::tally::TALLY;
use crate::write::target::WriteTarget;

/// The writer of one partition.
pub(crate) struct PartitionWriter {
    target: WriteTarget,
    /// The number of this writer, from 0, and the number of all.
    writer: (usize, usize),
    /// The threads that encode the columns of a fragment.
    threads: usize,
    collector: Collector,
    metrics: WriteMetrics,
}

/// Metrics of a writer for EXPLAIN ANALYZE.
#[derive(Clone)]
struct WriteMetrics {
    fragments: Count,
    rows: Count,
    time: Time,
}

impl PartitionWriter {
    /// Creates the writer of partition `writer.0` of `writer.1`, for rows with the columns of `input`.
    pub(crate) fn new(
        target: WriteTarget,
        writer: (usize, usize),
        input: &SchemaRef,
        context: Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> PartitionWriter {
        let (partition, partitions) = writer;
        let is_stored = |field: &&Arc<Field>| ![TALLY, CHUNK].contains(&field.name().as_str());
        let fields: Vec<Arc<Field>> = input.fields().iter().filter(is_stored).map(Arc::clone).collect();
        let threads = (context.session_config().target_partitions() / partitions.max(1)).max(1);
        let spilled = SpillMetrics::new(metrics, partition);
        PartitionWriter {
            target,
            writer,
            threads,
            collector: Collector::new(context, Schema::new(fields), partition, spilled),
            metrics: WriteMetrics {
                fragments: MetricBuilder::new(metrics).counter("fragments", partition),
                rows: MetricBuilder::new(metrics).output_rows(partition),
                time: MetricBuilder::new(metrics).subset_time("write_time", partition),
            },
        }
    }

    /// Collects the rows of `batch`.
    pub(crate) async fn push(self, mut batch: RecordBatch) -> Result<PartitionWriter> {
        let chunks = batch.remove_column(batch.schema().index_of(CHUNK)?);
        let collector = self.collector.push(batch, &chunks).await?;
        Ok(PartitionWriter { collector, ..self })
    }

    /// Writes all rows, and returns their fragments.
    pub(crate) async fn finish(self) -> Result<Vec<WrittenFragment>> {
        let PartitionWriter { target, writer: (writer, writers), threads, collector, metrics } = self;
        let mut written = Vec::new();
        for (index, rows) in collector.finish(target.fragment_bytes).into_iter().enumerate() {
            let rows = rows.with_id(target.fragment_id(index, writer, writers));
            let (target, metrics, span) = (target.clone(), metrics.clone(), tracing::Span::current());
            let array = target.location.segments();
            let writing = tokio::task::spawn_blocking(move || {
                let _entered = span.entered();
                write(&target, &rows, threads, &metrics)
            });
            written.push(writing.await.map_err(|source| Error::Interrupted { uri: array, source })??);
        }
        Ok(written)
    }
}

/// Writes `rows` as one fragment.
fn write(target: &WriteTarget, rows: &FragmentRows, threads: usize, metrics: &WriteMetrics) -> Result<WrittenFragment> {
    let timer = metrics.time.timer();
    let written = write_fragment(&target.location, target.window.timestamp, rows.id(), rows, threads);
    let written = written.map_err(Error::Store)?;
    fault::reached("after-fragment");
    tracing::debug!(fragment = written.record.name, rows = rows.count(), "fragment written");
    drop(timer);
    metrics.fragments.add(1);
    metrics.rows.add(rows.count());
    Ok(written)
}
