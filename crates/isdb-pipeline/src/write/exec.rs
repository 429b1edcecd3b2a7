//! The write operator: collects rows, writes them as fragments of a TileDB array, several partitions at a time, and passes tallies on. No reader sees the fragments until a commit names them.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, InputDistributionRequirements,
    Partitioning, PlanProperties,
};
use futures::StreamExt;
use isdb_query::CHUNK;
use isdb_store::WrittenFragment;

use crate::operator::single_input_operator;
use crate::tally::{TALLY, Tally, tally_field};
use crate::write::partition_writer::PartitionWriter;
use crate::write::target::WriteTarget;

/// The column of the output with fragments, each as JSON text.
const FRAGMENT: &str = "fragment";

/// Writes each input partition as its own fragments: adjacent chunks share a fragment until it is full. The output has two columns,
/// `fragment` and the tally, one of them NULL in each row.
#[derive(Debug)]
pub(crate) struct TileDbWriteExec {
    input: Arc<dyn ExecutionPlan>,
    target: WriteTarget,
    chunk: Column,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TileDbWriteExec {
    /// Writes the rows of `input`, which have the columns of the array except `fragment_id`, a `chunk`, and optionally a tally.
    ///
    /// # Errors
    /// When the input has no column `chunk`.
    pub(crate) fn try_new(input: Arc<dyn ExecutionPlan>, target: WriteTarget) -> Result<TileDbWriteExec> {
        let chunk = Column::new_with_schema(CHUNK, &input.schema())?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(output_schema()),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(TileDbWriteExec { input, target, chunk, properties: Arc::new(properties), metrics })
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Result<TileDbWriteExec> {
        TileDbWriteExec::try_new(input, self.target.clone())
    }

    fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        vec![Arc::new(self.chunk.clone())]
    }
}

impl DisplayAs for TileDbWriteExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let array = self.target.location.segments();
        let array = array.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        write!(f, "TileDbWriteExec: array={array}, fragment={} MiB", self.target.fragment_bytes >> 20)
    }
}

impl ExecutionPlan for TileDbWriteExec {
    single_input_operator!("TileDbWriteExec");

    /// Partitions have no chunk in common. A single partition is required as such: distributing rows by chunk would only copy them.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![match self.target.writers {
            0 | 1 => Distribution::SinglePartition,
            _ => Distribution::KeyPartitioned(vec![Arc::new(self.chunk.clone())]),
        }])
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partitions = self.input.output_partitioning().partition_count();
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let writer =
            PartitionWriter::new(self.target.clone(), (partition, partitions), &input.schema(), context, &self.metrics);
        let output = futures::stream::try_unfold((input, Some(writer)), |(mut input, writer)| async move {
            let Some(writer) = writer else { return Ok(None) };
            Ok(match collect(writer, &mut input).await? {
                (writer, Some(tallies)) => Some((tallies, (input, Some(writer)))),
                (writer, None) => Some((to_batch(&writer.finish().await?)?, (input, None))),
            })
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(output_schema(), output)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Collects the rows of `input` up to the next batch with tallies, and returns the tallies; None at the end of the input.
async fn collect(
    mut writer: PartitionWriter,
    input: &mut SendableRecordBatchStream,
) -> Result<(PartitionWriter, Option<RecordBatch>)> {
    while let Some(batch) = input.next().await {
        let (rows, tallies) = split(batch?)?;
        writer = writer.push(rows).await?;
        if tallies.is_some() {
            return Ok((writer, tallies));
        }
    }
    Ok((writer, None))
}

/// Splits a batch into its rows and, if it has any, its tallies as rows of the output.
fn split(mut batch: RecordBatch) -> Result<(RecordBatch, Option<RecordBatch>)> {
    let Ok(index) = batch.schema().index_of(TALLY) else { return Ok((batch, None)) };
    let tallies = batch.remove_column(index);
    if tallies.null_count() == tallies.len() {
        return Ok((batch, None));
    }
    let is_row: BooleanArray = (0..tallies.len()).map(|row| Some(tallies.is_null(row))).collect();
    let fragments = new_null_array(&DataType::Utf8, tallies.len());
    let tallies = RecordBatch::try_new(output_schema(), vec![fragments, tallies])?;
    Ok((filter_record_batch(&batch, &is_row)?, Some(tallies)))
}

/// Encodes fragments as rows of the output.
fn to_batch(written: &[WrittenFragment]) -> Result<RecordBatch> {
    let json = |fragment| serde_json::to_string(fragment).map_err(external);
    let fragments = written.iter().map(json).collect::<Result<Vec<String>>>()?;
    let tallies = new_null_array(tally_field().data_type(), fragments.len());
    Ok(RecordBatch::try_new(output_schema(), vec![Arc::new(StringArray::from(fragments)), tallies])?)
}

fn output_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(FRAGMENT, DataType::Utf8, true), tally_field()]))
}

/// Decodes one batch of the operator's output.
pub(crate) fn fragments_and_tallies(batch: &RecordBatch) -> Result<(Vec<WrittenFragment>, Vec<Tally>)> {
    let fragments = batch.column(0).as_string::<i32>().iter().flatten();
    let written = fragments.map(|json| serde_json::from_str(json).map_err(external)).collect::<Result<_>>()?;
    Ok((written, Tally::decode(batch.column(1))?))
}

fn external(error: serde_json::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use isdb_store::{Bounds, FileChecksum, FragmentRecord, Id};

    use super::*;

    #[test]
    fn a_fragment_is_the_same_after_its_row() {
        let record = FragmentRecord {
            id: Id::new(7, 9),
            name: "__1_1_x_22".to_owned(),
            rows: 3,
            bounds: Bounds { latitude: (-0.1, 0.3), longitude: (-180.0, 179.9), time: (1, i64::MAX) },
            chunks: vec![(4, 2), (9, 1)],
            footer: FileChecksum { bytes: 5, crc32c: u32::MAX },
        };
        let written = WrittenFragment { record, attempts: [(Id::new(7, 1), 3)].into() };
        let batch = to_batch(std::slice::from_ref(&written)).unwrap();
        let (fragments, tallies) = fragments_and_tallies(&batch).unwrap();
        assert_eq!((fragments, tallies), (vec![written], Vec::new()));
    }
}
