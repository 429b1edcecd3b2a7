//! Windows become visible whole or not at all, whether writers die, are suspended or have a wrong clock.

use super::{NOW, attempt, changes, content, counts, fresh, ingest, seen, variables, write};
use crate::{Changes, Database, Design, Error, Location, Writer};

#[tokio::test]
async fn a_window_is_visible_after_its_commit_and_not_before() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.begin_window(1, NOW).unwrap();
    let fragment = write(&database, &window, 5);
    assert_eq!(seen(&database).await, (0, 0));
    writer.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 5, &[])])).await.unwrap();
    assert_eq!(seen(&database).await, (5, 1));
}

#[tokio::test]
async fn a_snapshot_does_not_change_and_an_earlier_state_can_be_opened() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = ingest(&mut writer, 5, NOW).await.unwrap();
    let snapshot = database.snapshot().await.unwrap();
    ingest(&mut writer, 7, NOW + 1_000).await.unwrap();
    assert_eq!(counts(&snapshot).await, (5, 1));
    assert_eq!(counts(&database.snapshot_at(first).await.unwrap()).await, (5, 1));
    assert_eq!(seen(&database).await, (12, 2));
    assert!(matches!(database.snapshot_at(NOW - 1).await, Err(Error::TooEarly { .. })));
}

#[tokio::test]
async fn orphans_of_a_dead_writer_never_become_visible() {
    let (_folder, database) = fresh().await;
    let mut dead = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut dead, 5, NOW).await.unwrap();
    let window = dead.begin_window(1, NOW).unwrap();
    write(&database, &window, 100);
    drop(dead);
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(seen(&database).await, (5, 1));
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    assert_eq!(seen(&database).await, (12, 2));
    let snapshot = database.snapshot().await.unwrap();
    assert!(!snapshot.has_hidden_rows().unwrap(), "other TileDB programs see the same rows");
}

#[tokio::test]
async fn a_replaced_writer_cannot_commit_and_its_late_fragments_stay_hidden() {
    let (_folder, database) = fresh().await;
    let mut stopped = Writer::take_over(&database, NOW).await.unwrap();
    let window = stopped.begin_window(1, NOW).unwrap();
    // The lock fails: another writer takes over while this one is suspended.
    std::fs::remove_file(database.location().folder().unwrap().join("lock")).unwrap();
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();

    let late = write(&database, &window, 100);
    assert_eq!(seen(&database).await, (7, 1), "a late fragment is below the committed timestamp, and hidden");
    let refused = stopped.commit(window, changes(vec![late], vec![attempt(window.ingest_id(0), 100, &[])])).await;
    assert!(matches!(refused, Err(Error::Overtaken { .. })), "{refused:?}");
    assert_eq!(seen(&database).await, (7, 1));

    drop((stopped, next));
    let mut third = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut third, 3, NOW + 20_000).await.unwrap();
    assert_eq!(seen(&database).await, (10, 2));
}

#[tokio::test]
async fn wrong_clocks_neither_hide_commits_nor_show_them_early() {
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
async fn a_second_writer_is_refused() {
    let (_folder, database) = fresh().await;
    let writer = Writer::take_over(&database, NOW).await.unwrap();
    assert!(matches!(Writer::take_over(&database, NOW).await, Err(Error::Locked { .. })));
    drop(writer);
    assert!(Writer::take_over(&database, NOW).await.is_ok());
}

#[tokio::test]
async fn a_writer_cannot_go_on_after_an_unfinished_window() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    writer.begin_window(1, NOW).unwrap();
    assert!(matches!(writer.begin_window(1, NOW), Err(Error::Unfinished { .. })));
}

#[tokio::test]
async fn a_long_log_has_a_checkpoint_and_a_lost_checkpoint_loses_nothing() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    for _ in 0..70 {
        let window = writer.begin_window(1, NOW).unwrap();
        writer.commit(window, changes(vec![], vec![attempt(window.ingest_id(0), 0, &[])])).await.unwrap();
    }
    let checkpoints = database.location().folder().unwrap().join("checkpoints");
    let mut names: Vec<_> = std::fs::read_dir(&checkpoints).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "the takeover wrote one, and commit 64");
    let expected = database.newest().await.unwrap();
    let read = async || Database::open(database.location()).await.unwrap().newest().await.unwrap();
    assert_eq!(read().await, expected);
    let mut content = std::fs::read(&names[1]).unwrap();
    content[100] ^= 1;
    std::fs::write(&names[1], content).unwrap();
    assert_eq!(read().await, expected, "a damaged checkpoint is skipped");
    std::fs::remove_dir_all(&checkpoints).unwrap();
    assert_eq!(read().await, expected);
    assert_eq!((expected.number, expected.ledger.live.len()), (72, 70));
}

#[tokio::test]
async fn a_damaged_commit_is_an_error_that_names_it() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    for rows in [5, 7] {
        ingest(&mut writer, rows, NOW).await.unwrap();
    }
    let path = database.location().folder().unwrap().join("commits/00000000000000000003");
    let content = std::fs::read(&path).unwrap();
    let mut changed = content.clone();
    changed[60] ^= 1;
    for damage in [Some(changed.as_slice()), Some(&content[..70]), Some(b""), None] {
        match damage {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let error = Database::open(database.location()).await.unwrap_err();
        assert!(matches!(&error, Error::Damaged { object, .. } if object.ends_with("3")), "{error}");
    }
}

#[tokio::test]
async fn a_missing_fragment_is_an_error() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    let fragments = database.location().folder().unwrap().join("segments/__fragments");
    let folder = std::fs::read_dir(&fragments).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_dir_all(&folder).unwrap();
    let error = content(&database.snapshot().await.unwrap()).await.unwrap_err();
    assert!(matches!(&error, Error::Damaged { object, .. } if object.starts_with(folder.to_str().unwrap())), "{error}");
}

#[tokio::test]
async fn a_database_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = Location::parse(folder.path().to_str().unwrap()).unwrap();
    std::fs::write(folder.path().join("precious"), "").unwrap();
    assert!(matches!(Database::create(&occupied, &Design::new(&variables()), NOW).await, Err(Error::Occupied { .. })));
    assert!(matches!(Database::open(&occupied).await, Err(Error::NotFound { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn skipped_fragment_ids_are_not_used_by_the_next_window() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.begin_window(2, NOW).unwrap();
    let mut far = write(&database, &window, 3);
    far.record.id = window.fragment_id(1_000);
    writer.commit(window, changes(vec![far], vec![attempt(window.ingest_id(0), 3, &[])])).await.unwrap();
    assert!(writer.begin_window(1, NOW).unwrap().ingest_id(0) > window.fragment_id(1_000));
}

#[tokio::test]
async fn changed_filters_apply_from_their_commit_on() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    let before = database.snapshot().await.unwrap();
    let filters = isdb_schema::filters::choose("night").unwrap();
    let window = writer.begin_window(0, NOW).unwrap();
    writer.commit(window, Changes { filters: Some(filters.clone()), ..Changes::default() }).await.unwrap();
    ingest(&mut writer, 7, NOW + 1_000).await.unwrap();
    let after = database.snapshot().await.unwrap();
    assert!(isdb_schema::filters::same_rules(&database.design(&after).await.unwrap().filters, &filters));
    assert!(database.design(&before).await.unwrap().filters.is_empty());
}

#[tokio::test]
async fn a_long_area_is_stored_once_and_checked_against_its_name() {
    let (_folder, database) = fresh().await;
    assert_eq!(database.store_area("0,0,1,1").await.unwrap(), "0,0,1,1", "a short area is its own name");
    assert_eq!(database.area("0,0,1,1").await.unwrap(), "0,0,1,1");
    let long = format!("[{}[0,0]]", "[1,1],".repeat(99));
    let name = database.store_area(&long).await.unwrap();
    assert_eq!(database.store_area(&long).await.unwrap(), name);
    assert_eq!(database.area(&name).await.unwrap(), long);
    let file = database.location().folder().unwrap().join(&name);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), long, "the name is the path of a plain file");
    let earlier = name.replace("areas/", "sha256:").replace(".json", "");
    assert_eq!(database.area(&earlier).await.unwrap(), long);
    std::fs::write(file, "[[1,1]]").unwrap();
    for wrong in [name.as_str(), "sha256:00", "sha256:../../lock", "areas/../lock"] {
        assert!(matches!(database.area(wrong).await, Err(Error::Damaged { .. })), "{wrong}");
    }
    assert_eq!(std::fs::read_dir(database.location().folder().unwrap().join("staging")).unwrap().count(), 0);
}

#[tokio::test]
async fn writers_that_take_over_at_the_same_time_succeed_one_after_the_other() {
    let (_folder, database) = fresh().await;
    let take_over = async || loop {
        // The lock fails: each writer gets one.
        let _ = std::fs::remove_file(database.location().folder().unwrap().join("lock"));
        match Writer::take_over(&database, NOW).await {
            Err(Error::Locked { .. }) => tokio::task::yield_now().await,
            writer => return writer.map(|mut writer| writer.begin_window(1, NOW).unwrap().ingest_id(0)),
        }
    };
    let (first, second, third) = tokio::join!(take_over(), take_over(), take_over());
    let numbers = [first.unwrap(), second.unwrap(), third.unwrap()];
    assert_eq!(numbers.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{numbers:?}");
}
