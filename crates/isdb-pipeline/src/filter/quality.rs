//! The quality operator: applies named filters in their order to the rows of each granule, then computes the columns to store.
//! Passes on the remaining rows and one tally per granule, with the counts of each filter.
//!
//! Filters and derived columns are one operator because a granule over which one of them fails (a division by zero) must fail as a
//! whole, before any of its rows is passed on, while other granules continue.

use std::collections::VecDeque;
use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::{Array as _, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;

use crate::filter::expressions::{FilterExpr, OutputColumn};
use crate::filter::granule_filter::GranuleFilter;
use crate::operator::single_input_operator;
use crate::stored::earlier_attempts::EarlierAttempts;
use crate::tally::{TALLY, Tally};

/// The metric of rows kept, counted when their granule is complete.
pub(crate) const ROWS_KEPT: &str = "rows_kept";

/// Removes rows and computes columns, granule by granule, in each partition separately.
#[derive(Debug)]
pub(crate) struct QualityExec {
    input: Arc<dyn ExecutionPlan>,
    filters: Arc<[FilterExpr]>,
    outputs: Arc<[OutputColumn]>,
    earlier: Arc<EarlierAttempts>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl QualityExec {
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        filters: Arc<[FilterExpr]>,
        outputs: Arc<[OutputColumn]>,
        earlier: Arc<EarlierAttempts>,
    ) -> QualityExec {
        let schema = Arc::new(Schema::new(outputs.iter().map(|output| output.field.clone()).collect::<Vec<_>>()));
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        QualityExec { input, filters, outputs, earlier, schema, properties: Arc::new(properties), metrics }
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Result<QualityExec> {
        let (filters, outputs) = (Arc::clone(&self.filters), Arc::clone(&self.outputs));
        Ok(QualityExec::new(input, filters, outputs, Arc::clone(&self.earlier)))
    }

    fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        let predicates = self.filters.iter().map(|filter| &filter.predicate);
        predicates.chain(self.outputs.iter().map(|output| &output.value)).map(Arc::clone).collect()
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
    single_input_operator!("QualityExec");

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (filters, outputs) = (Arc::clone(&self.filters), Arc::clone(&self.outputs));
        let filter = GranuleFilter::new(filters, outputs, Arc::clone(&self.earlier), Arc::clone(&self.schema));
        let kept = MetricBuilder::new(&self.metrics).counter(ROWS_KEPT, partition);
        let state = (input, filter, VecDeque::new(), kept);
        let output = futures::stream::try_unfold(state, |(mut input, mut filter, mut ready, kept)| async move {
            loop {
                if let Some(batch) = ready.pop_front() {
                    return Ok(Some((batch, (input, filter, ready, kept))));
                }
                let Some(batch) = input.next().await.transpose()? else { return Ok(None) };
                ready.extend(completed_granules(&mut filter, &batch, &kept)?);
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), output)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Gives `filter` the rows of `batch`, and returns the rows and tallies of the granules that end in it.
fn completed_granules(filter: &mut GranuleFilter, batch: &RecordBatch, kept: &Count) -> Result<Vec<RecordBatch>> {
    let Some(tallies) = batch.column_by_name(TALLY) else { return internal_err!("the input has no column {TALLY}") };
    let (mut ready, mut begin) = (Vec::new(), 0);
    for end in (0..batch.num_rows()).filter(|row| tallies.is_valid(*row)) {
        filter.push(&batch.slice(begin, end - begin));
        if let Some(tally) = Tally::decode(&tallies.slice(end, 1))?.pop() {
            let granule = filter.finish(tally)?;
            // The last row is the tally.
            kept.add(granule.iter().map(RecordBatch::num_rows).sum::<usize>().saturating_sub(1));
            ready.extend(granule);
        }
        begin = end + 1;
    }
    filter.push(&batch.slice(begin, batch.num_rows() - begin));
    Ok(ready)
}
