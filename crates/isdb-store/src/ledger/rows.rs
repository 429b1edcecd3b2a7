//! The ledger's rows in its files: one row per attempt.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use isdb_schema::segments::INGEST_ID;

use super::file::{LedgerFile, LedgerFileKind};
use super::files::{read_checked, read_rows_of, write};
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

/// Writes `rows` as a file of the ledger; None without rows. Blocks.
pub(crate) fn write_rows(location: &Location, rows: &[LedgerRow]) -> Result<Option<LedgerFile>> {
    match rows {
        [] => Ok(None),
        rows => write(location, LedgerFileKind::Granules, &LedgerRow::to_batch(rows)?).map(Some),
    }
}

/// Reads all rows of `files`, by ascending id. Blocks.
pub(crate) fn read_rows(location: &Location, files: &[LedgerFile]) -> Result<Vec<LedgerRow>> {
    let mut rows = Vec::new();
    for file in files {
        rows.append(&mut LedgerRow::from_batch(&read_checked(location, file)?)?);
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
