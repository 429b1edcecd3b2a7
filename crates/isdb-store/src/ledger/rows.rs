//! The ledger's rows in its files: one row per attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use isdb_schema::ledger::ledger_schema;
use isdb_schema::segments::INGEST_ID;

use super::file::{LedgerFile, LedgerFileKind};
use super::files::{checked_batches, prefetch, read_checked, read_rows_of, write, write_batches};
use super::row::LedgerRow;
use crate::error::{Error, Result};
use crate::files::location::Location;
use crate::id::Id;

const START_TIME: &str = "start_time";
const ROWS_KEPT: &str = "rows_kept";

/// What a search for an attempt's segments needs of its row.
pub(crate) struct AttemptEntry {
    /// The granule's start, in nanoseconds since 1970.
    pub(crate) start_time: Option<i64>,
    /// The number of segments that the attempt stored.
    pub(crate) rows_kept: u64,
}

/// Writes `rows`, by ascending id, as a file of the ledger; None without rows. Blocks.
pub(crate) fn write_rows(location: &Location, mut rows: Vec<LedgerRow>) -> Result<Option<LedgerFile>> {
    if rows.is_empty() {
        return Ok(None);
    }
    rows.sort_unstable_by_key(|row| row.ingest_id);
    write(location, LedgerFileKind::Granules, &LedgerRow::to_batch(&rows)?).map(Some)
}

/// Writes the rows of `files`, by ascending id, again as one file; None without files. Blocks. Files whose ids do not overlap, as
/// those of windows do not, are copied batch by batch: a large ledger needs no more memory than a small one.
pub(crate) fn merge_rows(location: &Location, mut files: Vec<LedgerFile>) -> Result<Option<LedgerFile>> {
    if files.is_empty() {
        return Ok(None);
    }
    prefetch(location, &files)?;
    files.sort_unstable_by_key(|file| file.ingest_ids);
    let mut overlapping: Vec<Vec<LedgerFile>> = Vec::new();
    let mut last = None;
    for file in files {
        let (low, high) = file.ingest_ids;
        match overlapping.last_mut() {
            Some(files) if last >= Some(low) => files.push(file),
            _ => overlapping.push(vec![file]),
        }
        last = last.max(Some(high));
    }
    let batches = overlapping.iter().flat_map(|files| match sorted_batches(location, files) {
        Ok(batches) => batches,
        Err(error) => Box::new(std::iter::once(Err(error))),
    });
    write_batches(location, LedgerFileKind::Granules, Arc::new(ledger_schema()), batches).map(Some)
}

/// The rows of `files` by ascending id. The rows of one file are in this order.
fn sorted_batches(location: &Location, files: &[LedgerFile]) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>>>> {
    if let [file] = files {
        return Ok(Box::new(checked_batches(location, file)?.map(|batch| Ok(batch?))));
    }
    let batches = files.iter().map(|file| read_checked(location, file)).collect::<Result<Vec<_>>>()?;
    let rows = concat_batches(&Arc::new(ledger_schema()), &batches)?;
    let sorted = match rows.column_by_name(INGEST_ID) {
        Some(ids) => take_record_batch(&rows, &sort_to_indices(ids, None, None)?)?,
        None => rows,
    };
    Ok(Box::new(std::iter::once(Ok(sorted))))
}

/// Reads all rows of `files`, by ascending id. Blocks.
pub(crate) fn read_rows(location: &Location, files: &[LedgerFile]) -> Result<Vec<LedgerRow>> {
    prefetch(location, files)?;
    let count: u64 = files.iter().map(|file| file.rows).sum();
    let mut rows = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for file in files {
        for batch in checked_batches(location, file)? {
            rows.append(&mut LedgerRow::from_batch(&batch?)?);
        }
    }
    rows.sort_unstable_by_key(|row| row.ingest_id);
    Ok(rows)
}

/// Reads the entries of `attempts` in `files`. Blocks.
pub(crate) fn attempt_entries(
    location: &Location,
    files: &[LedgerFile],
    attempts: &BTreeSet<Id>,
) -> Result<BTreeMap<Id, AttemptEntry>> {
    let mut entries = BTreeMap::new();
    prefetch(location, files.iter().filter(|file| file.may_have(attempts)))?;
    for file in files.iter().filter(|file| file.may_have(attempts)) {
        for batch in read_rows_of(location, file, INGEST_ID, attempts, &[INGEST_ID, START_TIME, ROWS_KEPT])? {
            let missing = |column: &str| Error::Damaged {
                object: file.name.clone(),
                problem: format!("column {column} is missing or has another type"),
            };
            let integers = |name: &str| {
                let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
                column.ok_or_else(|| missing(name))
            };
            let (ids, kept) = (integers(INGEST_ID)?, integers(ROWS_KEPT)?);
            let starts = batch.column_by_name(START_TIME);
            let starts = starts.and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>());
            let starts = starts.ok_or_else(|| missing(START_TIME))?;
            for row in 0..batch.num_rows() {
                let start_time = starts.is_valid(row).then(|| starts.value(row));
                let rows_kept = u64::try_from(kept.value(row)).unwrap_or(0);
                entries.insert(Id(ids.value(row)), AttemptEntry { start_time, rows_kept });
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::files::make_ledger_folder;
    use crate::ledger::row::tests::row;

    #[test]
    fn merged_files_have_all_rows_by_ascending_id_whether_or_not_their_ids_overlap() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        make_ledger_folder(&location).unwrap();
        let mut files = Vec::new();
        for ids in [&[7, 6][..], &[1, 9], &[4], &[20, 22], &[31, 30]] {
            let rows = ids.iter().map(|id| row(Id(*id), "a")).collect();
            files.push(write_rows(&location, rows).unwrap().unwrap());
        }
        let merged = merge_rows(&location, files.clone()).unwrap().unwrap();
        assert_eq!((merged.rows, merged.ingest_ids), (9, (Id(1), Id(31))));
        let stored = LedgerRow::from_batch(&read_checked(&location, &merged).unwrap()).unwrap();
        assert_eq!(stored.iter().map(|row| row.ingest_id.0).collect::<Vec<_>>(), [1, 4, 6, 7, 9, 20, 22, 30, 31]);
        assert_eq!(stored, read_rows(&location, &files).unwrap());
        assert_eq!(merge_rows(&location, Vec::new()).unwrap(), None);
    }
}
