//! Joins batches of the probe with the indexed rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, RecordBatchOptions, UInt64Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use isdb_region::Position;

use super::condition::Condition;
use super::indexed::{Indexed, positions, value};
use super::shape::{Output, Shape};

/// Pairs after which a batch ends.
const BATCH_PAIRS: usize = 8_192;

/// Joins one batch of the probe.
pub(super) struct BatchJoin<'a> {
    condition: &'a Condition,
    indexed: &'a Indexed,
    batch: &'a RecordBatch,
    position: [Float64Array; 2],
    next: usize,
}

/// Numbers of rows that belong together.
#[derive(Default)]
struct Pairs {
    probe: Vec<u64>,
    /// None for a row of the probe without a match.
    indexed: Vec<Option<u64>>,
}

impl<'a> BatchJoin<'a> {
    /// Evaluates the positions of `batch`.
    pub(super) fn new(condition: &'a Condition, indexed: &'a Indexed, batch: &'a RecordBatch) -> Result<Self> {
        Ok(Self { condition, indexed, batch, position: positions(&condition.probe, batch)?, next: 0 })
    }

    /// Returns the next rows of the output, perhaps none of them; None at the end of the batch.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.next >= self.batch.num_rows() {
            return Ok(None);
        }
        let (first, mut pairs) = (self.next, Pairs::default());
        while self.next < self.batch.num_rows() && pairs.probe.len() < BATCH_PAIRS {
            let row = self.next;
            let [latitude, longitude] = &self.position;
            let position = value(latitude, row).zip(value(longitude, row));
            if let Some(position) = position.and_then(|(latitude, longitude)| Position::new(latitude, longitude)) {
                self.indexed.circles().for_each_around(&position, |found| {
                    pairs.probe.push(row as u64);
                    pairs.indexed.push(Some(found as u64));
                });
            }
            self.next += 1;
        }
        let pairs = self.meeting_others(pairs)?;
        self.output(pairs, first..self.next).map(Some)
    }

    /// Keeps the pairs that meet the rest of the condition.
    fn meeting_others(&self, pairs: Pairs) -> Result<Pairs> {
        let Some(others) = &self.condition.others else { return Ok(pairs) };
        let rows = pairs.probe.len();
        let both = self.pairs_batch(&pairs, &self.condition.both)?;
        let meets = others.evaluate(&both)?.into_array(rows)?;
        let meets: &BooleanArray = meets.as_boolean();
        let is_kept = |row: usize| meets.is_valid(row) && meets.value(row);
        let kept = pairs.probe.into_iter().zip(pairs.indexed).enumerate().filter(|(row, _)| is_kept(*row));
        let (probe, indexed) = kept.map(|(_, pair)| pair).unzip();
        Ok(Pairs { probe, indexed })
    }

    /// Returns the output for the rows `range` of the probe.
    fn output(&self, mut pairs: Pairs, range: std::ops::Range<usize>) -> Result<RecordBatch> {
        let Condition { shape, output, .. } = self.condition;
        if shape.ends_with_indexed() {
            pairs.indexed.iter().flatten().filter_map(|row| usize::try_from(*row).ok()).for_each(|row| {
                self.indexed.set_matched(row);
            });
        }
        let with_match = |matched: bool, pairs: &Pairs| -> Vec<u64> {
            let mut has_match = vec![false; range.len()];
            for row in pairs.probe.iter().filter_map(|row| usize::try_from(*row).ok()) {
                if let Some(has_match) = has_match.get_mut(row - range.start) {
                    *has_match = true;
                }
            }
            range.clone().zip(has_match).filter(|(_, has)| *has == matched).map(|(row, _)| row as u64).collect()
        };
        match shape.output {
            Output::Pairs => {
                if shape.keeps_probe {
                    let alone = with_match(false, &pairs);
                    pairs.indexed.resize(pairs.indexed.len() + alone.len(), None);
                    pairs.probe.extend(alone);
                }
                self.pairs_batch(&pairs, output)
            }
            Output::Probe { matched } => {
                let rows = UInt64Array::from(with_match(matched, &pairs));
                to_batch(output, take_columns(self.batch, &rows)?, rows.len())
            }
            Output::Indexed { .. } => Ok(RecordBatch::new_empty(Arc::clone(output))),
        }
    }

    fn pairs_batch(&self, pairs: &Pairs, schema: &SchemaRef) -> Result<RecordBatch> {
        let probe = take_columns(self.batch, &UInt64Array::from_iter_values(pairs.probe.iter().copied()))?;
        let indexed = take_columns(self.indexed.rows(), &pairs.indexed.iter().copied().collect())?;
        to_batch(schema, sides(self.condition.shape, probe, indexed), pairs.probe.len())
    }
}

/// Returns the rows of the indexed side that belong to the output, when the probe has ended.
pub(super) fn indexed_rows(condition: &Condition, indexed: &Indexed, probe: &SchemaRef) -> Result<RecordBatch> {
    let matched = matches!(condition.shape.output, Output::Indexed { matched: true });
    let rows = indexed.rows_by_match(matched)?;
    let columns = match condition.shape.output {
        Output::Pairs => {
            let nulls = probe.fields().iter().map(|field| new_null_array(field.data_type(), rows.num_rows()));
            sides(condition.shape, nulls.collect(), rows.columns().to_vec())
        }
        _ => rows.columns().to_vec(),
    };
    to_batch(&condition.output, columns, rows.num_rows())
}

fn take_columns(batch: &RecordBatch, rows: &UInt64Array) -> Result<Vec<ArrayRef>> {
    Ok(batch.columns().iter().map(|column| take(column, rows, None)).collect::<Result<_, _>>()?)
}

/// Puts the columns of the left side first.
fn sides(shape: Shape, mut probe: Vec<ArrayRef>, mut indexed: Vec<ArrayRef>) -> Vec<ArrayRef> {
    if shape.right_is_indexed {
        probe.append(&mut indexed);
        probe
    } else {
        indexed.append(&mut probe);
        indexed
    }
}

fn to_batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
