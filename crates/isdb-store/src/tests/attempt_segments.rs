//! Segments of chosen attempts: each exactly once, whether or not their times are near the granule's start.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};

use super::{NOW, attempt, changes, fresh, open, replace, variables, write_at};
use crate::{Database, Error, Id, LedgerRow, Writer};

const DAY: i64 = 86_400_000_000_000;

/// Ingests a granule that starts at `start_time`, with segments at `times`.
async fn ingest_at(writer: &mut Writer, start_time: Option<i64>, times: &[i64]) -> Id {
    let window = writer.begin_window(1, NOW).unwrap();
    let (fragment, id) = (write_at(writer.database(), &window, times, &variables()), window.ingest_id(0));
    let row = LedgerRow { start_time, ..attempt(id, times.len(), &[]) };
    writer.commit(window, changes(vec![fragment], vec![row])).await.unwrap();
    id
}

/// The attempts and times of the segments of `ids`, sorted.
async fn segments(database: &Database, ids: &[Id]) -> Vec<(Id, i64)> {
    let snapshot = database.snapshot().await.unwrap();
    open(&snapshot).await.unwrap();
    let mut segments = snapshot.segments_of(&ids.iter().copied().collect(), &["time"]).unwrap();
    let batches: Vec<RecordBatch> = segments.by_ref().collect::<Result<_, _>>().unwrap();
    segments.check_complete().unwrap();
    let mut found = Vec::new();
    for batch in batches {
        assert_eq!(batch.schema().fields().iter().map(|field| field.name()).collect::<Vec<_>>(), ["ingest_id", "time"]);
        let (ids, times) =
            (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<TimestampNanosecondType>());
        found.extend(ids.values().iter().map(|id| Id(*id)).zip(times.values().iter().copied()));
    }
    found.sort_unstable();
    found
}

#[tokio::test]
async fn segments_near_and_far_from_the_start_time_are_each_returned_once() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let near = ingest_at(&mut writer, Some(0), &[1, 2]).await;
    let both = ingest_at(&mut writer, Some(DAY), &[3, DAY, DAY + 1, 9 * DAY]).await;
    let untimed = ingest_at(&mut writer, None, &[4, 5 * DAY]).await;
    let other = ingest_at(&mut writer, Some(0), &[6]).await;
    assert_eq!(segments(&database, &[near]).await, [(near, 1), (near, 2)]);
    let all_of_both = [(both, 3), (both, DAY), (both, DAY + 1), (both, 9 * DAY)];
    assert_eq!(segments(&database, &[both]).await, all_of_both);
    let expected = [&[(near, 1), (near, 2)][..], &all_of_both, &[(untimed, 4), (untimed, 5 * DAY)]].concat();
    assert_eq!(segments(&database, &[near, both, untimed]).await, expected);
    assert_eq!(segments(&database, &[other]).await, [(other, 6)]);
    assert_eq!(segments(&database, &[]).await, []);
}

#[tokio::test]
async fn requested_columns_come_after_the_attempt() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let far = ingest_at(&mut writer, Some(DAY), &[1]).await;
    let snapshot = database.snapshot().await.unwrap();
    open(&snapshot).await.unwrap();
    for (columns, expected) in
        [(vec!["beam"], vec!["ingest_id", "beam"]), (vec!["beam", "ingest_id"], vec!["beam", "ingest_id"])]
    {
        let batch = snapshot.segments_of(&[far].into(), &columns).unwrap().next().unwrap().unwrap();
        let schema = batch.schema();
        assert_eq!(schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(batch.num_rows(), 1);
    }
}

#[tokio::test]
async fn segments_that_are_no_longer_visible_are_not_complete() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let old = replace(&mut writer, &[], 5, NOW).await.unwrap();
    replace(&mut writer, &[old], 7, NOW).await.unwrap();
    let snapshot = database.snapshot().await.unwrap();
    open(&snapshot).await.unwrap();
    let mut segments = snapshot.segments_of(&BTreeSet::from([old]), &[]).unwrap();
    assert_eq!(segments.by_ref().count(), 0);
    let error = segments.check_complete().unwrap_err();
    assert!(matches!(&error, Error::Damaged { problem, .. } if problem.starts_with("expected 5 segments")), "{error}");
}
