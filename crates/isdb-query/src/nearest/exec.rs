//! The operator that reads growing circles.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, PlanProperties, collect,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::circles::Circles;

/// Radius of the first circle, metres.
const FIRST: f64 = 1_000.0;

/// Returns the first rows of the smallest circle that has enough of them. Its child is the plan of the first circle; the next ones, each
/// twice as wide, are planned when they are needed.
#[derive(Debug)]
pub(super) struct NearestExec {
    first: Arc<dyn ExecutionPlan>,
    search: Search,
    properties: Arc<PlanProperties>,
}

#[derive(Clone, Debug)]
struct Search {
    circles: Arc<Circles>,
    order: LexOrdering,
    limit: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl NearestExec {
    /// Plans the first circle.
    pub(super) async fn try_new(circles: Circles, order: LexOrdering, limit: usize) -> Result<Self> {
        let first = circles.plan(FIRST).await?;
        let search = Search { circles: Arc::new(circles), order, limit, metrics: ExecutionPlanMetricsSet::new() };
        Ok(Self::with_first(first, search))
    }

    fn with_first(first: Arc<dyn ExecutionPlan>, search: Search) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(first.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { first, search, properties: Arc::new(properties) }
    }
}

impl DisplayAs for NearestExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let Search { order, limit, .. } = &self.search;
        write!(f, "NearestExec: order=[{order}], limit={limit}, circle={FIRST} m, doubled until it has the rows")
    }
}

impl ExecutionPlan for NearestExec {
    fn name(&self) -> &'static str {
        "NearestExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.first]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(first) if children.is_empty() => Ok(Arc::new(Self::with_first(first, self.search.clone()))),
            _ => internal_err!("NearestExec: expected one input"),
        }
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for key in &self.search.order {
            recursion = recursion.visit_sibling(|| visit(&key.expr))?;
        }
        Ok(recursion)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (search, first) = (self.search.clone(), Arc::clone(&self.first));
        let circles = MetricBuilder::new(&search.metrics).counter("circles", partition);
        let rows_read = MetricBuilder::new(&search.metrics).counter("rows_read", partition);
        let rows = stream::once(async move { search.run(first, &context, &circles, &rows_read).await })
            .map_ok(|batches| stream::iter(batches).map(Ok))
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.search.metrics.clone_inner())
    }
}

impl Search {
    async fn run(
        &self,
        first: Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
        circles: &Count,
        rows_read: &Count,
    ) -> Result<Vec<RecordBatch>> {
        let (mut circle, mut radius) = (first, FIRST);
        loop {
            let nearest = self.nearest(Arc::clone(&circle));
            let batches = collect(nearest, Arc::clone(context)).await?;
            circles.add(1);
            rows_read.add(rows_of_scans(&circle));
            let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
            if found >= self.limit || Circles::is_everything(radius) {
                return Ok(batches);
            }
            radius *= 2.0;
            circle = self.circles.plan(radius).await?;
        }
    }

    /// Plans the first rows of `circle`. DataFusion's optimizer does not see these operators: it might replace the merge by one that
    /// keeps any rows.
    fn nearest(&self, circle: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let partitions = circle.output_partitioning().partition_count();
        let sort = SortExec::new(self.order.clone(), circle)
            .with_fetch(Some(self.limit))
            .with_preserve_partitioning(partitions > 1);
        if partitions <= 1 {
            return Arc::new(sort);
        }
        Arc::new(SortPreservingMergeExec::new(self.order.clone(), Arc::new(sort)).with_fetch(Some(self.limit)))
    }
}

/// Returns how many rows the scans of `plan` have read.
fn rows_of_scans(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let children = plan.children();
    match children.is_empty() {
        true => plan.metrics().and_then(|metrics| metrics.output_rows()).unwrap_or(0),
        false => children.into_iter().map(rows_of_scans).sum(),
    }
}
