//! Where the segments of a replaced attempt are. No commit lists the attempts of a fragment; the array is asked, once.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array as _, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use tiledb::{Array, Condition, DimensionRange, Literal, ReadRequest};

use crate::blocking::blocking;
use crate::commit::is_in;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::ids::{FRAGMENT_ID, INGEST_ID, Id};
use crate::snapshot::Snapshot;

/// The segments of a granule are looked for within an hour of its start, which a granule takes a tenth of.
const AROUND_NS: i64 = 3_600 * 1_000_000_000;

const BATCH_ROWS: usize = 65_536;

/// What the ledger says of an attempt.
struct Attempt {
    start_time: Option<i64>,
    rows: u64,
}

/// What the array holds of an attempt.
#[derive(Default)]
struct Held {
    fragments: BTreeSet<Id>,
    rows: u64,
}

/// The fragments that hold visible segments of each of these attempts. Attempts without any are left out.
pub(super) async fn fragments_of(database: &Database, ids: BTreeSet<Id>) -> Result<BTreeMap<Id, BTreeSet<Id>>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let snapshot = database.snapshot().await?;
    let held = blocking(move || held(&snapshot, ids)).await?;
    Ok(held.into_iter().map(|(id, held)| (id, held.fragments)).collect())
}

/// Looks around the granules' times first. The ledger tells how many segments there must be; where fewer are found, the times
/// of the segments are not those of the granule, and the whole array is read.
fn held(snapshot: &Snapshot, ids: BTreeSet<Id>) -> Result<BTreeMap<Id, Held>> {
    let attempts = attempts(snapshot, &ids)?;
    let ids: BTreeSet<Id> = ids.into_iter().filter(|id| attempts.get(id).is_none_or(|known| known.rows > 0)).collect();
    let around = |start: i64| DimensionRange {
        dimension: "time".to_owned(),
        low: Literal::TimestampNs(start.saturating_sub(AROUND_NS)),
        high: Literal::TimestampNs(start.saturating_add(AROUND_NS)),
    };
    let starts = attempts.iter().filter(|(id, _)| ids.contains(id)).filter_map(|(_, attempt)| attempt.start_time);
    let ranges: Vec<DimensionRange> = starts.map(around).collect();
    let mut found = if ranges.is_empty() { BTreeMap::new() } else { read(snapshot, &ids, ranges)? };
    let is_whole = |id: &Id| {
        let rows = found.get(id).map_or(0, |held| held.rows);
        attempts.get(id).is_some_and(|attempt| attempt.rows == rows)
    };
    let missed: BTreeSet<Id> = ids.iter().filter(|id| !is_whole(id)).copied().collect();
    if !missed.is_empty() {
        found.extend(read(snapshot, &missed, Vec::new())?);
    }
    Ok(found)
}

/// The ledger's word on the attempts.
fn attempts(snapshot: &Snapshot, ids: &BTreeSet<Id>) -> Result<BTreeMap<Id, Attempt>> {
    let id = |id: &Id| Literal::Int(id.0);
    let only = |id: Literal| DimensionRange { dimension: INGEST_ID.to_owned(), low: id.clone(), high: id };
    let request = ReadRequest {
        columns: [INGEST_ID, "rows_kept", "start_time"].map(str::to_owned).into(),
        ranges: ids.iter().map(id).map(only).collect(),
        condition: snapshot.visible_granules(),
        batch_rows: BATCH_ROWS,
    };
    let mut attempts = BTreeMap::new();
    each(snapshot.granules(), &request, |batch| {
        let (ids, kept) = (integers(batch, INGEST_ID)?, integers(batch, "rows_kept")?);
        let starts = batch.column_by_name("start_time")?.as_primitive_opt::<TimestampNanosecondType>()?;
        for row in 0..batch.num_rows() {
            let start_time = starts.is_valid(row).then(|| starts.value(row));
            let rows = u64::try_from(kept.value(row)).unwrap_or(0);
            attempts.insert(Id(ids.value(row)), Attempt { start_time, rows });
        }
        Some(())
    })?;
    Ok(attempts)
}

/// The fragments and numbers of the visible segments of these attempts, within `ranges`.
fn read(snapshot: &Snapshot, ids: &BTreeSet<Id>, ranges: Vec<DimensionRange>) -> Result<BTreeMap<Id, Held>> {
    let visible = snapshot.visible_segments().into_iter();
    let request = ReadRequest {
        columns: [INGEST_ID, FRAGMENT_ID].map(str::to_owned).into(),
        ranges,
        condition: Some(Condition::And(visible.chain(is_in(INGEST_ID, ids.iter().copied(), false)).collect())),
        batch_rows: BATCH_ROWS,
    };
    let mut found: BTreeMap<Id, Held> = BTreeMap::new();
    each(snapshot.segments(), &request, |batch| {
        let (ids, fragments) = (integers(batch, INGEST_ID)?, integers(batch, FRAGMENT_ID)?);
        let mut counts: BTreeMap<(i64, i64), u64> = BTreeMap::new();
        for pair in ids.values().iter().zip(fragments.values()) {
            *counts.entry((*pair.0, *pair.1)).or_default() += 1;
        }
        for ((id, fragment), rows) in counts {
            let held = found.entry(Id(id)).or_default();
            held.fragments.insert(Id(fragment));
            held.rows += rows;
        }
        Some(())
    })?;
    Ok(found)
}

/// Passes every batch of a read to `take`, which returns None where a column is not what it must be.
fn each(array: &Array, request: &ReadRequest, mut take: impl FnMut(&RecordBatch) -> Option<()>) -> Result<()> {
    for batch in array.read(request)? {
        let problem = || format!("{} are not what they must be", request.columns.join(", "));
        take(&batch?).ok_or_else(|| Error::Damaged { object: array.uri().to_owned(), problem: problem() })?;
    }
    Ok(())
}

fn integers<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a Int64Array> {
    batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()
}
