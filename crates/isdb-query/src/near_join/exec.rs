//! The operator of a join on `near`.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::condition::Condition;
use super::indexed::Indexed;
use super::matcher::{BatchJoin, indexed_rows};
use super::probe::Probe;

/// Joins the rows of two plans. The second child is the whole probe; if only rows in a circle matter, it is planned again with the ranges of
/// the circles, when these are known.
#[derive(Debug)]
pub(super) struct NearJoinExec {
    indexed: Arc<dyn ExecutionPlan>,
    all: Arc<dyn ExecutionPlan>,
    join: Join,
    properties: Arc<PlanProperties>,
}

#[derive(Clone, Debug)]
struct Join {
    probe: Arc<Probe>,
    condition: Arc<Condition>,
    metrics: ExecutionPlanMetricsSet,
}

impl NearJoinExec {
    /// Creates the operator; `all` are all rows of the probe.
    pub(super) fn new(
        indexed: Arc<dyn ExecutionPlan>,
        all: Arc<dyn ExecutionPlan>,
        probe: Probe,
        condition: Condition,
    ) -> Self {
        let metrics = ExecutionPlanMetricsSet::new();
        let join = Join { probe: Arc::new(probe), condition: Arc::new(condition), metrics };
        Self::with_children(indexed, all, join)
    }

    fn with_children(indexed: Arc<dyn ExecutionPlan>, all: Arc<dyn ExecutionPlan>, join: Join) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&join.condition.output)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { indexed, all, join, properties: Arc::new(properties) }
    }
}

impl DisplayAs for NearJoinExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let Condition { probe: [lat, lon], indexed: [centre_lat, centre_lon], metres, others, shape, .. } =
            self.join.condition.as_ref();
        write!(f, "NearJoinExec: near({lat}, {lon}, {centre_lat}, {centre_lon}, {metres})")?;
        if let Some(others) = others {
            write!(f, " AND {others}")?;
        }
        write!(f, ", output={}", shape.output)?;
        if shape.keeps_indexed || shape.keeps_probe {
            write!(f, ", keeps_indexed={}, keeps_probe={}", shape.keeps_indexed, shape.keeps_probe)?;
        }
        let read = if shape.restricts_probe() { "in the ranges of the circles" } else { "whole" };
        write!(f, ", probe read {read}")
    }
}

impl ExecutionPlan for NearJoinExec {
    fn name(&self) -> &'static str {
        "NearJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.indexed, &self.all]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([indexed, all]) = <[_; 2]>::try_from(children) else {
            return internal_err!("NearJoinExec: expected two inputs");
        };
        Ok(Arc::new(Self::with_children(indexed, all, self.join.clone())))
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; 2]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let Condition { probe, indexed, metres, others, .. } = self.join.condition.as_ref();
        let mut recursion = TreeNodeRecursion::Continue;
        for expression in probe.iter().chain(indexed).chain([metres]).chain(others) {
            recursion = recursion.visit_sibling(|| visit(expression))?;
        }
        Ok(recursion)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (join, indexed, all) = (self.join.clone(), Arc::clone(&self.indexed), Arc::clone(&self.all));
        let rows = stream::once(async move { join.run(indexed, all, partition, context).await }).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.join.metrics.clone_inner())
    }
}

impl Join {
    async fn run(
        self,
        indexed: Arc<dyn ExecutionPlan>,
        all: Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Join { probe, condition, metrics } = self;
        let indexed = Arc::new(Indexed::read(indexed, &condition, Arc::clone(&context)).await?);
        MetricBuilder::new(&metrics).counter("indexed_rows", partition).add(indexed.rows().num_rows());
        let rows_read = MetricBuilder::new(&metrics).counter("probe_rows", partition);
        let rows = match condition.shape.restricts_probe() && probe.is_stored() {
            true => probe.plan_around(indexed.circles()).await?,
            false => all,
        };
        let partitions = rows.output_partitioning().partition_count();
        let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&condition.output), partitions.max(1));
        for partition in 0..partitions {
            let (mut input, output) = (rows.execute(partition, Arc::clone(&context))?, builder.tx());
            let (condition, indexed, rows_read) = (Arc::clone(&condition), Arc::clone(&indexed), rows_read.clone());
            builder.spawn(async move {
                while let Some(batch) = input.next().await {
                    let batch = batch?;
                    rows_read.add(batch.num_rows());
                    let mut join = BatchJoin::new(&condition, &indexed, &batch)?;
                    while let Some(joined) = join.next()? {
                        // An error means that the rest is not needed.
                        if joined.num_rows() > 0 && output.send(Ok(joined)).await.is_err() {
                            return Ok(());
                        }
                    }
                }
                Ok(())
            });
        }
        let joined = builder.build();
        if !condition.shape.ends_with_indexed() {
            return Ok(joined);
        }
        let (schema, columns) = (Arc::clone(&condition.output), rows.schema());
        let last = stream::once(async move { indexed_rows(&condition, &indexed, &columns) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, joined.chain(last))))
    }
}
