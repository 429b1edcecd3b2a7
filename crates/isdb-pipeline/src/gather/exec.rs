//! The gather operator: brings the rows of each chunk together. A satellite flies along, so that rows come in runs of one chunk;
//! whole runs are moved instead of rows, and those that the memory does not hold wait on disk.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
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

use crate::error::Error;
use crate::gather::by_chunk::{by_chunk, dealt_out_by_chunk};
use crate::gather::order::InOrder;
use crate::gather::run::{Run, runs_of};
use crate::gather::spilled::Spilled;
use isdb_query::CHUNK;

/// Orders each input partition by chunk, rows without one first. Of equal chunks, the order among rows is not told.
#[derive(Debug)]
pub(crate) struct GatherExec {
    input: Arc<dyn ExecutionPlan>,
    chunk: Column,
    partitions: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl GatherExec {
    /// Gathers the rows of `input`, which have a `chunk`, into `partitions` that share no chunk.
    ///
    /// # Errors
    /// When the input has no column `chunk`.
    pub(crate) fn try_new(input: Arc<dyn ExecutionPlan>, partitions: usize) -> Result<GatherExec> {
        let chunk = Column::new_with_schema(CHUNK, &input.schema())?;
        let orderings = LexOrdering::new([by_chunk(&chunk)]);
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(input.schema(), orderings),
            input.output_partitioning().clone(),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (properties, metrics) = (Arc::new(properties), ExecutionPlanMetricsSet::new());
        Ok(GatherExec { input, chunk, partitions, properties, metrics })
    }
}

impl DisplayAs for GatherExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "GatherExec: by={}", self.chunk)
    }
}

impl ExecutionPlan for GatherExec {
    fn name(&self) -> &str {
        "GatherExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        dealt_out_by_chunk(&self.chunk, self.partitions)
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let chunk: Arc<dyn PhysicalExpr> = Arc::new(self.chunk.clone());
        visit(&chunk)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) if children.is_empty() => Ok(Arc::new(GatherExec::try_new(input, self.partitions)?)),
            _ => internal_err!("GatherExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut input = self.input.execute(partition, Arc::clone(&context))?;
        let consumer = MemoryConsumer::new(format!("GatherExec[{partition}]")).with_can_spill(true);
        let mut gathered = Gathered {
            chunk: self.chunk.index(),
            held: Vec::new(),
            reservation: consumer.register(context.memory_pool()),
            spilled: Vec::new(),
            metrics: SpillMetrics::new(&self.metrics, partition),
            context,
        };
        let mut output = RecordBatchReceiverStreamBuilder::new(self.schema(), 2);
        let sender = output.tx();
        output.spawn(async move {
            while let Some(batch) = input.next().await {
                gathered = gathered.take(batch?).await?;
            }
            // Of what waits on disk, reading blocks.
            let send = move || {
                for run in gathered.in_order()? {
                    if sender.blocking_send(Ok(run?.rows)).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            tokio::task::spawn_blocking(send).await.map_err(|source| Error::Stopped { source })?
        });
        Ok(output.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The rows of one partition, as far as they have come.
struct Gathered {
    chunk: usize,
    held: Vec<Run>,
    /// The memory of what is held.
    reservation: MemoryReservation,
    spilled: Vec<Spilled>,
    metrics: SpillMetrics,
    context: Arc<TaskContext>,
}

impl Gathered {
    /// Takes rows, and spills those before them if there is no memory for both.
    async fn take(mut self, batch: RecordBatch) -> Result<Gathered> {
        let runs = runs_of(&batch, self.chunk)?;
        let bytes = runs.iter().map(|run| run.bytes).sum();
        if self.reservation.try_grow(bytes).is_err() {
            let spill = move || self.spill();
            self = tokio::task::spawn_blocking(spill).await.map_err(|source| Error::Stopped { source })??;
            self.reservation.try_grow(bytes)?;
        }
        self.held.extend(runs);
        Ok(self)
    }

    /// Moves what is held to disk. Blocks.
    fn spill(mut self) -> Result<Gathered> {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            let file = self.context.runtime_env().disk_manager.create_tmp_file("gathering the rows of chunks")?;
            self.spilled.push(Spilled::write(file, held, &self.metrics)?);
        }
        self.reservation.free();
        Ok(self)
    }

    /// The runs by chunk. What is still held goes to the others on disk, if there are any, and leaves its memory to who writes them;
    /// else it keeps its memory until it is let go. Blocks.
    fn in_order(mut self) -> Result<InOrder> {
        if !self.spilled.is_empty() {
            self = self.spill()?;
        }
        InOrder::new(self.held, self.reservation, self.spilled, self.chunk)
    }
}
