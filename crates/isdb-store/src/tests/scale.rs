//! A database of many fragments: what a window, a box and an open read and write does not grow with it. Times are printed by
//! [`table`] and decide nothing.

mod stubs;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use isdb_testing::{is_long, times};
use tempfile::TempDir;

use super::{NOW, changes, open};
use crate::files::array_files::list_fragments;
use crate::files::objects::numbered;
use crate::ledger::rows::attempt_entries;
use crate::log::commit_log::{CHECKPOINTS, COMMITS, COMMITS_PER_CHECKPOINT};
use crate::{Bounds, Database, FragmentRecord, Id, LedgerFileKind, Location, Writer};
use stubs::{FRAGMENTS_PER_GRANULE, Stubs, granule, ranges};

/// The fragments of the database that the large one is compared with.
const SMALL: u32 = 500;

/// The windows after which files of the ledger are merged.
const WINDOWS_PER_MERGE: u32 = 64;

#[tokio::test]
async fn the_work_of_windows_boxes_and_opens_does_not_grow_with_the_fragments() {
    let (large, replacements) = (times(5_000, 50_000), times(200, 2_000));
    let mut stubs = Stubs::new(folder()).await;
    stubs.grow_to(SMALL).await;
    assert_few_files(&stubs).await;
    stubs.replace_one().await;
    let small_commit = stubs.commit_bytes();
    stubs.grow_to(large).await;
    assert_few_files(&stubs).await;
    let mut commits = Vec::new();
    for window in 1..replacements {
        stubs.replace_one().await;
        commits.push(stubs.commit_bytes());
        if window.is_multiple_of(WINDOWS_PER_MERGE) {
            stubs.writer.compact_ledger(NOW).await.unwrap();
        }
    }
    assert_few_files(&stubs).await;
    let large_commit = *commits.iter().max().unwrap();
    assert!(large_commit * 10 < small_commit * 12, "{small_commit} bytes grew to {large_commit}");

    let snapshot = stubs.database.snapshot().await.unwrap();
    assert_eq!(stubs.writer.dead_attempts(), replacements as usize);
    assert_eq!(snapshot.fragment_count(), (large + (replacements - 1) * FRAGMENTS_PER_GRANULE) as usize);
    assert_open_reads_little(&stubs.database).await;
    let segments = open(&snapshot).await.unwrap();
    assert_box_finds_what_a_scan_finds(
        &snapshot.fragments().map(|record| (**record).clone()).collect::<Vec<_>>(),
        |bounds| segments.array().fragments_within(&ranges(bounds)),
    );
    // 100 MB for 50,000.
    let heap: usize = snapshot.fragments().map(|record| heap_of(record)).sum();
    assert!(heap < 2_000 * snapshot.fragment_count(), "{heap} bytes");

    assert_compaction_and_vacuum_leave_live_files_only(stubs).await;
}

#[tokio::test]
async fn a_search_in_a_large_ledger_opens_one_file() {
    let (windows, rows) = (times(40, 400), times(50, 1_000));
    let mut stubs = Stubs::new(folder()).await;
    let mut ids = Vec::new();
    for _ in 0..windows {
        let window = stubs.writer.begin_window(rows, NOW).unwrap();
        let attempts: Vec<Id> = (0..rows).map(|index| window.ingest_id(index)).collect();
        let empty = |id: &Id| crate::LedgerRow { rows_kept: 0, ..granule(*id, &[]) };
        let ledger = attempts.iter().map(empty).collect();
        stubs.writer.commit(window, changes(Vec::new(), ledger)).await.unwrap();
        stubs.writer.compact_ledger(NOW).await.unwrap();
        ids.extend(attempts);
    }
    let snapshot = stubs.database.snapshot().await.unwrap();
    let files = snapshot.ledger_files();
    assert!(files.len() <= 64, "{} files", files.len());
    assert_eq!(files.iter().map(|file| file.rows).sum::<u64>(), ids.len() as u64);
    for id in [ids[0], ids[ids.len() / 2], ids[ids.len() - 1]] {
        let wanted = BTreeSet::from([id]);
        assert_eq!(files.iter().filter(|file| file.may_have(&wanted)).count(), 1);
        let found = attempt_entries(stubs.database.location(), &files, &wanted).unwrap();
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [id]);
    }
    let found: Vec<Id> = snapshot.ledger().await.unwrap().iter().map(|row| row.ingest_id).collect();
    assert_eq!(found, ids);
}

/// A folder in memory, because syncs take most of the time on a disk. A large database may not fit there.
fn folder() -> TempDir {
    match is_long() {
        true => tempfile::tempdir(),
        false => tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()),
    }
    .unwrap()
}

/// A replacement opens the files that may have its attempt: at most one of each size.
async fn assert_few_files(stubs: &Stubs) {
    let (granules, contents) = stubs.files_of_next().await;
    assert!((1..=3).contains(&granules) && (1..=3).contains(&contents), "{granules} and {contents} files");
}

/// Opens a copy of the database that has one checkpoint and the commits from it on, and nothing else.
async fn assert_open_reads_little(database: &Database) {
    let state = database.newest().await.unwrap();
    let last = state.number / COMMITS_PER_CHECKPOINT * COMMITS_PER_CHECKPOINT;
    let folder = tempfile::tempdir().unwrap();
    let copy = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let objects = [(CHECKPOINTS, last)].into_iter().chain((last..=state.number).map(|number| (COMMITS, number)));
    // An open looks whether the array exists, and not into it.
    fs::create_dir(copy.segments()).unwrap();
    let (mut count, mut bytes) = (0, 0);
    for (kind, number) in objects {
        let path = numbered(kind, number);
        fs::create_dir_all(copy.folder().unwrap().join(kind)).unwrap();
        bytes += fs::copy(
            database.location().folder().unwrap().join(path.as_ref()),
            copy.folder().unwrap().join(path.as_ref()),
        )
        .unwrap();
        count += 1;
    }
    assert!(count <= 1 + COMMITS_PER_CHECKPOINT, "{count} objects");
    assert!(bytes < 1_000 * state.segments.live.len() as u64, "{bytes} bytes");
    assert!(Database::open(&copy).await.unwrap().newest().await.unwrap() == state);
}

fn assert_box_finds_what_a_scan_finds(all: &[FragmentRecord], within: impl Fn(&Bounds) -> Vec<usize>) {
    let always = (i64::MIN, i64::MAX);
    let bounds = Bounds { latitude: (40.0, 50.0), longitude: (0.0, 15.0), time: always };
    let overlap = |a: (f64, f64), b: (f64, f64)| a.0 <= b.1 && b.0 <= a.1;
    let is_inside = |(_, record): &(usize, &FragmentRecord)| {
        let of = record.bounds;
        overlap(of.latitude, bounds.latitude) && overlap(of.longitude, bounds.longitude)
    };
    let expected: Vec<usize> = all.iter().enumerate().filter(is_inside).map(|(position, _)| position).collect();
    assert!((1..all.len() / 50).contains(&expected.len()), "{} of {}", expected.len(), all.len());
    assert_eq!(within(&bounds), expected);
}

fn heap_of(record: &FragmentRecord) -> usize {
    size_of::<FragmentRecord>() + record.name.capacity() + record.chunks.capacity() * size_of::<(u32, u64)>()
}

async fn assert_compaction_and_vacuum_leave_live_files_only(mut stubs: Stubs) {
    let groups = 60;
    let (live, dead) = (stubs.writer.live_segments().count(), stubs.writer.dead_attempts());
    let dropped = stubs.compact(groups).await;
    let inputs = groups * FRAGMENTS_PER_GRANULE as usize;
    assert_eq!(stubs.writer.live_segments().count(), live - inputs + groups);
    assert_eq!(stubs.writer.dead_attempts(), dead - dropped, "attempts without live fragments are forgotten");

    let removed = stubs.writer.vacuum(NOW, 0).await.unwrap();
    assert_eq!(removed.fragments, inputs as u64);
    let database = stubs.database.clone();
    drop(stubs.writer);
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(writer.head().segments, crate::SegmentChanges::default(), "a takeover finds no leftover");
    assert_eq!(writer.vacuum(NOW, 0).await.unwrap(), crate::Vacuumed::default());
    let state = database.newest().await.unwrap();
    assert_eq!((state.segments.dead.len(), state.segments.hidden.len(), state.ledger.dead.len()), (0, 0, 0));
    let on_disk = list_fragments(Path::new(&database.location().segments())).unwrap();
    assert!(on_disk.values().all(|files| files.commit_file.is_some() && files.has_folder));
    let live: BTreeSet<&str> = state.segments.live.into_iter().map(|(_, live)| live.record.name.as_str()).collect();
    assert!(on_disk.keys().map(String::as_str).eq(live));
    let files = fs::read_dir(database.location().folder().unwrap().join("ledger")).unwrap().count();
    assert_eq!(files, state.ledger.live.len());
    let all = [LedgerFileKind::Granules, LedgerFileKind::Contents].map(|kind| state.ledger.live_of(kind).count());
    assert!(all.iter().all(|count| *count <= 100), "{all:?} files of the ledger");
}
