//! Contents: how many rows of each attempt a fragment has. They show which fragments hold an attempt without a read of the array.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use isdb_schema::segments::INGEST_ID;

use super::file::{LedgerFile, LedgerFileKind};
use super::files::{FRAGMENT_ID, prefetch, read_checked, read_rows_of, write};
use crate::error::{Error, Result};
use crate::files::location::Location;
use crate::fragment::WrittenFragment;
use crate::id::Id;

const ROWS: &str = "rows";
const COLUMNS: [&str; 3] = [INGEST_ID, FRAGMENT_ID, ROWS];

/// The rows of one attempt in one fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContentEntry {
    pub(crate) attempt: Id,
    pub(crate) fragment: Id,
    pub(crate) rows: u64,
}

/// The contents of fragments that were just written.
pub(crate) fn contents_of(fragments: &[WrittenFragment]) -> Vec<ContentEntry> {
    let mut contents = Vec::new();
    for WrittenFragment { record, attempts } in fragments {
        let entry = |(attempt, rows): (&Id, &u64)| ContentEntry { attempt: *attempt, fragment: record.id, rows: *rows };
        contents.extend(attempts.iter().map(entry));
    }
    contents
}

/// Writes `entries`, sorted by attempt, as a file of the ledger; None without entries. Blocks.
pub(crate) fn write_contents(location: &Location, mut entries: Vec<ContentEntry>) -> Result<Option<LedgerFile>> {
    if entries.is_empty() {
        return Ok(None);
    }
    entries.sort_unstable();
    let column = |value: fn(&ContentEntry) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(entries.iter().map(value)))
    };
    let batch = RecordBatch::try_from_iter([
        (INGEST_ID, column(|entry| entry.attempt.0)),
        (FRAGMENT_ID, column(|entry| entry.fragment.0)),
        (ROWS, column(|entry| i64::try_from(entry.rows).unwrap_or(i64::MAX))),
    ])?;
    write(location, LedgerFileKind::Contents, &batch).map(Some)
}

/// Reads all entries of `files`. Blocks.
pub(crate) fn read_contents(location: &Location, files: &[LedgerFile]) -> Result<Vec<ContentEntry>> {
    prefetch(location, files)?;
    let mut entries = Vec::new();
    for file in files {
        append(&mut entries, &read_checked(location, file)?, &file.name)?;
    }
    Ok(entries)
}

/// Finds the entries of `attempts` in `files`. Blocks.
pub(crate) fn contents_of_attempts(
    location: &Location,
    files: &[LedgerFile],
    attempts: &BTreeSet<Id>,
) -> Result<Vec<ContentEntry>> {
    prefetch(location, files.iter().filter(|file| file.may_have(attempts)))?;
    let mut entries = Vec::new();
    for file in files.iter().filter(|file| file.may_have(attempts)) {
        for batch in read_rows_of(location, file, INGEST_ID, attempts, &COLUMNS)? {
            append(&mut entries, &batch, &file.name)?;
        }
    }
    Ok(entries)
}

/// Finds the entries of `fragments` in `files`. Blocks.
pub(crate) fn contents_of_fragments(
    location: &Location,
    files: &[LedgerFile],
    fragments: &BTreeSet<Id>,
) -> Result<Vec<ContentEntry>> {
    let may_have = |(low, high): (Id, Id)| fragments.range(low..=high).next().is_some();
    prefetch(location, files.iter().filter(|file| file.fragment_ids.is_some_and(may_have)))?;
    let mut entries = Vec::new();
    for file in files.iter().filter(|file| file.fragment_ids.is_some_and(may_have)) {
        for batch in read_rows_of(location, file, FRAGMENT_ID, fragments, &COLUMNS)? {
            append(&mut entries, &batch, &file.name)?;
        }
    }
    Ok(entries)
}

/// The rows of each attempt in `entries`.
pub(crate) fn rows_by_attempt(entries: &[ContentEntry]) -> BTreeMap<Id, u64> {
    let mut rows = BTreeMap::new();
    for entry in entries {
        *rows.entry(entry.attempt).or_default() += entry.rows;
    }
    rows
}

fn append(entries: &mut Vec<ContentEntry>, batch: &RecordBatch, file: &str) -> Result<()> {
    let values = |name: &str| {
        let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        column.map(|column| column.values()).ok_or_else(|| Error::Damaged {
            object: file.to_owned(),
            problem: format!("column {name} is missing or has another type"),
        })
    };
    let (attempts, fragments, rows) = (values(INGEST_ID)?, values(FRAGMENT_ID)?, values(ROWS)?);
    let entry = |((attempt, fragment), rows): ((&i64, &i64), &i64)| ContentEntry {
        attempt: Id(*attempt),
        fragment: Id(*fragment),
        rows: u64::try_from(*rows).unwrap_or(0),
    };
    entries.extend(attempts.iter().zip(fragments).zip(rows).map(entry));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::files::make_ledger_folder;

    fn entry(attempt: i64, fragment: i64, rows: u64) -> ContentEntry {
        ContentEntry { attempt: Id(attempt), fragment: Id(fragment), rows }
    }

    #[test]
    fn attempts_and_fragments_are_found_in_the_files_that_have_them() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        make_ledger_folder(&location).unwrap();
        let early = vec![entry(1, 10, 4), entry(2, 10, 5)];
        let late = vec![entry(3, 11, 6), entry(2, 11, 7)];
        let files: Vec<LedgerFile> =
            [&early, &late].map(|entries| write_contents(&location, entries.clone()).unwrap().unwrap()).into();
        assert_eq!((files[1].ingest_ids, files[1].fragment_ids), ((Id(2), Id(3)), Some((Id(11), Id(11)))));
        assert_eq!(read_contents(&location, &files).unwrap().len(), 4);
        let of_two = contents_of_attempts(&location, &files, &[Id(2)].into()).unwrap();
        assert_eq!(of_two, [entry(2, 10, 5), entry(2, 11, 7)]);
        assert_eq!(contents_of_fragments(&location, &files, &[Id(10)].into()).unwrap(), early);
        assert_eq!(rows_by_attempt(&of_two), BTreeMap::from([(Id(2), 12)]));
        assert_eq!(write_contents(&location, Vec::new()).unwrap(), None);
    }

    #[test]
    fn a_flipped_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        make_ledger_folder(&location).unwrap();
        let file = write_contents(&location, vec![entry(1, 10, 4)]).unwrap().unwrap();
        let path = location.path(&super::super::files::ledger_path(&file.name));
        let mut content = std::fs::read(&path).unwrap();
        content[20] ^= 1;
        std::fs::write(&path, content).unwrap();
        let error = read_contents(&location, &[file]).unwrap_err().to_string();
        assert!(error.contains(".parquet") && error.contains("CRC32C"), "{error}");
    }
}
