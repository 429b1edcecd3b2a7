//! Tests of the commit protocol on real arrays, and the helpers they share: write, replace, compact, read.

mod added_variables;
mod attempt_segments;
mod changed_bytes;
mod checks;
mod conformance;
mod copying;
mod crafted;
mod deaths;
mod home;
mod lost_parts;
mod lost_schemas;
mod object_store;
mod object_store_lock;
mod object_store_refusals;
mod readers;
mod repairing;
mod replacing;
mod scale;
mod tagged_damage;
mod tagging;
mod vacuuming;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{Int64Type, Schema};
use isdb_schema::catalogue::{Variable, variable};
use isdb_schema::segments::stored_fields;
use tiledb::ReadRequest;

use crate::blocking::blocking;
use crate::files::fragment_list::fragments;
use crate::ledger::files::LEDGER;
use crate::ledger::row::tests::row;
use crate::{
    Changes, Database, Design, Id, LedgerRow, Location, OpenSegments, Snapshot, Window, Writer, WrittenFragment,
    write_fragment,
};

const NOW: u64 = 1_700_000_000_000;

fn variables() -> Vec<&'static Variable> {
    vec![variable("h_canopy").unwrap()]
}

async fn fresh() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().join("db").to_str().unwrap()).unwrap();
    let database = Database::create(&location, &Design::new(&variables()), NOW).await.unwrap();
    (folder, database)
}

/// Writes one fragment of `rows` segments in the window, without committing.
fn write(database: &Database, window: &Window, rows: usize) -> WrittenFragment {
    write_with(database, window, rows, &variables())
}

/// Writes a fragment with these variables, which are NULL.
fn write_with(database: &Database, window: &Window, rows: usize, variables: &[&Variable]) -> WrittenFragment {
    write_at(database, window, &vec![1; rows], variables)
}

/// Writes a fragment with a segment at each of `times`, in nanoseconds since 1970.
fn write_at(database: &Database, window: &Window, times: &[i64], variables: &[&Variable]) -> WrittenFragment {
    let id = window.fragment_id(0);
    let batch = batch(id, window.ingest_id(0), times, variables);
    write_fragment(database.location(), window.timestamp, id, &batch, 1).unwrap()
}

/// Segments of an attempt in a fragment, one at each of `times`.
fn batch(fragment: Id, attempt: Id, times: &[i64], variables: &[&Variable]) -> RecordBatch {
    let rows = times.len();
    let schema = Arc::new(Schema::new(stored_fields(variables)));
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "latitude" | "longitude" => {
                    Arc::new(Float64Array::from_iter_values((0..rows).map(|n| n as f64 / 128.0)))
                }
                "time" => Arc::new(TimestampNanosecondArray::from(times.to_vec()).with_timezone("UTC")),
                "ingest_id" => Arc::new(Int64Array::from_value(attempt.0, rows)),
                "fragment_id" => Arc::new(Int64Array::from_value(fragment.0, rows)),
                "beam" => cast(&StringArray::from(vec!["gt1l"; rows]), field.data_type()).unwrap(),
                "segment_id_beg" => Arc::new(Int32Array::from_value(7, rows)),
                _ => new_null_array(field.data_type(), rows),
            }
        })
        .collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

/// Ingests one granule of `rows` segments.
async fn ingest(writer: &mut Writer, rows: usize, now_ms: u64) -> crate::Result<u64> {
    replace(writer, &[], rows, now_ms).await?;
    Ok(writer.head().timestamp)
}

/// Ingests one granule of `rows` segments in place of earlier attempts.
async fn replace(writer: &mut Writer, replaces: &[Id], rows: usize, now_ms: u64) -> crate::Result<Id> {
    let window = writer.begin_window(1, now_ms)?;
    let fragment = write(writer.database(), &window, rows);
    let id = window.ingest_id(0);
    writer.commit(window, changes(vec![fragment], vec![attempt(id, rows, replaces)])).await?;
    Ok(id)
}

fn attempt(id: Id, rows: usize, replaces: &[Id]) -> LedgerRow {
    LedgerRow { rows_kept: rows as i64, replaces: replaces.to_vec(), ..row(id, &format!("granule of {rows}")) }
}

/// Writes all live fragments of segments again as one, and commits that.
async fn compact(writer: &mut Writer, now_ms: u64) -> crate::Result<()> {
    let inputs: BTreeSet<Id> = writer.live_segments().map(|fragment| fragment.id).collect();
    let window = writer.begin_window(0, now_ms)?;
    let outputs: Vec<WrittenFragment> = rewrite(&window, writer.database()).await.into_iter().collect();
    writer.compact(window, &inputs, outputs).await.map(|_| ())
}

/// Writes all visible segments as one fragment of the window, without committing; None where there are none.
async fn rewrite(window: &Window, database: &Database) -> Option<WrittenFragment> {
    let snapshot = database.snapshot().await.unwrap();
    let segments = open(&snapshot).await.unwrap();
    let columns = snapshot.schema().fields().iter().map(|field| field.name().clone()).collect();
    let request = ReadRequest {
        columns,
        ranges: Vec::new(),
        condition: segments.visible(),
        tiles: None,
        order: None,
        batch_rows: 1024,
    };
    let id = window.fragment_id(0);
    let with_id = |batch: RecordBatch| {
        let mut columns = batch.columns().to_vec();
        let at = batch.schema().index_of("fragment_id").unwrap();
        columns[at] = Arc::new(Int64Array::from_value(id.0, batch.num_rows()));
        RecordBatch::try_new(batch.schema(), columns).unwrap()
    };
    let batches = segments.array().read(&request).unwrap();
    let batches: Vec<RecordBatch> = batches.map(|batch| with_id(batch.unwrap())).collect();
    let rows = batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    (rows > 0).then(|| write_fragment(database.location(), window.timestamp, id, &batches, 2).unwrap())
}

fn changes(fragments: Vec<WrittenFragment>, ledger: Vec<LedgerRow>) -> Changes {
    Changes { fragments, ledger, ..Changes::default() }
}

/// Opens the array of a snapshot.
async fn open(snapshot: &Snapshot) -> crate::Result<OpenSegments> {
    let snapshot = snapshot.clone();
    blocking(move || snapshot.segments().cloned()).await
}

async fn counts(snapshot: &Snapshot) -> (usize, usize) {
    let (segments, attempts) = content(snapshot).await.unwrap();
    (segments.values().sum(), attempts.len())
}

async fn seen(database: &Database) -> (usize, usize) {
    counts(&database.snapshot().await.unwrap()).await
}

/// The number of segments by attempt, and the attempts in the ledger.
type Content = (BTreeMap<Id, usize>, BTreeSet<Id>);

async fn content(snapshot: &Snapshot) -> crate::Result<Content> {
    let opened = open(snapshot).await?;
    let others = snapshot.schema().fields().iter().map(|field| field.name().clone());
    let columns = std::iter::once("ingest_id".to_owned()).chain(others.filter(|name| name != "ingest_id")).collect();
    let request = ReadRequest {
        columns,
        ranges: Vec::new(),
        condition: opened.visible(),
        tiles: None,
        order: None,
        batch_rows: 1024,
    };
    let mut segments = BTreeMap::new();
    let batches = opened.array().read(&request).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let batches = match batches {
        Ok(batches) => batches,
        Err(error) => return Err(snapshot.describe(error).await),
    };
    for batch in batches {
        for id in batch.column(0).as_primitive::<Int64Type>().values() {
            *segments.entry(Id(*id)).or_default() += 1;
        }
    }
    Ok((segments, snapshot.ledger().await?.iter().map(|row| row.ingest_id).collect()))
}

/// Asserts that nothing is dead or hidden, and that the live fragments and files of the ledger are the only ones on disk.
async fn assert_clean(database: &Database) {
    let state = database.newest().await.unwrap();
    let number = state.number;
    assert_eq!(database.log().state_at(number).await.unwrap(), state);
    assert_eq!((state.dead_attempts.len(), state.segments.dead.len(), state.segments.hidden.len()), (0, 0, 0));
    assert_eq!(state.ledger.dead.len(), 0);
    let on_disk = fragments(database.location()).unwrap();
    assert!(on_disk.values().all(|files| files.commit_file.is_some() && files.has_folder), "{on_disk:?}");
    let live = state.segments.live.into_iter().map(|(_, fragment)| fragment.record.name.clone());
    assert_eq!(on_disk.into_keys().collect::<BTreeSet<_>>(), live.collect());
    let files: BTreeSet<String> = database.location().names(LEDGER).unwrap().into_iter().collect();
    assert_eq!(files, state.ledger.live.into_iter().map(|(name, _)| name.clone()).collect());
    assert_eq!(open(&database.snapshot().await.unwrap()).await.unwrap().visible(), None);
}
