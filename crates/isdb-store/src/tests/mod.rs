//! Tests of the commit protocol on real arrays, and the helpers they share: write, replace, compact, read.

mod added_variables;
mod attempt_segments;
mod checks;
mod deaths;
mod readers;
mod replacing;
mod vacuuming;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, TimestampNanosecondArray,
    new_null_array,
};
use arrow::datatypes::{Int64Type, Schema};
use isdb_schema::catalogue::{Variable, variable};
use isdb_schema::segments::stored_fields;
use tiledb::{ReadRequest, Vfs};

use crate::files::array_files::list_fragments;
use crate::ledger::row::tests::row;
use crate::{Changes, Database, Design, FragmentRecord, Id, LedgerRow, Location, Snapshot, Window, Writer};

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
fn write(database: &Database, window: &Window, rows: usize) -> FragmentRecord {
    write_with(database, window, rows, &variables())
}

/// Writes a fragment with these variables, which are NULL.
fn write_with(database: &Database, window: &Window, rows: usize, variables: &[&Variable]) -> FragmentRecord {
    write_at(database, window, &vec![1; rows], variables)
}

/// Writes a fragment with a segment at each of `times`, in nanoseconds since 1970.
fn write_at(database: &Database, window: &Window, times: &[i64], variables: &[&Variable]) -> FragmentRecord {
    let (id, rows) = (window.fragment_id(0), times.len());
    let schema = Arc::new(Schema::new(stored_fields(variables)));
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "latitude" | "longitude" => {
                    Arc::new(Float64Array::from_iter_values((0..rows).map(|n| n as f64 / 100.0)))
                }
                "time" => Arc::new(TimestampNanosecondArray::from(times.to_vec()).with_timezone("UTC")),
                "ingest_id" => Arc::new(Int64Array::from_value(window.ingest_id(0).0, rows)),
                "fragment_id" => Arc::new(Int64Array::from_value(id.0, rows)),
                "beam" => Arc::new(LargeStringArray::from(vec!["gt1l"; rows])),
                "segment_id_beg" => Arc::new(Int32Array::from_value(7, rows)),
                _ => new_null_array(field.data_type(), rows),
            }
        })
        .collect();
    let batch = RecordBatch::try_new(schema, columns).unwrap();
    let uri = database.location().segments();
    let name = tiledb::write_fragment(database.context(), &uri, window.timestamp, vec![batch]).unwrap();
    FragmentRecord { id, name, rows: rows as u64 }
}

/// Ingests one granule of `rows` segments.
async fn ingest(writer: &mut Writer, rows: usize, now_ms: u64) -> crate::Result<u64> {
    replace(writer, &[], rows, now_ms).await?;
    Ok(writer.database().head().await?.timestamp)
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
    let outputs: Vec<FragmentRecord> = rewrite(&window, writer.database()).await.into_iter().collect();
    writer.compact(window, &inputs, outputs).await.map(|_| ())
}

/// Writes all visible segments as one fragment of the window, without committing; None where there are none.
async fn rewrite(window: &Window, database: &Database) -> Option<FragmentRecord> {
    let snapshot = database.snapshot().await.unwrap();
    let columns = snapshot.segments().schema().fields().iter().map(|field| field.name().clone()).collect();
    let request = ReadRequest { columns, ranges: Vec::new(), condition: snapshot.visible_segments(), batch_rows: 1024 };
    let id = window.fragment_id(0);
    let with_id = |batch: RecordBatch| {
        let mut columns = batch.columns().to_vec();
        let at = batch.schema().index_of("fragment_id").unwrap();
        columns[at] = Arc::new(Int64Array::from_value(id.0, batch.num_rows()));
        RecordBatch::try_new(batch.schema(), columns).unwrap()
    };
    let batches = snapshot.segments().read(&request).unwrap();
    let batches: Vec<RecordBatch> = batches.map(|batch| with_id(batch.unwrap())).collect();
    let rows = batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64;
    (rows > 0).then(|| {
        let uri = database.location().segments();
        let name = tiledb::write_fragment(database.context(), &uri, window.timestamp, batches).unwrap();
        FragmentRecord { id, name, rows }
    })
}

fn changes(fragments: Vec<FragmentRecord>, ledger: Vec<LedgerRow>) -> Changes {
    Changes { fragments, ledger, ..Changes::default() }
}

async fn counts(snapshot: &Snapshot) -> (usize, usize) {
    let columns = vec!["latitude".to_owned()];
    let condition = snapshot.visible_segments();
    let request = ReadRequest { columns, ranges: Vec::new(), condition, batch_rows: 1024 };
    let batches = snapshot.segments().read(&request).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    (batches.iter().map(RecordBatch::num_rows).sum(), snapshot.ledger().await.unwrap().len())
}

async fn seen(database: &Database) -> (usize, usize) {
    counts(&database.snapshot().await.unwrap()).await
}

/// The number of segments by attempt, and the attempts in the ledger.
type Content = (BTreeMap<Id, usize>, BTreeSet<Id>);

async fn content(snapshot: &Snapshot) -> tiledb::Result<Content> {
    let condition = snapshot.visible_segments();
    let request =
        ReadRequest { columns: vec!["ingest_id".to_owned()], ranges: Vec::new(), condition, batch_rows: 1024 };
    let mut segments = BTreeMap::new();
    for batch in snapshot.segments().read(&request)? {
        for id in batch?.column(0).as_primitive::<Int64Type>().values() {
            *segments.entry(Id(*id)).or_default() += 1;
        }
    }
    let condition = snapshot.visible_granules();
    let mut attempts = BTreeSet::new();
    for batch in snapshot.granules().read(&ReadRequest { condition, ..request })? {
        attempts.extend(batch?.column(0).as_primitive::<Int64Type>().values().iter().copied().map(Id));
    }
    Ok((segments, attempts))
}

/// Asserts that nothing is dead or hidden, and that the live fragments are the only ones on disk.
async fn assert_clean(database: &Database) {
    let head = database.head().await.unwrap();
    let state = database.log().state_at(&head).await.unwrap();
    let vfs = Vfs::new(database.context()).unwrap();
    assert_eq!(head.dead_attempts, []);
    let arrays = head.arrays().into_iter().zip(state.arrays());
    for ((array, fragments), uri) in arrays.zip(database.location().arrays()) {
        let live: Vec<&str> = fragments.live.values().map(|fragment| fragment.name.as_str()).collect();
        let on_disk = list_fragments(&vfs, &uri).unwrap();
        assert!(on_disk.values().all(|files| files.commit_file.is_some() && files.folder.is_some()), "{on_disk:?}");
        assert_eq!(on_disk.keys().map(String::as_str).collect::<BTreeSet<_>>(), live.iter().copied().collect());
        assert_eq!((&array.dead, array.live, fragments.hidden.len()), (&vec![], live.len() as u64, 0));
    }
    assert_eq!(database.snapshot().await.unwrap().visible_segments(), None);
}
