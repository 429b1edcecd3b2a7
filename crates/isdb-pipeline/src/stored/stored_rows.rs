//! The segments that an attempt has in the database.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use isdb_schema::segments::INGEST_ID;
use isdb_store::Snapshot;
use tiledb::{Array, DimensionRange, Literal, Predicate, ReadRequest};

use crate::error::{Error, Result};

const HOUR_NS: i64 = 3_600 * 1_000_000_000;

/// Rows of one batch.
const BATCH_ROWS: usize = 65_536;

/// The `columns` of the segments that the attempts `ingest_ids` have in `snapshot`. Blocks.
///
/// # Errors
/// When the array cannot be read, or does not hold the rows that the ledger has for the attempts.
pub(crate) fn stored_rows(snapshot: &Snapshot, ingest_ids: &[i64], columns: &[&str]) -> Result<Vec<RecordBatch>> {
    let attempts = attempts(snapshot, ingest_ids)?;
    let kept: i64 = attempts.iter().map(|attempt| attempt.rows_kept).sum();
    // Subsets of one granule begin when it does.
    let starts = attempts.iter().map(|attempt| attempt.start_time).collect::<Option<BTreeSet<i64>>>();
    let ranges: Vec<DimensionRange> = starts.unwrap_or_default().into_iter().map(around).collect();
    let count = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    let is_all = |batches: &[RecordBatch]| i64::try_from(count(batches)) == Ok(kept);
    let is_ranged = !ranges.is_empty();
    let mut found = read(snapshot, ingest_ids, columns, ranges)?;
    if is_ranged && !is_all(&found) {
        // The times of the segments are not those of the granule: the whole array is read.
        found = read(snapshot, ingest_ids, columns, Vec::new())?;
    }
    match is_all(&found) {
        true => Ok(found),
        false => {
            let (uri, found) = (snapshot.uri().to_owned(), count(&found));
            Err(Error::Store(isdb_store::Error::Damaged {
                object: uri,
                problem: format!("the ledger has {kept} segments for attempts of which {found} segments are there"),
            }))
        }
    }
}

/// What the ledger says of an attempt.
struct Attempt {
    start_time: Option<i64>,
    rows_kept: i64,
}

/// The times at which the segments of a granule lie: within an hour of its `start`, of which a granule takes a tenth.
fn around(start: i64) -> DimensionRange {
    DimensionRange {
        dimension: "time".to_owned(),
        low: Literal::TimestampNs(start.saturating_sub(HOUR_NS)),
        high: Literal::TimestampNs(start.saturating_add(HOUR_NS)),
    }
}

fn attempts(snapshot: &Snapshot, ids: &[i64]) -> Result<Vec<Attempt>> {
    let only =
        |id: &i64| DimensionRange { dimension: INGEST_ID.to_owned(), low: Literal::Int(*id), high: Literal::Int(*id) };
    let request = ReadRequest {
        columns: ["start_time", "rows_kept"].map(str::to_owned).into(),
        ranges: ids.iter().map(only).collect(),
        condition: snapshot.visible_granules(),
        batch_rows: BATCH_ROWS,
    };
    let mut attempts = Vec::new();
    for batch in batches(snapshot.granules(), &request)? {
        let starts = batch.column_by_name("start_time").and_then(|of| of.as_primitive_opt::<TimestampNanosecondType>());
        let kept = batch.column_by_name("rows_kept").and_then(|of| of.as_primitive_opt::<Int64Type>());
        if let (Some(starts), Some(kept)) = (starts, kept) {
            let attempt = |(start_time, kept): (_, Option<i64>)| Attempt { start_time, rows_kept: kept.unwrap_or(0) };
            attempts.extend(starts.iter().zip(kept).map(attempt));
        }
    }
    Ok(attempts)
}

fn read(snapshot: &Snapshot, ids: &[i64], columns: &[&str], ranges: Vec<DimensionRange>) -> Result<Vec<RecordBatch>> {
    let values = ids.iter().map(|id| Literal::Int(*id)).collect();
    let wanted = Predicate::In { column: INGEST_ID.to_owned(), values, negated: false };
    let request = ReadRequest {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        ranges,
        condition: Some(Predicate::And(snapshot.visible_segments().into_iter().chain([wanted]).collect())),
        batch_rows: BATCH_ROWS,
    };
    batches(snapshot.segments(), &request)
}

fn batches(array: &Array, request: &ReadRequest) -> Result<Vec<RecordBatch>> {
    let failed = |source| Error::Read { uri: array.uri().to_owned(), source };
    array.read(request).map_err(failed)?.map(|batch| batch.map_err(failed)).collect()
}
