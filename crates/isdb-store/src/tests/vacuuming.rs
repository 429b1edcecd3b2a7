//! Vacuum: dead fragments are removed, readers notice, and running reads have a grace period.

use super::{NOW, assert_clean, compact, content, counts, fresh, ingest, open, replace, seen, write};
use crate::{CommitKind, Database, Error, Writer};

const GRACE: u64 = 3_600_000;

/// Folders of fragments and commit files of `segments`.
fn on_disk(database: &Database) -> (usize, usize) {
    let count = |part: &str| {
        std::fs::read_dir(database.location().folder().unwrap().join("segments").join(part)).unwrap().count()
    };
    (count("__fragments"), count("__commits"))
}

#[tokio::test]
async fn a_running_read_survives_a_vacuum_for_the_grace_period_and_then_expires() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = ingest(&mut writer, 5, NOW).await.unwrap();
    ingest(&mut writer, 7, NOW).await.unwrap();
    let snapshot = database.snapshot().await.unwrap();
    open(&snapshot).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();

    writer.vacuum(NOW + GRACE / 2, GRACE).await.unwrap();
    assert_eq!(on_disk(&database), (3, 3), "nothing has been dead for long enough");
    assert!(!snapshot.is_expired().await.unwrap());
    assert_eq!(counts(&database.snapshot_at(first).await.unwrap()).await, (5, 1));

    // Fragments die a moment after NOW, by the real time that has passed in the test.
    let later = NOW + 3 * GRACE;
    let removed = writer.vacuum(later, GRACE).await.unwrap();
    assert_eq!(
        (on_disk(&database), removed.fragments),
        ((3, 1), 0),
        "TileDB no longer sees them, but the folders exist"
    );
    assert_eq!(counts(&snapshot).await, (12, 2), "a read that had begun goes on");
    assert!(snapshot.is_expired().await.unwrap());
    assert!(matches!(database.snapshot_at(first).await, Err(Error::Expired { .. })));
    assert_eq!(seen(&database).await, (12, 2));

    writer.vacuum(later + GRACE / 2, GRACE).await.unwrap();
    assert_eq!(on_disk(&database), (3, 1));
    let removed = writer.vacuum(later + GRACE, GRACE).await.unwrap();
    assert_eq!((on_disk(&database), removed.fragments), ((1, 1), 2));
    assert_clean(&database).await;
    assert_eq!(seen(&database).await, (12, 2));
}

#[tokio::test]
async fn a_vacuum_without_work_commits_nothing() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    let before = database.newest().await.unwrap();
    assert_eq!(writer.vacuum(NOW, 0).await.unwrap(), crate::Vacuumed::default());
    assert_eq!(database.newest().await.unwrap(), before);
    writer.begin_window(1, NOW).unwrap();
    assert!(
        matches!(writer.vacuum(NOW, 0).await, Err(Error::Unfinished { .. })),
        "files of an open window are not recorded yet"
    );
}

#[tokio::test]
async fn late_fragments_of_a_replaced_writer_are_hidden_and_then_vacuumed() {
    let (_folder, database) = fresh().await;
    let mut stopped = Writer::take_over(&database, NOW).await.unwrap();
    let window = stopped.begin_window(1, NOW).unwrap();
    std::fs::remove_file(database.location().folder().unwrap().join("lock")).unwrap();
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    write(&database, &window, 100);
    let snapshot = database.snapshot().await.unwrap();
    assert_eq!(counts(&snapshot).await, (7, 1));
    drop((stopped, next));

    let mut third = Writer::take_over(&database, NOW + 20_000).await.unwrap();
    assert_eq!(on_disk(&database), (2, 2), "a snapshot may have it open");
    assert_eq!(seen(&database).await, (7, 1));
    third.vacuum(NOW + 20_000, 0).await.unwrap();
    assert_clean(&database).await;
    assert_eq!(seen(&database).await, (7, 1));
    assert!(snapshot.is_expired().await.unwrap());
    let again = database.snapshot_at(snapshot.timestamp()).await.unwrap();
    assert_eq!(counts(&again).await, (7, 1), "the time of the newest state selects it, whatever else was vacuumed");
}

#[tokio::test]
async fn the_folder_of_an_orphan_is_kept_for_the_grace_period() {
    let (_folder, database) = fresh().await;
    let mut dead = Writer::take_over(&database, NOW).await.unwrap();
    let window = dead.begin_window(1, NOW).unwrap();
    write(&database, &window, 100);
    drop(dead);
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(
        on_disk(&database),
        (1, 0),
        "TileDB no longer sees it, but its writer may only be suspended and must find its folder"
    );
    next.vacuum(NOW + GRACE / 2, GRACE).await.unwrap();
    assert_eq!(on_disk(&database), (1, 0));
    next.vacuum(NOW + GRACE, GRACE).await.unwrap();
    assert_clean(&database).await;
}

#[tokio::test]
async fn staged_commits_of_earlier_writers_are_removed_at_once_and_other_staged_files_after_a_day() {
    let (_folder, database) = fresh().await;
    let staging = database.location().folder().unwrap().join("staging");
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = u64::try_from(since.as_millis()).unwrap();
    std::fs::write(staging.join("commit-of-the-dead"), "").unwrap();
    std::fs::write(staging.join("area-in-the-making"), "").unwrap();
    drop(Writer::take_over(&database, now).await.unwrap());
    assert!(!staging.join("commit-of-the-dead").exists() && staging.join("area-in-the-making").exists());
    let old = std::time::SystemTime::now() - std::time::Duration::from_millis(48 * GRACE);
    std::fs::File::open(staging.join("area-in-the-making")).unwrap().set_modified(old).unwrap();
    drop(Writer::take_over(&database, now).await.unwrap());
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);
}

#[tokio::test]
async fn consolidated_footers_of_vacuumed_fragments_do_not_break_an_open() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    for rows in [5, 7, 9] {
        ingest(&mut writer, rows, NOW).await.unwrap();
    }
    writer.consolidate_metadata().await.unwrap();
    let consolidated = || {
        let folder = database.location().folder().unwrap().join("segments/__fragment_meta");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    };
    assert_eq!(consolidated(), 1);
    compact(&mut writer, NOW).await.unwrap();
    writer.vacuum(NOW, 0).await.unwrap();
    assert_clean(&database).await;
    let fresh = Database::open(database.location()).await.unwrap();
    assert_eq!(seen(&fresh).await, (21, 3));

    ingest(&mut writer, 1, NOW).await.unwrap();
    writer.consolidate_metadata().await.unwrap();
    assert_eq!(consolidated(), 1, "the old ones are removed");
    let fresh = Database::open(database.location()).await.unwrap();
    assert_eq!(seen(&fresh).await, (22, 4));
}

#[tokio::test]
async fn the_horizon_is_committed_before_files_are_removed() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let old = replace(&mut writer, &[], 5, NOW).await.unwrap();
    let new = replace(&mut writer, &[old], 6, NOW).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();
    let compacted = writer.head().clone();
    writer.vacuum(NOW, 0).await.unwrap();
    let head = writer.head();
    assert_eq!(head.number, compacted.number + 3, "horizon, vacuum, folders removed");
    assert_eq!((head.kind, head.horizon, head.deleting), (CommitKind::Vacuum, compacted.number, compacted.number + 2));
    let at = database.snapshot_at(compacted.at).await.unwrap();
    assert_eq!(content(&at).await.unwrap().0, [(new, 6)].into(), "the commit at the horizon can still be read");
}

#[tokio::test]
async fn a_clock_that_is_ahead_vacuums_nothing_early() {
    let (_folder, database) = fresh().await;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = u64::try_from(since.as_millis()).unwrap();
    let mut writer = Writer::take_over(&database, now).await.unwrap();
    let old = replace(&mut writer, &[], 5, now).await.unwrap();
    compact(&mut writer, now).await.unwrap();
    drop(writer);
    let ahead = now + 48 * GRACE;
    let mut writer = Writer::take_over(&database, ahead).await.unwrap();
    assert_eq!(writer.vacuum(ahead, GRACE).await.unwrap(), crate::Vacuumed::default());
    assert_eq!(on_disk(&database), (2, 2), "what died a moment ago is not two days old");
    let timestamp = ingest(&mut writer, 7, ahead).await.unwrap();
    assert!(timestamp < now + GRACE, "the log does not get times of the future");
    assert_eq!(content(&database.snapshot().await.unwrap()).await.unwrap().0.get(&old), Some(&5));
}

#[tokio::test]
async fn deaths_by_a_clock_of_the_future_are_vacuumed_late_and_not_early() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    replace(&mut writer, &[], 5, NOW).await.unwrap();
    compact(&mut writer, NOW + 3 * GRACE).await.unwrap();
    writer.vacuum(NOW, GRACE).await.unwrap();
    writer.vacuum(NOW + 3 * GRACE, GRACE).await.unwrap();
    assert_eq!(on_disk(&database), (2, 2));
    writer.vacuum(NOW + 5 * GRACE, GRACE).await.unwrap();
    assert_eq!(on_disk(&database), (2, 1));
}
