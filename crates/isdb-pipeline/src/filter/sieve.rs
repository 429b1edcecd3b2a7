//! The work of the quality operator on one granule: rows through the filters, counts per filter, columns to store. Rows are
//! held back until the granule's tally comes, so that a granule leaves whole or not at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use isdb_schema::catalogue::variable;
use isdb_schema::ledger::{ALREADY_STORED, Removed};

use crate::filter::least::REPLACE;
use crate::filter::quality::{Filter, Output};
use crate::stored::merged::{Merges, New};
use crate::tally::Tally;
use isdb_schema::printable::error_chain;

pub(crate) struct Sieve {
    filters: Arc<[Filter]>,
    outputs: Arc<[Output]>,
    merges: Arc<Merges>,
    schema: SchemaRef,
    kept: Vec<RecordBatch>,
    removed: Vec<Removed>,
    /// What other subsets of the granule in hand have stored, if it merges with any.
    merged: Option<Removed>,
    /// The columns that had a value in the granule in hand.
    told: BTreeSet<String>,
    /// Why the granule in hand cannot be stored.
    failure: Option<String>,
}

impl Sieve {
    pub(crate) fn new(filters: Arc<[Filter]>, outputs: Arc<[Output]>, merges: Arc<Merges>, schema: SchemaRef) -> Sieve {
        let removed = nothing_removed(&filters);
        let (kept, told) = (Vec::new(), BTreeSet::new());
        Sieve { filters, outputs, merges, schema, kept, removed, merged: None, told, failure: None }
    }

    /// Takes rows of the granule in hand.
    pub(crate) fn rows(&mut self, batch: &RecordBatch) {
        if self.failure.is_some() || batch.num_rows() == 0 {
            return;
        }
        for column in self.filters.iter().flat_map(|filter| &filter.columns) {
            let values = batch.column_by_name(column);
            if !self.told.contains(column) && values.is_some_and(|values| values.null_count() < values.len()) {
                self.told.insert(column.clone());
            }
        }
        match self.pass(batch) {
            Ok(kept) if kept.num_rows() > 0 => self.kept.push(kept),
            Ok(_) => {}
            Err(problem) => self.failure = Some(problem),
        }
    }

    /// Ends the granule in hand: its rows, and its tally behind them.
    pub(crate) fn finish(&mut self, mut tally: Tally) -> Result<Vec<RecordBatch>> {
        let mut ready = std::mem::take(&mut self.kept);
        let mut removed = std::mem::replace(&mut self.removed, nothing_removed(&self.filters));
        let failure = self.failure.take().or_else(|| self.needed_and_missing(&removed, &ready, &tally));
        let already = self.merged.take();
        self.told.clear();
        tally.rows_kept = ready.iter().map(|batch| batch.num_rows() as i64).sum();
        let least = self.merges.least(tally.ingest_id);
        let too_few = || least.problem(&tally, already.as_ref().map_or(0, |merged| merged.removed.cast_signed()));
        // The first error is the one to tell.
        match failure.map(|failure| ("filter", failure)).or_else(|| Some((REPLACE, too_few()?))) {
            _ if tally.error.is_some() => {
                ready.clear();
                tally.rows_kept = 0;
            }
            Some((stage, failure)) => {
                ready.clear();
                tally.fail(stage, failure);
            }
            None => {
                removed.extend(already);
                tally.rows_removed = removed.iter().map(|filter| filter.removed.cast_signed()).sum();
                tally.removed = removed;
            }
        }
        ready.push(tally.to_row(&self.schema)?);
        Ok(ready)
    }

    /// The rows of `batch` that pass every filter, as columns to store.
    fn pass(&mut self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let mut keep: Option<BooleanBuffer> = None;
        for (filter, removed) in self.filters.iter().zip(&mut self.removed) {
            let verdict = evaluate(filter, batch).map_err(|error| failed("filter", &filter.name, &error))?;
            keep = Some(charge(removed, keep, &verdict));
        }
        if let Some(New { is_new, stored_by }) = self.merges.new_in(batch)? {
            let merged =
                self.merged.get_or_insert_with(|| Removed { filter: ALREADY_STORED.to_owned(), ..Removed::default() });
            keep = Some(charge(merged, keep, &is_new));
            let others = stored_by.into_iter().filter(|id| !merged.stored_by.contains(id)).collect::<Vec<_>>();
            merged.stored_by.extend(others);
        }
        let rows = match keep {
            Some(keep) if keep.count_set_bits() < batch.num_rows() => {
                filter_record_batch(batch, &BooleanArray::new(keep, None)).map_err(|error| error.to_string())?
            }
            _ => batch.clone(),
        };
        let column = |output: &Output| -> Result<ArrayRef, String> {
            let value = output.value.evaluate(&rows).and_then(|value| value.into_array(rows.num_rows()));
            value.map_err(|error| failed("derived column", output.field.name(), &error))
        };
        let columns = self.outputs.iter().map(column).collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| error.to_string())
    }

    /// Nothing stays because a filter looks at what the granule does not tell: no result, but a granule that it does not fit.
    /// A variable that is there and NULL in every row is a result.
    fn needed_and_missing(&self, removed: &[Removed], kept: &[RecordBatch], tally: &Tally) -> Option<String> {
        if !kept.is_empty() {
            return None;
        }
        let missing: Vec<&str> = tally.missing_variables.as_deref().unwrap_or_default().split(' ').collect();
        let is_lacking = |column: &&String| {
            let is_missing = variable(column).is_none() || missing.contains(&column.as_str());
            is_missing && !self.told.contains(*column)
        };
        let filters = self.filters.iter().zip(removed).filter(|(_, removed)| removed.removed > 0);
        let mut lacks = filters.filter_map(|(filter, _)| {
            let column = filter.columns.iter().find(is_lacking)?;
            Some(format!("the filter {} needs {column}, which the granule does not tell", filter.name))
        });
        lacks.next()
    }
}

fn nothing_removed(filters: &[Filter]) -> Vec<Removed> {
    filters.iter().map(|filter| Removed { filter: filter.name.clone(), ..Removed::default() }).collect()
}

fn evaluate(filter: &Filter, batch: &RecordBatch) -> Result<BooleanArray> {
    let value = filter.predicate.evaluate(batch)?.into_array(batch.num_rows())?;
    let verdict = value.as_boolean_opt();
    verdict.cloned().ok_or_else(|| DataFusionError::Internal("the predicate is not TRUE or FALSE".to_owned()))
}

/// What still stays after `verdict`, and the rows it removes counted in `removed`.
fn charge(removed: &mut Removed, keep: Option<BooleanBuffer>, verdict: &BooleanArray) -> BooleanBuffer {
    let rows = verdict.len();
    let keep = keep.unwrap_or_else(|| BooleanBuffer::new_set(rows));
    let passed = match verdict.nulls() {
        Some(nulls) => verdict.values() & nulls.inner(),
        None => verdict.values().clone(),
    };
    let stays = &keep & &passed;
    let known = verdict.nulls().map_or(keep.count_set_bits(), |nulls| (&keep & nulls.inner()).count_set_bits());
    removed.removed += (keep.count_set_bits() - stays.count_set_bits()) as u64;
    removed.null += (keep.count_set_bits() - known) as u64;
    removed.alone += (rows - passed.count_set_bits()) as u64;
    stays
}

fn failed(what: &str, name: &str, error: &DataFusionError) -> String {
    format!("the {what} {name} cannot be computed: {}", error_chain(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_against_the_first_filter_and_null_is_told_apart() {
        let (mut first, mut second) = (Removed::default(), Removed::default());
        let keep = charge(&mut first, None, &BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]));
        let keep = charge(&mut second, Some(keep), &BooleanArray::from(vec![None, Some(false), None, Some(true)]));
        assert_eq!((first.removed, first.null, first.alone), (2, 1, 2));
        assert_eq!((second.removed, second.null, second.alone), (1, 1, 3));
        assert_eq!(keep.iter().collect::<Vec<_>>(), [false, false, false, true]);
    }
}
