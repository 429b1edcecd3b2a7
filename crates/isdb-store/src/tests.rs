//! The commit protocol as its users meet it: windows whole or not at all, writers that die, stop or have a wrong clock.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, TimestampNanosecondArray,
    new_null_array,
};
use arrow::datatypes::Schema;
use isdb_schema::catalogue::{Variable, variable};
use isdb_schema::segments::stored_fields;
use tiledb::ReadRequest;

use crate::ledger::tests::row;
use crate::{
    Changes, Database, Design, Error, FragmentRecord, LedgerRow, Location, Snapshot, Window, Writer, evolution,
    storage, stored_variables,
};

const NOW: u64 = 1_700_000_000_000;

fn variables() -> Vec<&'static Variable> {
    vec![variable("h_canopy").unwrap()]
}

async fn fresh() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().join("db").to_str().unwrap()).unwrap();
    let database = Database::create(&location, &Design::of(&variables()), NOW).await.unwrap();
    (folder, database)
}

/// Writes one fragment of `rows` segments in the window, without committing.
fn write(database: &Database, window: &Window, rows: usize) -> FragmentRecord {
    write_with(database, window, rows, &variables())
}

/// The same for other variables, which are NULL.
fn write_with(database: &Database, window: &Window, rows: usize, variables: &[&Variable]) -> FragmentRecord {
    let id = window.fragment_id(0);
    let schema = Arc::new(Schema::new(stored_fields(variables)));
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "latitude" | "longitude" => {
                    Arc::new(Float64Array::from_iter_values((0..rows).map(|n| n as f64 / 100.0)))
                }
                "time" => Arc::new(TimestampNanosecondArray::from(vec![1; rows]).with_timezone("UTC")),
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
    let name = tiledb::write_fragment(database.context(), &uri, window.timestamp, &[batch]).unwrap();
    FragmentRecord { id, name, rows: rows as u64 }
}

fn changes(fragments: Vec<FragmentRecord>, ledger: Vec<LedgerRow>) -> Changes {
    Changes { fragments, ledger, filters: None }
}

async fn ingest(writer: &mut Writer, rows: usize, now_ms: u64) -> crate::Result<u64> {
    let window = writer.window(1, now_ms)?;
    let fragment = write(writer.database(), &window, rows);
    let ledger = vec![row(window.ingest_id(0), &format!("granule of {rows}"))];
    writer.commit(window, changes(vec![fragment], ledger)).await.map(|commit| commit.timestamp)
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

#[tokio::test]
async fn a_window_shows_when_it_is_committed_and_not_before() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.window(1, NOW).unwrap();
    let fragment = write(&database, &window, 5);
    assert_eq!(seen(&database).await, (0, 0));
    writer.commit(window, changes(vec![fragment], vec![row(window.ingest_id(0), "a")])).await.unwrap();
    assert_eq!(seen(&database).await, (5, 1));
}

#[tokio::test]
async fn a_snapshot_keeps_its_state_and_an_earlier_one_can_be_opened() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = ingest(&mut writer, 5, NOW).await.unwrap();
    let held = database.snapshot().await.unwrap();
    ingest(&mut writer, 7, NOW + 1_000).await.unwrap();
    assert_eq!(counts(&held).await, (5, 1));
    assert_eq!(counts(&database.snapshot_at(first).await.unwrap()).await, (5, 1));
    assert_eq!(seen(&database).await, (12, 2));
    assert!(matches!(database.snapshot_at(NOW - 1).await, Err(Error::TooEarly { .. })));
}

#[tokio::test]
async fn what_a_dead_writer_left_is_never_seen_not_even_after_later_commits() {
    let (_folder, database) = fresh().await;
    let mut dead = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut dead, 5, NOW).await.unwrap();
    let window = dead.window(1, NOW).unwrap();
    write(&database, &window, 100);
    drop(dead);
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(seen(&database).await, (5, 1));
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    assert_eq!(seen(&database).await, (12, 2));
    let snapshot = database.snapshot().await.unwrap();
    assert_eq!(snapshot.visible_segments(), None, "a clean database costs no condition");
}

#[tokio::test]
async fn a_writer_that_was_taken_over_can_commit_nothing_and_its_late_fragments_stay_hidden() {
    let (_folder, database) = fresh().await;
    let mut stopped = Writer::take_over(&database, NOW).await.unwrap();
    let window = stopped.window(1, NOW).unwrap();
    // The lock fails: another writer takes over while this one sleeps.
    std::fs::remove_file(database.location().root().join("lock")).unwrap();
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();

    let late = write(&database, &window, 100);
    assert_eq!(seen(&database).await, (7, 1), "a late fragment is below the committed timestamp, and hidden");
    let refused = stopped.commit(window, changes(vec![late], vec![row(window.ingest_id(0), "late")])).await;
    assert!(matches!(refused, Err(Error::Overtaken { .. })), "{refused:?}");
    assert_eq!(seen(&database).await, (7, 1));

    drop((stopped, next));
    let mut third = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut third, 3, NOW + 20_000).await.unwrap();
    assert_eq!(seen(&database).await, (10, 2));
}

#[tokio::test]
async fn a_clock_that_is_behind_hides_nothing_and_one_ahead_shows_nothing_early() {
    let (_folder, database) = fresh().await;
    let hour = 3_600_000;
    let mut ahead = Writer::take_over(&database, NOW + hour).await.unwrap();
    let first = ingest(&mut ahead, 5, NOW + hour).await.unwrap();
    drop(ahead);
    let mut behind = Writer::take_over(&database, NOW - hour).await.unwrap();
    let second = ingest(&mut behind, 7, NOW - hour).await.unwrap();
    assert!(second > first);
    assert_eq!(seen(&database).await, (12, 2));
}

#[tokio::test]
async fn two_writers_at_a_time_are_told_so() {
    let (_folder, database) = fresh().await;
    let writer = Writer::take_over(&database, NOW).await.unwrap();
    assert!(matches!(Writer::take_over(&database, NOW).await, Err(Error::Locked { .. })));
    drop(writer);
    assert!(Writer::take_over(&database, NOW).await.is_ok());
}

#[tokio::test]
async fn a_window_that_was_given_up_ends_its_writer() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    writer.window(1, NOW).unwrap();
    assert!(matches!(writer.window(1, NOW), Err(Error::Unfinished { .. })));
}

#[tokio::test]
async fn a_long_log_is_summed_up_and_a_lost_checkpoint_loses_nothing() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    for _ in 0..70 {
        let window = writer.window(1, NOW).unwrap();
        writer.commit(window, changes(Vec::new(), vec![row(window.ingest_id(0), "empty")])).await.unwrap();
    }
    let root = database.location().root();
    assert_eq!(std::fs::read_dir(root.join("checkpoints")).unwrap().count(), 1);
    let head = database.head().await.unwrap();
    let with = database.log().recorded(&head).await.unwrap();
    std::fs::remove_dir_all(root.join("checkpoints")).unwrap();
    assert_eq!(database.log().recorded(&head).await.unwrap(), with);
    assert_eq!(with.granules.len(), 70);
    assert_eq!(database.head().await.unwrap(), head);
}

#[tokio::test]
async fn a_fragment_that_is_gone_is_told_and_not_left_out_silently() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    let commits = database.location().root().join("segments/__commits");
    let file = std::fs::read_dir(&commits).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(file).unwrap();
    assert!(matches!(database.snapshot().await, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_database_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = Location::parse(folder.path().to_str().unwrap()).unwrap();
    std::fs::write(folder.path().join("precious"), "").unwrap();
    assert!(matches!(Database::create(&occupied, &Design::of(&variables()), NOW).await, Err(Error::Occupied { .. })));
    assert!(matches!(Database::open(&occupied).await, Err(Error::NotFound { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn later() -> Vec<&'static Variable> {
    ["canopy_h_metrics", "night_flag", "h_canopy"].map(|name| variable(name).unwrap()).into()
}

fn names(snapshot: &Snapshot) -> Vec<&'static str> {
    stored_variables(snapshot).iter().map(|variable| variable.name).collect()
}

fn schemas(database: &Database) -> usize {
    let entries = std::fs::read_dir(database.location().root().join("segments/__schema")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_file()).count()
}

#[tokio::test]
async fn added_variables_are_there_from_their_commit_on_and_not_before() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = ingest(&mut writer, 5, NOW).await.unwrap();
    let held = database.snapshot().await.unwrap();
    let added = writer.add_variables(&later(), NOW + 1_000).await.unwrap().timestamp;
    assert!(added > first);
    let after = database.snapshot().await.unwrap();
    assert_eq!(names(&after), ["night_flag", "canopy_h_metrics", "h_canopy"]);
    let schema = after.segments().schema();
    let metadata = schema.field_with_name("canopy_h_metrics").unwrap().metadata();
    assert_eq!((&*metadata["units"], metadata["labels"].len()), ("meters", 53));
    assert_eq!(counts(&after).await, (5, 1));
    for before in [held, database.snapshot_at(first).await.unwrap()] {
        assert_eq!((names(&before), counts(&before).await), (vec!["h_canopy"], (5, 1)));
    }

    let window = writer.window(1, NOW + 2_000).unwrap();
    let fragment = write_with(&database, &window, 7, &later());
    writer.commit(window, changes(vec![fragment], vec![row(window.ingest_id(0), "b")])).await.unwrap();
    assert_eq!(seen(&database).await, (12, 2));
}

#[tokio::test]
async fn adding_what_is_stored_already_changes_nothing() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let before = database.head().await.unwrap();
    let leading = variable("latitude").unwrap();
    writer.add_variables(&[variables()[0], leading], NOW).await.unwrap();
    assert_eq!((database.head().await.unwrap(), schemas(&database)), (before, 1));
}

#[tokio::test]
async fn a_writer_that_dies_before_it_commits_new_variables_leaves_none() {
    let (_folder, database) = fresh().await;
    let mut dead = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut dead, 5, NOW).await.unwrap();
    let window = dead.window(0, NOW).unwrap();
    let fields = storage::added_fields(&[variable("night_flag").unwrap()]);
    evolution::add_attributes(database.context(), database.location(), window.timestamp, &fields).unwrap();
    drop(dead);
    assert_eq!(schemas(&database), 2);
    assert_eq!(names(&database.snapshot().await.unwrap()), ["h_canopy"]);

    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(schemas(&database), 1, "the schema that nobody committed is gone");
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    assert_eq!((names(&database.snapshot().await.unwrap()), seen(&database).await), (vec!["h_canopy"], (12, 2)));

    next.add_variables(&later(), NOW + 20_000).await.unwrap();
    assert_eq!(names(&database.snapshot().await.unwrap()).len(), 3, "and it can be added once more");
}

#[tokio::test]
async fn variables_added_late_by_a_writer_that_was_taken_over_are_not_committed_and_harm_no_reader() {
    let (_folder, database) = fresh().await;
    let mut stopped = Writer::take_over(&database, NOW).await.unwrap();
    // The lock fails: another writer takes over while this one sleeps.
    std::fs::remove_file(database.location().root().join("lock")).unwrap();
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    drop(next);

    let refused = stopped.add_variables(&later(), NOW).await.map(|commit| commit.number);
    assert!(matches!(refused, Err(Error::Overtaken { .. })), "{refused:?}");
    drop(stopped);
    let snapshot = database.snapshot().await.unwrap();
    assert_eq!(counts(&snapshot).await, (7, 1));
    let stored = stored_variables(&snapshot);
    let mut third = Writer::take_over(&database, NOW).await.unwrap();
    let window = third.window(1, NOW + 20_000).unwrap();
    let fragment = write_with(&database, &window, 3, &stored);
    third.commit(window, changes(vec![fragment], vec![row(window.ingest_id(0), "c")])).await.unwrap();
    assert_eq!(seen(&database).await, (10, 2));
}
