//! The carry operator: when an attempt replaces an earlier one in part, the segments that only the earlier one has are written
//! again in the same window. Otherwise they would be lost with the earlier attempt.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::{Result, internal_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;
use isdb_schema::ledger::{ALREADY_STORED, Removed};
use isdb_schema::segments::INGEST_ID;
use isdb_store::{Id, Snapshot, run_blocking};

use crate::error::Error;
use crate::operator::single_input_operator;
use crate::read::planned_granule::PlannedCarry;
use crate::stored::segment_key::segment_keys;
use crate::tally::{TALLY, Tally};

/// Passes on the rows of its input, and behind the tally of each granule the rows and tallies of the attempts that it replaces in
/// part.
#[derive(Debug)]
pub(crate) struct CarryExec {
    input: Arc<dyn ExecutionPlan>,
    snapshot: Snapshot,
    carried: Arc<[PlannedCarry]>,
    properties: Arc<PlanProperties>,
}

impl CarryExec {
    /// Reads the segments of `carried` from `snapshot`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, snapshot: Snapshot, carried: Arc<[PlannedCarry]>) -> CarryExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        CarryExec { input, snapshot, carried, properties: Arc::new(properties) }
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Result<CarryExec> {
        Ok(CarryExec::new(input, self.snapshot.clone(), Arc::clone(&self.carried)))
    }

    fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        Vec::new()
    }
}

impl DisplayAs for CarryExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CarryExec: attempts={}", self.carried.len())
    }
}

impl ExecutionPlan for CarryExec {
    single_input_operator!("CarryExec");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (snapshot, carried) = (self.snapshot.clone(), Arc::clone(&self.carried));
        let reader = CarryReader { snapshot, carried, schema: self.schema() };
        let state = (input, VecDeque::new(), VecDeque::new());
        let output = futures::stream::try_unfold(state, move |(mut input, mut ready, mut waiting)| {
            let reader = reader.clone();
            async move {
                loop {
                    if let Some(batch) = ready.pop_front() {
                        return Ok(Some((batch, (input, ready, waiting))));
                    }
                    if let Some((carry, has_succeeded)) = waiting.pop_front() {
                        ready.extend(reader.carry(carry, has_succeeded).await?);
                        continue;
                    }
                    let Some(batch) = input.next().await.transpose()? else { return Ok(None) };
                    waiting.extend(reader.decided_by(&batch)?);
                    ready.push_back(batch);
                }
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), output)))
    }
}

/// Reads carried segments from the database.
#[derive(Clone)]
struct CarryReader {
    snapshot: Snapshot,
    carried: Arc<[PlannedCarry]>,
    schema: SchemaRef,
}

impl CarryReader {
    /// Returns the carries whose replacing granules have their tally in `batch`, each with whether that granule succeeded.
    fn decided_by(&self, batch: &RecordBatch) -> Result<Vec<(PlannedCarry, bool)>> {
        let Some(tallies) = batch.column_by_name(TALLY) else {
            return internal_err!("the input has no column {TALLY}");
        };
        let decided = Tally::decode(tallies)?.into_iter().flat_map(|tally| {
            let of_granule = self.carried.iter().filter(move |carry| carry.replaced_by == tally.ingest_id);
            of_granule.map(move |carry| (carry.clone(), tally.error.is_none()))
        });
        Ok(decided.collect())
    }

    /// Returns the remaining segments of an attempt and their tally. If the replacing granule has failed, so that nothing is
    /// carried, returns only a tally with an error.
    async fn carry(&self, carry: PlannedCarry, has_succeeded: bool) -> Result<Vec<RecordBatch>> {
        if !has_succeeded {
            let error = Some("the attempt that was to replace it failed".to_owned());
            let tally = Tally { ingest_id: carry.to, error, ..Tally::default() };
            return Ok(vec![tally.encode(&self.schema)?]);
        }
        let reader = self.clone();
        run_blocking(move || reader.read(&carry)).await.map_err(Error::from)?
    }

    /// Reads the remaining segments from the database. Blocks.
    fn read(&self, carry: &PlannedCarry) -> Result<Vec<RecordBatch>> {
        let names = self.schema.fields().iter().map(|field| field.name().as_str());
        let columns: Vec<&str> = names.filter(|name| *name != TALLY).collect();
        let mut segments =
            self.snapshot.segments_of(&BTreeSet::from([Id(carry.from)]), &columns).map_err(Error::from)?;
        let (mut batches, mut read, mut kept) = (Vec::new(), 0, 0);
        for batch in segments.by_ref() {
            let batch = batch.map_err(Error::from)?;
            let keys = segment_keys(&batch)?;
            let remains: BooleanBuffer = keys.into_iter().map(|key| !carry.replacement.contains(key)).collect();
            read += batch.num_rows() as i64;
            kept += remains.count_set_bits() as i64;
            if remains.count_set_bits() > 0 {
                let batch = filter_record_batch(&batch, &BooleanArray::new(remains, None))?;
                batches.push(self.with_id(&batch, carry.to)?);
            }
        }
        segments.check_complete().map_err(Error::from)?;
        let replaced = read - kept;
        let removed = Removed {
            filter: ALREADY_STORED.to_owned(),
            removed: replaced.unsigned_abs(),
            alone: replaced.unsigned_abs(),
            stored_by: vec![carry.replaced_by],
            ..Removed::default()
        };
        let tally = Tally {
            ingest_id: carry.to,
            rows_read: read,
            rows_kept: kept,
            rows_removed: replaced,
            removed: vec![removed],
            ..Tally::default()
        };
        batches.push(tally.encode(&self.schema)?);
        Ok(batches)
    }

    /// Arranges `batch` in the columns of the plan, as rows of the attempt `id`.
    fn with_id(&self, batch: &RecordBatch, id: i64) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let column = |field: &Arc<Field>| -> Result<ArrayRef> {
            match field.name().as_str() {
                INGEST_ID => Ok(Arc::new(Int64Array::from_value(id, rows))),
                TALLY => Ok(new_null_array(field.data_type(), rows)),
                name => {
                    let missing = || internal_datafusion_err!("the stored segments have no column {name}");
                    Ok(cast(batch.column_by_name(name).ok_or_else(missing)?, field.data_type())?)
                }
            }
        };
        let columns = self.schema.fields().iter().map(column).collect::<Result<_>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
