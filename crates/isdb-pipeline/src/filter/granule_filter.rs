//! The filters and columns of one granule: chooses rows while it is decoded, counts the removed rows per filter, and computes the
//! columns to store.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use datafusion::common::{DataFusionError, Result};
use isdb_schema::catalogue::variable;
use isdb_schema::ledger::{ALREADY_STORED, Removed};
use isdb_schema::printable::error_chain;

use crate::filter::expressions::{FilterExpr, OutputColumn};
use crate::filter::quality::Quality;
use crate::stage;
use crate::stored::earlier_attempts::NewRows;
use crate::tally::Tally;

/// Filters one granule: [`choose`](Self::choose) for the rows of each beam, [`finish`](Self::finish) at its end.
pub(crate) struct GranuleFilter<'q> {
    quality: &'q Quality,
    /// Rows removed so far, by filter.
    removed: Vec<Removed>,
    /// Rows that other attempts have stored, if the granule merges with any.
    already_stored: Option<Removed>,
    /// The columns used by filters that had a value in some row.
    columns_with_values: BTreeSet<&'q str>,
    /// Why the granule cannot be stored.
    failure: Option<String>,
}

impl<'q> GranuleFilter<'q> {
    pub(crate) fn new(quality: &'q Quality) -> GranuleFilter<'q> {
        let nothing = |filter: &FilterExpr| Removed { filter: filter.name.clone(), ..Removed::default() };
        GranuleFilter {
            quality,
            removed: quality.filters.iter().map(nothing).collect(),
            already_stored: None,
            columns_with_values: BTreeSet::new(),
            failure: None,
        }
    }

    /// Returns a bit for each row of `batch`, set if the row passes every filter; None without filters.
    pub(crate) fn choose(&mut self, batch: &RecordBatch) -> Option<BooleanBuffer> {
        let nothing = || Some(BooleanBuffer::new_unset(batch.num_rows()));
        if self.failure.is_some() {
            return nothing();
        }
        for column in self.quality.filters.iter().flat_map(|filter| &filter.columns) {
            let values = batch.column_by_name(column);
            if values.is_some_and(|values| values.null_count() < values.len()) {
                self.columns_with_values.insert(column);
            }
        }
        match self.passing(batch) {
            Ok(passing) => passing,
            Err(problem) => {
                self.fail(problem);
                nothing()
            }
        }
    }

    /// Marks the granule as failed, unless it has failed before.
    pub(crate) fn fail(&mut self, problem: String) {
        self.failure.get_or_insert(problem);
    }

    fn passing(&mut self, batch: &RecordBatch) -> Result<Option<BooleanBuffer>, String> {
        let mut keep: Option<BooleanBuffer> = None;
        for (filter, removed) in self.quality.filters.iter().zip(&mut self.removed) {
            let passes = evaluate(filter, batch).map_err(|error| failed("filter", &filter.name, &error))?;
            keep = Some(count_removed(removed, keep, &passes));
        }
        if let Some(NewRows { is_new, stored_by }) = self.quality.earlier.new_rows(batch)? {
            let nothing = || Removed { filter: ALREADY_STORED.to_owned(), ..Removed::default() };
            let removed = self.already_stored.get_or_insert_with(nothing);
            keep = Some(count_removed(removed, keep, &is_new));
            let others = stored_by.into_iter().filter(|id| !removed.stored_by.contains(id)).collect::<Vec<_>>();
            removed.stored_by.extend(others);
        }
        Ok(keep)
    }

    /// Ends the granule, of which `kept` are the chosen rows, and `tally` the counts so far. Returns the columns to store, followed by
    /// the tally with the counts.
    pub(crate) fn finish(mut self, kept: Vec<RecordBatch>, mut tally: Tally) -> Result<Vec<RecordBatch>> {
        let mut ready = Vec::with_capacity(kept.len() + 1);
        for rows in kept {
            match self.stored_columns(&rows) {
                Ok(stored) => ready.push(stored),
                Err(problem) => self.fail(problem),
            }
        }
        let failure = self.failure.take().or_else(|| self.missing_column(&tally));
        let minimum = self.quality.earlier.minimum(tally.ingest_id);
        let stored_rows = self.already_stored.as_ref().map_or(0, |stored| stored.removed.cast_signed());
        let too_few = || minimum.problem(&tally, stored_rows);
        match failure.map(|failure| (stage::FILTER, failure)).or_else(|| Some((stage::REPLACE, too_few()?))) {
            Some((stage, failure)) => {
                ready.clear();
                tally.fail(stage, failure);
            }
            None => {
                let mut removed = self.removed;
                removed.extend(self.already_stored);
                tally.rows_removed = removed.iter().map(|filter| filter.removed.cast_signed()).sum();
                tally.removed = removed;
            }
        }
        ready.push(tally.encode(&self.quality.stored_schema)?);
        Ok(ready)
    }

    /// Computes the columns to store of `rows`.
    fn stored_columns(&self, rows: &RecordBatch) -> Result<RecordBatch, String> {
        let column = |output: &OutputColumn| -> Result<ArrayRef, String> {
            let value = output.value.evaluate(rows).and_then(|value| value.into_array(rows.num_rows()));
            value.map_err(|error| failed("derived column", output.field.name(), &error))
        };
        let columns = self.quality.outputs.iter().map(column).collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.quality.stored_schema), columns).map_err(|error| error.to_string())
    }

    /// If no row remains because a filter needs a column that the granule does not have, the error that says so: the filter does
    /// not fit the granule. A variable that exists and is NULL in every row is a valid result.
    fn missing_column(&self, tally: &Tally) -> Option<String> {
        if tally.rows_kept > 0 {
            return None;
        }
        let missing: Vec<&str> = tally.missing_variables.as_deref().unwrap_or_default().split(' ').collect();
        let is_lacking = |column: &&String| {
            let is_missing = variable(column).is_none() || missing.contains(&column.as_str());
            is_missing && !self.columns_with_values.contains(column.as_str())
        };
        let filters = self.quality.filters.iter().zip(&self.removed).filter(|(_, removed)| removed.removed > 0);
        let mut problems = filters.filter_map(|(filter, _)| {
            let column = filter.columns.iter().find(is_lacking)?;
            Some(format!("the filter {} needs {column}, which the granule does not have", filter.name))
        });
        problems.next()
    }
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
