//! Decodes every value of one fragment, and compares its rows with what the log records.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use isdb_schema::segments::FRAGMENT_ID;
use tiledb::{Array, Context, ReadRequest};

use super::problem::{describe, is_damage, problem_of};
use crate::error::{Error, Result};
use crate::files::array_files::{FOOTER, FRAGMENTS};
use crate::files::durable::io_error;
use crate::fragment::summary::Summary;
use crate::fragment::{Bounds, FragmentRecord};
use crate::id::Id;

const BATCH_ROWS: usize = 16_384;
const READ_BYTES: usize = 1 << 20;

/// A path, and the problem there.
pub(super) type Problem = (PathBuf, String);

/// Reads the footer of a fragment of the array in the folder `array` and compares it with `record`. Returns the problem, if any.
pub(super) fn check_footer(array: &Path, record: &FragmentRecord) -> Result<Option<Problem>> {
    let folder = array.join(FRAGMENTS).join(&record.name);
    if !folder.is_dir() {
        return Ok(Some((folder, "the folder does not exist".to_owned())));
    }
    let path = folder.join(FOOTER);
    match fs::read(&path) {
        Ok(content) => Ok(record.footer.difference(&content).map(|problem| (path, problem))),
        Err(source) if is_damage(&source) => Ok(Some((path, describe(&source)))),
        Err(source) => Err(io_error(&path, source)),
    }
}

/// Reads every byte of the files in `folder`. A file that the storage cannot read is found here, with its name.
pub(super) fn check_files(folder: &Path) -> Result<Option<Problem>> {
    let mut buffer = vec![0; READ_BYTES];
    for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
        let path = entry.map_err(|source| io_error(folder, source))?.path();
        let read = File::open(&path).and_then(|mut file| {
            while file.read(&mut buffer)? > 0 {}
            Ok(())
        });
        match read {
            Ok(()) => {}
            Err(source) if is_damage(&source) => return Ok(Some((path, describe(&source)))),
            Err(source) => return Err(io_error(&path, source)),
        }
    }
    Ok(None)
}

/// Decodes the array at `uri`, which shows one fragment, and returns its rows by attempt.
///
/// # Errors
/// `Ok(Err(_))` describes a damage.
pub(super) fn decode(
    context: &Context,
    uri: &str,
    timestamp: u64,
    record: &FragmentRecord,
) -> Result<Result<BTreeMap<Id, u64>, String>> {
    let decoded = Array::open_by_library(context, uri, Some(timestamp)).map_err(Error::from).and_then(|array| {
        let columns: Vec<String> = array.schema().fields().iter().map(|field| field.name().clone()).collect();
        read_summary(&array, &columns, record).map_err(|error| name_column(&array, &columns, error))
    });
    match decoded {
        Ok(summary) => Ok(compare(summary, record)),
        Err(error) => problem_of(error).map(Err),
    }
}

/// Reads `columns` of all rows and summarises them.
fn read_summary(array: &Array, columns: &[String], record: &FragmentRecord) -> Result<Option<Summary>> {
    let mut sum: Option<Summary> = None;
    for batch in array.read(&request(columns.to_vec()))? {
        let batch = batch?;
        if batch.num_rows() == 0 {
            continue;
        }
        check_fragment_id(&batch, record)?;
        let next = Summary::new(&batch, array.uri())?;
        sum = Some(match sum {
            None => next,
            Some(sum) => add(sum, next),
        });
    }
    Ok(sum)
}

fn request(columns: Vec<String>) -> ReadRequest {
    ReadRequest { columns, ranges: Vec::new(), condition: None, tiles: None, order: None, batch_rows: BATCH_ROWS }
}

fn check_fragment_id(batch: &RecordBatch, record: &FragmentRecord) -> Result<()> {
    let ids = batch.column_by_name(FRAGMENT_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>());
    match ids.is_some_and(|ids| ids.values().iter().all(|id| *id == record.id.0)) {
        true => Ok(()),
        false => {
            let problem = format!("expected {FRAGMENT_ID} {} in every row, found another", record.id);
            Err(Error::Damaged { object: record.name.clone(), problem })
        }
    }
}

fn add(mut sum: Summary, next: Summary) -> Summary {
    sum.rows += next.rows;
    sum.bounds = Bounds::around([sum.bounds, next.bounds]).unwrap_or(sum.bounds);
    for (chunk, rows) in next.chunks {
        *sum.chunks.entry(chunk).or_default() += rows;
    }
    for (attempt, rows) in next.attempts {
        *sum.attempts.entry(attempt).or_default() += rows;
    }
    sum
}

/// Adds the first column that cannot be read to `error`. libtiledb's message does not always name it.
fn name_column(array: &Array, columns: &[String], error: Error) -> Error {
    let Error::TileDb(tiledb::Error::Library { action, uri, message }) = error else { return error };
    let is_readable = |column: &&String| {
        let batches = array.read(&request(vec![(*column).clone()]));
        batches.is_ok_and(|mut batches| batches.all(|batch| batch.is_ok()))
    };
    let column = columns.iter().find(|column| !is_readable(column));
    let message = column.map(|column| format!("column {column}: {message}")).unwrap_or(message);
    Error::TileDb(tiledb::Error::Library { action, uri, message })
}

/// Returns the rows by attempt if the fragment contains what was recorded.
fn compare(summary: Option<Summary>, record: &FragmentRecord) -> Result<BTreeMap<Id, u64>, String> {
    let found = summary.as_ref().map_or(0, |summary| summary.rows);
    match summary {
        Some(summary) if found == record.rows => {
            if summary.bounds != record.bounds || !summary.chunks.into_iter().eq(record.chunks.iter().copied()) {
                return Err("expected the recorded coordinates, found others".to_owned());
            }
            Ok(summary.attempts)
        }
        _ => Err(format!("expected {} rows, found {found}", record.rows)),
    }
}
