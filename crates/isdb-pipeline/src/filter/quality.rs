//! The quality operator: named predicates in their order over the rows of each granule, then the columns to store. It hands
//! on the rows that stay and one tally row per granule, which tells what was removed and why.
//!
//! Filters and derived columns are one operator, since a granule over which one of them fails (a division by zero) must end
//! as failed as a whole, before a row of it is handed on, while the others go on.

use std::collections::VecDeque;
use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::{Array as _, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;

use crate::filter::sieve::Sieve;
use crate::stored::merged::Merges;
use crate::tally::{TALLY, Tally};

/// The metric that tells how many rows of whole granules have stayed.
pub(crate) const ROWS_KEPT: &str = "rows_kept";

/// A named predicate over the operator's input.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Name in the tally.
    pub(crate) name: String,
    /// A row stays if this is TRUE.
    pub(crate) predicate: Arc<dyn PhysicalExpr>,
    /// The columns that it looks at.
    pub(crate) columns: Vec<String>,
}

/// A column of the operator's output.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// Its field.
    pub(crate) field: Field,
    /// Its value over the operator's input.
    pub(crate) value: Arc<dyn PhysicalExpr>,
}

/// Removes rows and computes columns, granule by granule, in each partition by itself.
#[derive(Debug)]
pub(crate) struct QualityExec {
    input: Arc<dyn ExecutionPlan>,
    filters: Arc<[Filter]>,
    outputs: Arc<[Output]>,
    merges: Arc<Merges>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl QualityExec {
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        filters: Arc<[Filter]>,
        outputs: Arc<[Output]>,
        merges: Arc<Merges>,
    ) -> QualityExec {
        let schema = Arc::new(Schema::new(outputs.iter().map(|output| output.field.clone()).collect::<Vec<_>>()));
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        QualityExec { input, filters, outputs, merges, schema, properties: Arc::new(properties), metrics }
    }
}

impl DisplayAs for QualityExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let filters: Vec<String> =
            self.filters.iter().map(|filter| format!("{}: {}", filter.name, filter.predicate)).collect();
        write!(f, "QualityExec: filters=[{}], columns={}", filters.join("; "), self.outputs.len())
    }
}

impl ExecutionPlan for QualityExec {
    fn name(&self) -> &str {
        "QualityExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        // Rows of one granule have to stay together, in front of their tally.
        vec![false]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        let predicates = self.filters.iter().map(|filter| &filter.predicate);
        for expression in predicates.chain(self.outputs.iter().map(|output| &output.value)) {
            recursion = recursion.visit_sibling(|| visit(expression))?;
        }
        Ok(recursion)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) if children.is_empty() => {
                let (filters, outputs) = (Arc::clone(&self.filters), Arc::clone(&self.outputs));
                Ok(Arc::new(QualityExec::new(input, filters, outputs, Arc::clone(&self.merges))))
            }
            _ => internal_err!("QualityExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (filters, outputs) = (Arc::clone(&self.filters), Arc::clone(&self.outputs));
        let sieve = Sieve::new(filters, outputs, Arc::clone(&self.merges), Arc::clone(&self.schema));
        let kept = MetricBuilder::new(&self.metrics).counter(ROWS_KEPT, partition);
        let state = (input, sieve, VecDeque::new(), kept);
        let output = futures::stream::try_unfold(state, |(mut input, mut sieve, mut ready, kept)| async move {
            loop {
                if let Some(batch) = ready.pop_front() {
                    return Ok(Some((batch, (input, sieve, ready, kept))));
                }
                let Some(batch) = input.next().await.transpose()? else { return Ok(None) };
                ready.extend(through(&mut sieve, &batch, &kept)?);
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), output)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// What leaves the sieve when `batch` goes in: nothing until a tally ends its granule.
fn through(sieve: &mut Sieve, batch: &RecordBatch, kept: &Count) -> Result<Vec<RecordBatch>> {
    let Some(tallies) = batch.column_by_name(TALLY) else { return internal_err!("the rows carry no tally") };
    let (mut ready, mut begin) = (Vec::new(), 0);
    for end in (0..batch.num_rows()).filter(|row| tallies.is_valid(*row)) {
        sieve.rows(&batch.slice(begin, end - begin));
        if let Some(tally) = Tally::from_column(&tallies.slice(end, 1))?.pop() {
            let granule = sieve.finish(tally)?;
            // The last row is the tally.
            kept.add(granule.iter().map(RecordBatch::num_rows).sum::<usize>().saturating_sub(1));
            ready.extend(granule);
        }
        begin = end + 1;
    }
    sieve.rows(&batch.slice(begin, batch.num_rows() - begin));
    Ok(ready)
}
