//! Variables added to a database: visible from their commit on and not before, whatever happens to the writer.

use isdb_schema::catalogue::{Variable, variable};

use super::{NOW, attempt, changes, counts, fresh, ingest, open, seen, variables, write_with};
use crate::{Database, Error, Snapshot, Writer, array_layout, stored_variables, writer};

fn more_variables() -> Vec<&'static Variable> {
    ["canopy_h_metrics", "night_flag", "h_canopy"].map(|name| variable(name).unwrap()).into()
}

fn names(snapshot: &Snapshot) -> Vec<&'static str> {
    stored_variables(snapshot).iter().map(|variable| variable.name).collect()
}

fn schemas(database: &Database) -> usize {
    let entries = std::fs::read_dir(database.location().folder().unwrap().join("segments/__schema")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_file()).count()
}

#[tokio::test]
async fn added_variables_are_visible_from_their_commit_on_and_not_before() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = ingest(&mut writer, 5, NOW).await.unwrap();
    let before = database.snapshot().await.unwrap();
    let added = writer.add_variables(&more_variables(), NOW + 1_000).await.unwrap().timestamp;
    assert!(added > first);
    let after = database.snapshot().await.unwrap();
    assert_eq!(names(&after), ["night_flag", "canopy_h_metrics", "h_canopy"]);
    let schema = after.schema();
    assert_eq!(*schema, open(&after).await.unwrap().array().schema(), "the log has the schema of the array");
    let metadata = schema.field_with_name("canopy_h_metrics").unwrap().metadata();
    assert_eq!((&*metadata["units"], metadata["labels"].len()), ("meters", 53));
    assert_eq!(counts(&after).await, (5, 1));
    for snapshot in [before, database.snapshot_at(first).await.unwrap()] {
        assert_eq!((names(&snapshot), counts(&snapshot).await), (vec!["h_canopy"], (5, 1)));
    }

    let window = writer.begin_window(1, NOW + 2_000).unwrap();
    let fragment = write_with(&database, &window, 7, &more_variables());
    writer.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 7, &[])])).await.unwrap();
    assert_eq!(seen(&database).await, (12, 2));
}

#[tokio::test]
async fn adding_stored_variables_changes_nothing() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let before = database.newest().await.unwrap();
    let leading = variable("latitude").unwrap();
    writer.add_variables(&[variables()[0], leading], NOW).await.unwrap();
    assert_eq!((database.newest().await.unwrap(), schemas(&database)), (before, 1));
}

#[tokio::test]
async fn variables_of_a_writer_that_died_before_its_commit_are_not_added() {
    let (_folder, database) = fresh().await;
    let mut dead = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut dead, 5, NOW).await.unwrap();
    let window = dead.begin_window(0, NOW).unwrap();
    let fields = array_layout::added_fields(&[variable("night_flag").unwrap()]);
    writer::add_attributes(database.context().unwrap(), database.location(), window.timestamp, &fields).unwrap();
    drop(dead);
    assert_eq!(schemas(&database), 2);
    assert_eq!(names(&database.snapshot().await.unwrap()), ["h_canopy"]);

    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(schemas(&database), 1, "the uncommitted schema is removed");
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    assert_eq!((names(&database.snapshot().await.unwrap()), seen(&database).await), (vec!["h_canopy"], (12, 2)));

    next.add_variables(&more_variables(), NOW + 20_000).await.unwrap();
    assert_eq!(names(&database.snapshot().await.unwrap()).len(), 3, "the variables can be added again");
}

#[tokio::test]
async fn variables_added_late_by_a_replaced_writer_are_not_committed_and_do_not_disturb_readers() {
    let (_folder, database) = fresh().await;
    let mut stopped = Writer::take_over(&database, NOW).await.unwrap();
    // The lock fails: another writer takes over while this one is suspended.
    std::fs::remove_file(database.location().folder().unwrap().join("lock")).unwrap();
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    drop(next);

    let refused = stopped.add_variables(&more_variables(), NOW).await.map(|commit| commit.number);
    assert!(matches!(refused, Err(Error::Overtaken { .. })), "{refused:?}");
    drop(stopped);
    let snapshot = database.snapshot().await.unwrap();
    assert_eq!(counts(&snapshot).await, (7, 1));
    let stored = stored_variables(&snapshot);
    let mut third = Writer::take_over(&database, NOW).await.unwrap();
    let window = third.begin_window(1, NOW + 20_000).unwrap();
    let fragment = write_with(&database, &window, 3, &stored);
    third.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 3, &[])])).await.unwrap();
    assert_eq!(seen(&database).await, (10, 2));
}
