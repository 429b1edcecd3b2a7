//! The work of the quality operator on one granule: applies the filters, counts removed rows per filter, and computes the columns
//! to store. Rows are held back until the granule's tally arrives, so that a granule is passed on as a whole or not at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use isdb_schema::catalogue::variable;
use isdb_schema::ledger::{ALREADY_STORED, Removed};
use isdb_schema::printable::error_chain;

use crate::filter::expressions::{FilterExpr, OutputColumn};
use crate::stage;
use crate::stored::earlier_attempts::{EarlierAttempts, NewRows};
use crate::tally::Tally;

/// Filters granules one after the other: [`push`](Self::push) for the rows of the current one, [`finish`](Self::finish) at its end.
pub(crate) struct GranuleFilter {
    filters: Arc<[FilterExpr]>,
    outputs: Arc<[OutputColumn]>,
    earlier: Arc<EarlierAttempts>,
    schema: SchemaRef,
    /// The rows of the current granule that passed all filters, as columns to store.
    kept: Vec<RecordBatch>,
    /// Rows removed so far, by filter.
    removed: Vec<Removed>,
    /// Rows that other attempts have stored, if the granule merges with any.
    already_stored: Option<Removed>,
    /// The columns used by filters that had a value in the current granule.
    columns_with_values: BTreeSet<String>,
    /// Why the current granule cannot be stored.
    failure: Option<String>,
}

impl GranuleFilter {
    pub(crate) fn new(
        filters: Arc<[FilterExpr]>,
        outputs: Arc<[OutputColumn]>,
        earlier: Arc<EarlierAttempts>,
        schema: SchemaRef,
    ) -> GranuleFilter {
        GranuleFilter {
            removed: nothing_removed(&filters),
            filters,
            outputs,
            earlier,
            schema,
            kept: Vec::new(),
            already_stored: None,
            columns_with_values: BTreeSet::new(),
            failure: None,
        }
    }

    /// Filters rows of the current granule.
    pub(crate) fn push(&mut self, batch: &RecordBatch) {
        if self.failure.is_some() || batch.num_rows() == 0 {
            return;
        }
        for column in self.filters.iter().flat_map(|filter| &filter.columns) {
            let values = batch.column_by_name(column);
            if !self.columns_with_values.contains(column)
                && values.is_some_and(|values| values.null_count() < values.len())
            {
                self.columns_with_values.insert(column.clone());
            }
        }
        match self.filter(batch) {
            Ok(kept) if kept.num_rows() > 0 => self.kept.push(kept),
            Ok(_) => {}
            Err(problem) => self.failure = Some(problem),
        }
    }

    /// Ends the current granule, whose tally so far is `tally`. Returns its rows, followed by its tally with the counts.
    pub(crate) fn finish(&mut self, mut tally: Tally) -> Result<Vec<RecordBatch>> {
        let mut ready = std::mem::take(&mut self.kept);
        let mut removed = std::mem::replace(&mut self.removed, nothing_removed(&self.filters));
        let failure = self.failure.take().or_else(|| self.missing_column(&removed, &ready, &tally));
        let already_stored = self.already_stored.take();
        self.columns_with_values.clear();
        tally.rows_kept = ready.iter().map(|batch| batch.num_rows() as i64).sum();
        let minimum = self.earlier.minimum(tally.ingest_id);
        let stored_rows = already_stored.as_ref().map_or(0, |stored| stored.removed.cast_signed());
        let too_few = || minimum.problem(&tally, stored_rows);
        // An error from an earlier stage takes precedence.
        match failure.map(|failure| (stage::FILTER, failure)).or_else(|| Some((stage::REPLACE, too_few()?))) {
            _ if tally.error.is_some() => {
                ready.clear();
                tally.rows_kept = 0;
            }
            Some((stage, failure)) => {
                ready.clear();
                tally.fail(stage, failure);
            }
            None => {
                removed.extend(already_stored);
                tally.rows_removed = removed.iter().map(|filter| filter.removed.cast_signed()).sum();
                tally.removed = removed;
            }
        }
        ready.push(tally.encode(&self.schema)?);
        Ok(ready)
    }

    /// Returns the rows of `batch` that pass every filter, as columns to store.
    fn filter(&mut self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let mut keep: Option<BooleanBuffer> = None;
        for (filter, removed) in self.filters.iter().zip(&mut self.removed) {
            let passes = evaluate(filter, batch).map_err(|error| failed("filter", &filter.name, &error))?;
            keep = Some(count_removed(removed, keep, &passes));
        }
        if let Some(NewRows { is_new, stored_by }) = self.earlier.new_rows(batch)? {
            let nothing = || Removed { filter: ALREADY_STORED.to_owned(), ..Removed::default() };
            let removed = self.already_stored.get_or_insert_with(nothing);
            keep = Some(count_removed(removed, keep, &is_new));
            let others = stored_by.into_iter().filter(|id| !removed.stored_by.contains(id)).collect::<Vec<_>>();
            removed.stored_by.extend(others);
        }
        let rows = match keep {
            Some(keep) if keep.count_set_bits() < batch.num_rows() => {
                filter_record_batch(batch, &BooleanArray::new(keep, None)).map_err(|error| error.to_string())?
            }
            _ => batch.clone(),
        };
        let column = |output: &OutputColumn| -> Result<ArrayRef, String> {
            let value = output.value.evaluate(&rows).and_then(|value| value.into_array(rows.num_rows()));
            value.map_err(|error| failed("derived column", output.field.name(), &error))
        };
        let columns = self.outputs.iter().map(column).collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| error.to_string())
    }

    /// If no row remains because a filter needs a column that the granule does not have, the error that says so: the filter does
    /// not fit the granule. A variable that exists and is NULL in every row is a valid result.
    fn missing_column(&self, removed: &[Removed], kept: &[RecordBatch], tally: &Tally) -> Option<String> {
        if !kept.is_empty() {
            return None;
        }
        let missing: Vec<&str> = tally.missing_variables.as_deref().unwrap_or_default().split(' ').collect();
        let is_lacking = |column: &&String| {
            let is_missing = variable(column).is_none() || missing.contains(&column.as_str());
            is_missing && !self.columns_with_values.contains(*column)
        };
        let filters = self.filters.iter().zip(removed).filter(|(_, removed)| removed.removed > 0);
        let mut problems = filters.filter_map(|(filter, _)| {
            let column = filter.columns.iter().find(is_lacking)?;
            Some(format!("the filter {} needs {column}, which the granule does not have", filter.name))
        });
        problems.next()
    }
}

fn nothing_removed(filters: &[FilterExpr]) -> Vec<Removed> {
    filters.iter().map(|filter| Removed { filter: filter.name.clone(), ..Removed::default() }).collect()
}

fn evaluate(filter: &FilterExpr, batch: &RecordBatch) -> Result<BooleanArray> {
    let value = filter.predicate.evaluate(batch)?.into_array(batch.num_rows())?;
    let passes = value.as_boolean_opt();
    passes.cloned().ok_or_else(|| DataFusionError::Internal("the predicate is not TRUE or FALSE".to_owned()))
}

/// Counts in `removed` the rows of `keep` that `passes` removes, and returns the rows that remain.
fn count_removed(removed: &mut Removed, keep: Option<BooleanBuffer>, passes: &BooleanArray) -> BooleanBuffer {
    let rows = passes.len();
    let keep = keep.unwrap_or_else(|| BooleanBuffer::new_set(rows));
    let passed = match passes.nulls() {
        Some(nulls) => passes.values() & nulls.inner(),
        None => passes.values().clone(),
    };
    let remaining = &keep & &passed;
    let known = passes.nulls().map_or(keep.count_set_bits(), |nulls| (&keep & nulls.inner()).count_set_bits());
    removed.removed += (keep.count_set_bits() - remaining.count_set_bits()) as u64;
    removed.null += (keep.count_set_bits() - known) as u64;
    removed.alone += (rows - passed.count_set_bits()) as u64;
    remaining
}

fn failed(what: &str, name: &str, error: &DataFusionError) -> String {
    format!("the {what} {name} cannot be computed: {}", error_chain(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_counted_for_the_first_filter_that_removes_it_and_nulls_separately() {
        let (mut first, mut second) = (Removed::default(), Removed::default());
        let keep =
            count_removed(&mut first, None, &BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]));
        let keep =
            count_removed(&mut second, Some(keep), &BooleanArray::from(vec![None, Some(false), None, Some(true)]));
        assert_eq!((first.removed, first.null, first.alone), (2, 1, 2));
        assert_eq!((second.removed, second.null, second.alone), (1, 1, 3));
        assert_eq!(keep.iter().collect::<Vec<_>>(), [false, false, false, true]);
    }
}
