//! The gather operator: brings the rows of each chunk together. Rows arrive in runs of one chunk, because they follow the
//! satellite's track; so whole runs are sorted instead of rows, and runs that do not fit in memory are spilled to disk.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, InputDistributionRequirements,
    PlanProperties,
};
use futures::StreamExt;
use isdb_query::CHUNK;
use isdb_store::run_blocking;

use crate::error::Error;
use crate::gather::merge::MergedRuns;
use crate::gather::requirements::{chunk_order, distributed_by_chunk};
use crate::gather::run::{Run, split_into_runs};
use crate::gather::spilled::SpilledRuns;
use crate::operator::single_input_operator;

/// Orders each input partition by chunk, rows without a chunk first. The order within a chunk is not specified.
#[derive(Debug)]
pub(crate) struct GatherExec {
    input: Arc<dyn ExecutionPlan>,
    chunk: Column,
    partitions: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl GatherExec {
    /// Gathers the rows of `input`, which have a column `chunk`, in `partitions` that have no chunk in common.
    ///
    /// # Errors
    /// When the input has no column `chunk`.
    pub(crate) fn try_new(input: Arc<dyn ExecutionPlan>, partitions: usize) -> Result<GatherExec> {
        let chunk = Column::new_with_schema(CHUNK, &input.schema())?;
        let orderings = LexOrdering::new([chunk_order(&chunk)]);
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(input.schema(), orderings),
            input.output_partitioning().clone(),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (properties, metrics) = (Arc::new(properties), ExecutionPlanMetricsSet::new());
        Ok(GatherExec { input, chunk, partitions, properties, metrics })
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Result<GatherExec> {
        GatherExec::try_new(input, self.partitions)
    }

    fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        vec![Arc::new(self.chunk.clone())]
    }
}

impl DisplayAs for GatherExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "GatherExec: by={}", self.chunk)
    }
}

impl ExecutionPlan for GatherExec {
    single_input_operator!("GatherExec");

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        distributed_by_chunk(&self.chunk, self.partitions)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut input = self.input.execute(partition, Arc::clone(&context))?;
        let consumer = MemoryConsumer::new(format!("GatherExec[{partition}]")).with_can_spill(true);
        let mut gathered = GatheredRows {
            chunk: self.chunk.index(),
            in_memory: Vec::new(),
            reservation: consumer.register(context.memory_pool()),
            spilled: Vec::new(),
            metrics: SpillMetrics::new(&self.metrics, partition),
            context,
        };
        let mut output = RecordBatchReceiverStreamBuilder::new(self.schema(), 2);
        let sender = output.tx();
        output.spawn(async move {
            while let Some(batch) = input.next().await {
                gathered = gathered.push(batch?).await?;
            }
            // Reading spilled runs blocks.
            let send = move || {
                for run in gathered.merge()? {
                    if sender.blocking_send(Ok(run?.rows)).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            run_blocking(send).await.map_err(Error::from)?
        });
        Ok(output.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The rows of one partition that have arrived so far.
struct GatheredRows {
    /// The index of the column `chunk`.
    chunk: usize,
    in_memory: Vec<Run>,
    /// The memory of `in_memory`.
    reservation: MemoryReservation,
    spilled: Vec<SpilledRuns>,
    metrics: SpillMetrics,
    context: Arc<TaskContext>,
}

impl GatheredRows {
    /// Adds rows. If memory is short, spills the earlier rows first.
    async fn push(mut self, batch: RecordBatch) -> Result<GatheredRows> {
        let runs = split_into_runs(&batch, self.chunk)?;
        let bytes = runs.iter().map(|run| run.bytes).sum();
        if self.reservation.try_grow(bytes).is_err() {
            self = run_blocking(move || self.spill()).await.map_err(Error::from)??;
            self.reservation.try_grow(bytes)?;
        }
        self.in_memory.extend(runs);
        Ok(self)
    }

    /// Moves the rows in memory to disk. Blocks.
    fn spill(mut self) -> Result<GatheredRows> {
        let runs = std::mem::take(&mut self.in_memory);
        if !runs.is_empty() {
            let file = self.context.runtime_env().disk_manager.create_tmp_file("gathering the rows of chunks")?;
            self.spilled.push(SpilledRuns::write(file, runs, &self.metrics)?);
        }
        self.reservation.free();
        Ok(self)
    }

    /// Returns the runs by chunk. If any were spilled, the rest is spilled as well, so that the write operator can use its memory;
    /// otherwise each run keeps its memory until it is passed on. Blocks.
    fn merge(mut self) -> Result<MergedRuns> {
        if !self.spilled.is_empty() {
            self = self.spill()?;
        }
        MergedRuns::new(self.in_memory, self.reservation, self.spilled, self.chunk)
    }
}
