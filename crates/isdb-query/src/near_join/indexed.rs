//! The side of a join that is read first: its rows, and the circles around their positions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, AsArray, BooleanArray, Float64Array, RecordBatch};
use arrow::compute::{cast, concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use isdb_region::{Circle, CircleIndex, Position};

use super::condition::Condition;

/// Approximate bytes of a circle with its entry in the index.
const CIRCLE_BYTES: usize = 300;

/// The rows and their circles.
#[derive(Debug)]
pub(super) struct Indexed {
    rows: RecordBatch,
    circles: CircleIndex,
    /// Whether a match was found, for each row.
    matched: Vec<AtomicBool>,
    /// Of the memory of all this.
    _reservation: MemoryReservation,
}

impl Indexed {
    /// Reads the rows of `plan`.
    pub(super) async fn read(
        plan: Arc<dyn ExecutionPlan>,
        condition: &Condition,
        context: Arc<TaskContext>,
    ) -> Result<Indexed> {
        let reservation = MemoryConsumer::new("NearJoin").register(context.memory_pool());
        let schema = plan.schema();
        let (mut input, mut batches) = (execute_stream(plan, context)?, Vec::new());
        while let Some(batch) = input.next().await {
            let batch = batch?;
            // Once in its batch, and once joined with the others. A batch may be a slice of buffers that others share.
            let bytes = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size());
            let bytes: usize = bytes.sum::<Result<usize, _>>()?;
            reservation.try_grow(2 * bytes + CIRCLE_BYTES * batch.num_rows())?;
            batches.push(batch);
        }
        let rows = concat_batches(&schema, &batches)?;
        let [latitude, longitude] = positions(&condition.indexed, &rows)?;
        let metres = evaluate(&condition.metres, &rows)?;
        let circle = |row| {
            let centre = Position::new(value(&latitude, row)?, value(&longitude, row)?)?;
            Some(Circle::new(centre, value(&metres, row)?))
        };
        let circles = CircleIndex::new((0..rows.num_rows()).map(circle).collect());
        let matched = (0..rows.num_rows()).map(|_| AtomicBool::new(false)).collect();
        Ok(Indexed { rows, circles, matched, _reservation: reservation })
    }

    /// Returns the rows.
    pub(super) fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// Returns the circles, which have the numbers of the rows.
    pub(super) fn circles(&self) -> &CircleIndex {
        &self.circles
    }

    /// Remembers that `row` has a match.
    pub(super) fn set_matched(&self, row: usize) {
        if let Some(matched) = self.matched.get(row) {
            matched.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the rows that have a match, or those that have none. The probe must have ended.
    pub(super) fn rows_by_match(&self, matched: bool) -> Result<RecordBatch> {
        let are: BooleanArray =
            self.matched.iter().map(|found| Some(found.load(Ordering::Relaxed) == matched)).collect();
        Ok(filter_record_batch(&self.rows, &are)?)
    }
}

/// Evaluates latitude and longitude over `rows`.
pub(super) fn positions(position: &[Arc<dyn PhysicalExpr>; 2], rows: &RecordBatch) -> Result<[Float64Array; 2]> {
    let [latitude, longitude] = position;
    Ok([evaluate(latitude, rows)?, evaluate(longitude, rows)?])
}

fn evaluate(expr: &Arc<dyn PhysicalExpr>, rows: &RecordBatch) -> Result<Float64Array> {
    let values = expr.evaluate(rows)?.into_array(rows.num_rows())?;
    Ok(cast(&values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// Returns the value of `row`; None for NULL.
pub(super) fn value(values: &Float64Array, row: usize) -> Option<f64> {
    values.is_valid(row).then(|| values.value(row))
}
