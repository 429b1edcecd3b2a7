//! Decodes every value of one fragment, and compares its rows with what the log records.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use isdb_schema::segments::{FRAGMENT_ID, INGEST_ID};
use tiledb::ReadRequest;

use super::problem::{Problem, problem_at};
use super::view::View;
use crate::error::{Error, Result};
use crate::files::array_files::FRAGMENTS;
use crate::files::location::{Location, SEGMENTS};
use crate::fragment::summary::Summary;
use crate::fragment::{Bounds, FragmentRecord};
use crate::id::Id;
use crate::log::segments_schema::SegmentsSchema;

const BATCH_ROWS: usize = 16_384;

/// The columns that the log and the ledger describe.
const RECORDED: [&str; 5] = ["latitude", "longitude", "time", INGEST_ID, FRAGMENT_ID];

/// Rows by attempt of a whole fragment, or its problem.
pub(super) type Decoded = Result<BTreeMap<Id, u64>, Problem>;

/// Decodes every tile of a fragment, and returns its rows by attempt. Blocks.
///
/// # Errors
/// `Ok(Err(_))` describes a damage.
pub(super) fn decode(
    location: &Location,
    view: &View,
    schema: &SegmentsSchema,
    record: &FragmentRecord,
) -> Result<Decoded> {
    let path = format!("{SEGMENTS}/{FRAGMENTS}/{}", record.name);
    let folder = location.child(&path);
    match read_summary(view, schema, record) {
        Ok(summary) => Ok(compare(summary, record).map_err(|problem| (folder, problem))),
        Err(error) => {
            let is_lost = is_not_found(&error) && location.names(&path)?.is_empty();
            let problem = problem_at(error, &folder)?;
            Ok(Err(if is_lost { (folder, "the folder does not exist".to_owned()) } else { problem }))
        }
    }
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::TileDb(tiledb::Error::File { source, .. }) if source.kind() == ErrorKind::NotFound)
}

/// Checks all tiles, and summarises the rows.
fn read_summary(view: &View, schema: &SegmentsSchema, record: &FragmentRecord) -> Result<Option<Summary>> {
    let array = view.open(schema, record)?;
    array.check_fragment(0)?;
    let request = ReadRequest {
        columns: RECORDED.map(str::to_owned).into(),
        ranges: Vec::new(),
        condition: None,
        tiles: None,
        order: None,
        batch_rows: BATCH_ROWS,
    };
    let mut sum: Option<Summary> = None;
    for batch in array.read(&request)? {
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
