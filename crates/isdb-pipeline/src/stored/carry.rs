//! Segments of an earlier attempt that a newer one replaces in part: those that the newer file does not have are written again
//! in the same window, so that nothing is lost with the attempt that they came with.

use std::collections::VecDeque;
use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;
use isdb_schema::ledger::{ALREADY_STORED, Removed};
use isdb_schema::segments::INGEST_ID;
use isdb_store::Snapshot;

use crate::error::Error;
use crate::stored::segment_keys::{SegmentKeys, keys};
use crate::stored::stored_rows::stored_rows;
use crate::tally::{TALLY, Tally};

/// An attempt that another one, `by`, replaces in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The attempt, whose segments are stored.
    pub from: i64,
    /// The attempt that those of its segments have from now on that stay.
    pub to: i64,
    /// The attempt that replaces the others. If it fails, nothing is carried.
    pub by: i64,
    /// The segments that `by` has.
    pub without: Arc<SegmentKeys>,
}

/// Hands on the rows of its input, and behind the tally of each granule that succeeded what is carried because of it.
#[derive(Debug)]
pub(crate) struct CarryExec {
    input: Arc<dyn ExecutionPlan>,
    snapshot: Snapshot,
    carried: Arc<[Carried]>,
    properties: Arc<PlanProperties>,
}

impl CarryExec {
    /// Carries `carried` out of `snapshot`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, snapshot: Snapshot, carried: Arc<[Carried]>) -> CarryExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        CarryExec { input, snapshot, carried, properties: Arc::new(properties) }
    }
}

impl DisplayAs for CarryExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CarryExec: attempts={}", self.carried.len())
    }
}

impl ExecutionPlan for CarryExec {
    fn name(&self) -> &str {
        "CarryExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) if children.is_empty() => {
                Ok(Arc::new(CarryExec::new(input, self.snapshot.clone(), Arc::clone(&self.carried))))
            }
            _ => internal_err!("CarryExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let work = Work { snapshot: self.snapshot.clone(), carried: Arc::clone(&self.carried), schema: self.schema() };
        let state = (input, VecDeque::new(), VecDeque::new());
        let output = futures::stream::try_unfold(state, move |(mut input, mut ready, mut waiting)| {
            let work = work.clone();
            async move {
                loop {
                    if let Some(batch) = ready.pop_front() {
                        return Ok(Some((batch, (input, ready, waiting))));
                    }
                    if let Some((carried, is_wanted)) = waiting.pop_front() {
                        ready.extend(work.carry(carried, is_wanted).await?);
                        continue;
                    }
                    let Some(batch) = input.next().await.transpose()? else { return Ok(None) };
                    waiting.extend(work.behind(&batch)?);
                    ready.push_back(batch);
                }
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), output)))
    }
}

#[derive(Clone)]
struct Work {
    snapshot: Snapshot,
    carried: Arc<[Carried]>,
    schema: SchemaRef,
}

impl Work {
    /// What the tallies in `batch` decide on: what is carried, and whether it is.
    fn behind(&self, batch: &RecordBatch) -> Result<Vec<(Carried, bool)>> {
        let Some(tallies) = batch.column_by_name(TALLY) else { return internal_err!("the rows carry no tally") };
        let decided = Tally::from_column(tallies)?.into_iter().flat_map(|tally| {
            let of_granule = self.carried.iter().filter(move |carried| carried.by == tally.ingest_id);
            of_granule.map(move |carried| (carried.clone(), tally.error.is_none()))
        });
        Ok(decided.collect())
    }

    /// The rows that stay of an attempt, and their tally; a tally with an error if nothing is carried.
    async fn carry(&self, carried: Carried, is_wanted: bool) -> Result<Vec<RecordBatch>> {
        if !is_wanted {
            let error = Some("what was to replace it failed".to_owned());
            let tally = Tally { ingest_id: carried.to, error, ..Tally::default() };
            return Ok(vec![tally.to_row(&self.schema)?]);
        }
        let work = self.clone();
        let read = tokio::task::spawn_blocking(move || work.read(&carried));
        read.await.map_err(|source| Error::Stopped { source })?
    }

    fn read(&self, carried: &Carried) -> Result<Vec<RecordBatch>> {
        let columns: Vec<&str> =
            self.schema.fields().iter().map(|field| field.name().as_str()).filter(|name| *name != TALLY).collect();
        let stored = stored_rows(&self.snapshot, &[carried.from], &columns)?;
        let (mut batches, mut read, mut kept) = (Vec::with_capacity(stored.len() + 1), 0, 0);
        for batch in stored {
            let stays: BooleanBuffer = keys(&batch)?.into_iter().map(|key| !carried.without.contains(key)).collect();
            read += batch.num_rows() as i64;
            kept += stays.count_set_bits() as i64;
            if stays.count_set_bits() > 0 {
                let batch = filter_record_batch(&batch, &BooleanArray::new(stays, None))?;
                batches.push(self.with_id(&batch, carried.to)?);
            }
        }
        let went = read - kept;
        let removed = Removed {
            filter: ALREADY_STORED.to_owned(),
            removed: went.unsigned_abs(),
            alone: went.unsigned_abs(),
            stored_by: vec![carried.by],
            ..Removed::default()
        };
        let tally = Tally {
            ingest_id: carried.to,
            rows_read: read,
            rows_kept: kept,
            rows_removed: went,
            removed: vec![removed],
            ..Tally::default()
        };
        batches.push(tally.to_row(&self.schema)?);
        Ok(batches)
    }

    /// `batch` in the columns of the plan, as rows of the attempt `id`.
    fn with_id(&self, batch: &RecordBatch, id: i64) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let column = |field: &Arc<Field>| -> Result<ArrayRef> {
            match field.name().as_str() {
                INGEST_ID => Ok(Arc::new(Int64Array::from_value(id, rows))),
                TALLY => Ok(new_null_array(field.data_type(), rows)),
                name => {
                    let stored = batch.column_by_name(name).ok_or_else(|| lacking(name))?;
                    Ok(cast(stored, field.data_type())?)
                }
            }
        };
        let columns = self.schema.fields().iter().map(column).collect::<Result<_>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

fn lacking(column: &str) -> DataFusionError {
    DataFusionError::Internal(format!("the stored segments have no column {column}"))
}
