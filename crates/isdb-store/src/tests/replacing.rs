//! Granules that are ingested again: the same commit hides their earlier segments, and the ledger keeps their history.

use std::collections::BTreeSet;

use super::{NOW, assert_clean, attempt, changes, compact, content, fresh, ingest, open, replace, seen, write};
use crate::{Changes, Database, Error, Id, LedgerRow, Writer};

async fn dead_attempts(database: &Database) -> Vec<(Id, Vec<Id>)> {
    let state = database.newest().await.unwrap();
    state.dead_attempts.into_iter().map(|(id, fragments)| (*id, fragments.iter().copied().collect())).collect()
}

#[tokio::test]
async fn a_granule_ingested_again_is_stored_once_and_keeps_its_history() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let old = replace(&mut writer, &[], 5, NOW).await.unwrap();
    let other = replace(&mut writer, &[], 3, NOW).await.unwrap();
    let before = database.snapshot().await.unwrap();
    let new = replace(&mut writer, &[old], 7, NOW).await.unwrap();
    let expected = ([(other, 3), (new, 7)].into(), [old, other, new].into());
    assert_eq!(content(&database.snapshot().await.unwrap()).await.unwrap(), expected);
    assert_eq!(content(&before).await.unwrap(), ([(old, 5), (other, 3)].into(), [old, other].into()));
    let ledger = database.snapshot().await.unwrap().ledger().await.unwrap();
    assert_eq!(ledger.last().unwrap().replaces, [old]);
    assert_eq!(writer.dead_attempts(), 1);

    compact(&mut writer, NOW).await.unwrap();
    assert_eq!(content(&database.snapshot().await.unwrap()).await.unwrap(), expected);
    assert_eq!(writer.dead_attempts(), 0, "no live fragment has its segments");
    assert_eq!(database.newest().await.unwrap().segments.dead.len(), 3);
    let removed = writer.vacuum(NOW, 0).await.unwrap();
    assert_eq!((removed.fragments, removed.files > 30, removed.bytes > 1_000), (3, true, true));
    assert_eq!(writer.live_segments().count(), 1);
    assert_clean(&database).await;
    assert_eq!(content(&database.snapshot().await.unwrap()).await.unwrap(), expected);
}

#[tokio::test]
async fn segments_are_found_after_a_compaction_and_after_a_second_replacement() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = replace(&mut writer, &[], 5, NOW).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();
    let compacted = writer.live_segments().next().unwrap().id;
    let second = replace(&mut writer, &[first], 6, NOW).await.unwrap();
    assert_eq!(dead_attempts(&database).await, [(first, vec![compacted])]);
    let third = replace(&mut writer, &[first, second], 7, NOW).await.unwrap();
    assert_eq!(dead_attempts(&database).await.len(), 2, "the first is dead already");
    assert_eq!(content(&database.snapshot().await.unwrap()).await.unwrap().0, [(third, 7)].into());
}

#[tokio::test]
async fn segments_far_from_the_start_time_of_the_granule_are_found() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let day = 86_400_000_000_000;
    for start_time in [Some(400 * day), None] {
        let window = writer.begin_window(1, NOW).unwrap();
        let (fragment, id) = (write(&database, &window, 5), window.ingest_id(0));
        let row = LedgerRow { start_time, ..attempt(id, 5, &[]) };
        writer.commit(window, changes(vec![fragment], vec![row])).await.unwrap();
        let new = replace(&mut writer, &[id], 7, NOW).await.unwrap();
        let segments = content(&database.snapshot().await.unwrap()).await.unwrap().0;
        assert_eq!((segments.get(&id), segments.get(&new)), (None, Some(&7)), "{start_time:?}");
    }
}

#[tokio::test]
async fn attempts_without_segments_add_no_condition_to_reads() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.begin_window(1, NOW).unwrap();
    let failed = window.ingest_id(0);
    writer.commit(window, changes(vec![], vec![attempt(failed, 0, &[])])).await.unwrap();
    replace(&mut writer, &[failed, Id::new(1, 77)], 5, NOW).await.unwrap();
    assert_eq!(writer.dead_attempts(), 0);
    assert_eq!(open(&database.snapshot().await.unwrap()).await.unwrap().visible(), None);
}

#[tokio::test]
async fn the_segments_of_a_removed_granule_are_hidden_and_vacuumed() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let old = replace(&mut writer, &[], 5, NOW).await.unwrap();
    let window = writer.begin_window(1, NOW).unwrap();
    let removal = attempt(window.ingest_id(0), 0, &[old]);
    writer.commit(window, changes(vec![], vec![removal])).await.unwrap();
    assert_eq!(seen(&database).await, (0, 2));
    compact(&mut writer, NOW).await.unwrap();
    writer.vacuum(NOW, 0).await.unwrap();
    assert_clean(&database).await;
    assert_eq!(seen(&database).await, (0, 2));
}

#[tokio::test]
async fn the_compacted_ledger_is_one_file_with_the_same_rows() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    assert!(writer.compact_ledger(NOW).await.unwrap().is_none(), "there are too few small files");
    for _ in 0..33 {
        let window = writer.begin_window(1, NOW).unwrap();
        writer.commit(window, changes(vec![], vec![attempt(window.ingest_id(0), 0, &[])])).await.unwrap();
    }
    let before = database.snapshot().await.unwrap().ledger().await.unwrap();
    assert!(writer.compact_ledger(NOW).await.unwrap().is_some());
    let snapshot = database.snapshot().await.unwrap();
    assert_eq!((snapshot.ledger().await.unwrap(), snapshot.ledger_files().len()), (before.clone(), 1));
    writer.vacuum(NOW, 0).await.unwrap();
    assert_clean(&database).await;
    assert_eq!(database.snapshot().await.unwrap().ledger().await.unwrap(), before);
    ingest(&mut writer, 7, NOW).await.unwrap();
    assert_eq!(seen(&database).await, (12, 35));
}

#[tokio::test]
async fn a_compaction_with_a_lost_segment_or_an_unknown_input_is_refused() {
    let (_folder, database) = fresh().await;
    for rows in [4, 6] {
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let old = replace(&mut writer, &[], 5, NOW).await.unwrap();
        let input = writer.live_segments().last().unwrap().id;
        let window = writer.begin_window(0, NOW).unwrap();
        let output = write(&database, &window, rows);
        let refused = writer.compact(window, &[input].into(), vec![output]).await.map(|commit| commit.number);
        assert!(matches!(refused, Err(Error::Mismatch { .. })), "{refused:?}");
        let content = content(&database.snapshot().await.unwrap()).await.unwrap();
        assert_eq!(content.0.get(&old), Some(&5));
    }
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.begin_window(0, NOW).unwrap();
    let inputs = BTreeSet::from([Id::new(1, 1)]);
    assert!(matches!(writer.compact(window, &inputs, vec![]).await, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn an_abandoned_fragment_is_never_visible_and_its_id_is_not_used_again() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.begin_window(1, NOW).unwrap();
    let given_up = write(&database, &window, 5);
    let ledger = vec![attempt(window.ingest_id(0), 0, &[])];
    let nothing = Changes { abandoned: vec![given_up.clone()], ledger, ..Changes::default() };
    writer.commit(window, nothing).await.unwrap();
    assert_eq!(seen(&database).await, (0, 1));
    assert!(writer.begin_window(1, NOW).unwrap().ingest_id(0) > given_up.record.id);

    drop(writer);
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 7, NOW).await.unwrap();
    assert_eq!(seen(&database).await, (7, 2));
    assert_eq!(writer.vacuum(NOW, 0).await.unwrap().fragments, 1);
    assert_clean(&database).await;
    assert_eq!(seen(&database).await, (7, 2));
}
