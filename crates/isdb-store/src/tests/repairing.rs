//! Damaged files: a check names each of them, a repair restores what others repeat and drops the rest, and granules that are ingested
//! again have all their segments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Content, NOW, attempt, batch, changes, compact, content, fresh, ingest, replace, variables};
use crate::files::array_files::FOOTER;
use crate::ledger::file::LedgerFileKind;
use crate::{CheckReport, Database, Error, Id, Location, Remedy, Repaired, Writer, check, fault, write_fragment};

/// What happens to a file or folder.
type Harm = fn(&Path);

/// The attempts of [`two_granules`].
pub(super) const FIRST: Id = Id((2 << 32) | 1);
pub(super) const SECOND: Id = Id((2 << 32) | 3);

/// A database with two granules of 5 and 3 segments, each in a fragment of its own, in commits 3 and 4.
pub(super) async fn two_granules() -> (tempfile::TempDir, Database) {
    let (folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(replace(&mut writer, &[], 5, NOW).await.unwrap(), FIRST);
    assert_eq!(replace(&mut writer, &[], 3, NOW).await.unwrap(), SECOND);
    (folder, database)
}

pub(super) async fn examine(database: &Database) -> CheckReport {
    check(database.location(), |_| {}).await.unwrap()
}

/// Repairs the database, as a new process would.
pub(super) async fn repair(database: &Database) -> Repaired {
    crate::repair(database.location(), || NOW, |_| {}, async |_| true).await.unwrap().unwrap()
}

/// A handle that remembers nothing.
pub(super) async fn again(database: &Database) -> Database {
    Database::open(database.location()).await.unwrap()
}

pub(super) async fn now_in(database: &Database) -> Content {
    content(&again(database).await.snapshot().await.unwrap()).await.unwrap()
}

/// The folder of the fragment of 5 segments.
pub(super) async fn fragment(database: &Database) -> PathBuf {
    let snapshot = again(database).await.snapshot().await.unwrap();
    let record = snapshot.fragments().find(|fragment| fragment.rows == 5).unwrap();
    Path::new(&database.location().segments()).join("__fragments").join(&record.name)
}

pub(super) fn commit_file(fragment: &Path) -> PathBuf {
    let name = format!("{}.wrt", fragment.file_name().unwrap().to_str().unwrap());
    fragment.parent().unwrap().with_file_name("__commits").join(name)
}

pub(super) fn ledger_file(database: &Database, state: &crate::log::state::LogState, kind: LedgerFileKind) -> PathBuf {
    let of_first = |file: &&crate::LedgerFile| file.ingest_ids.0 == FIRST;
    database.location().folder().unwrap().join("ledger").join(&state.ledger.live_of(kind).find(of_first).unwrap().name)
}

pub(super) fn flip(path: &Path) {
    let mut content = fs::read(path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 0x55;
    fs::write(path, content).unwrap();
}

pub(super) fn cut(path: &Path) {
    let content = fs::read(path).unwrap();
    fs::write(path, &content[..content.len() / 2]).unwrap();
}

pub(super) fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

/// Asserts that the report has one damage, which is at `path`.
pub(super) fn assert_found(report: &CheckReport, path: &Path, remedy: Remedy) {
    let [damage] = &report.damages[..] else { panic!("{:?}", report.damages) };
    assert_eq!((damage.path.as_str(), damage.remedy), (path.to_str().unwrap(), remedy), "{damage:?}");
}

pub(super) async fn assert_sound(database: &Database) {
    let report = examine(database).await;
    assert!(report.is_sound() && report.incomplete.is_empty(), "{report:?}");
}

#[tokio::test]
async fn a_sound_database_is_read_whole_and_repaired_without_a_change() {
    let (_folder, database) = two_granules().await;
    let mut progress = Vec::new();
    let report = check(database.location(), |at| progress.push((at.fragments, at.rows))).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.damages);
    assert_eq!((report.commits, report.ledger_files, report.fragments, report.rows), (4, 4, 2, 8));
    assert_eq!(progress, [(0, 0), (1, 5), (2, 8)]);
    assert_eq!(repair(&database).await, Repaired::default());
    assert_eq!(again(&database).await.snapshot().await.unwrap().commit(), 4, "there is nothing to commit");
}

#[tokio::test]
async fn a_lost_commit_file_of_a_whole_fragment_is_restored() {
    let (_folder, database) = two_granules().await;
    let before = now_in(&database).await;
    let file = commit_file(&fragment(&database).await);
    remove(&file);
    let report = examine(&database).await;
    assert_found(&report, &file, Remedy::Restore);
    assert_eq!(report.damages[0].granules, ["granule of 5"]);
    repair(&database).await;
    assert_sound(&database).await;
    assert_eq!(now_in(&database).await, before);
}

#[tokio::test]
async fn a_fragment_that_cannot_be_read_is_dropped_and_its_granule_ingested_again() {
    let cases: [(&str, &str, Harm); 8] = [
        ("a lost file", "d0.tdb", remove),
        ("a cut file", "a0.tdb", cut),
        ("a changed coordinate", "d1.tdb", flip),
        ("a changed id", "a0.tdb", flip),
        ("lost metadata", FOOTER, remove),
        ("changed metadata", FOOTER, flip),
        ("cut metadata", FOOTER, cut),
        ("a lost folder", "", |folder| fs::remove_dir_all(folder).unwrap()),
    ];
    for (what, file, damage) in cases {
        let (_folder, database) = two_granules().await;
        let before = now_in(&database).await;
        let old = again(&database).await.snapshot().await.unwrap();
        let folder = fragment(&database).await;
        damage(&folder.join(file));
        let report = examine(&database).await;
        let [found] = &report.damages[..] else { panic!("{what}: {:?}", report.damages) };
        assert!(found.path.starts_with(folder.to_str().unwrap()), "{what}: {found:?}");
        assert_eq!((found.remedy, &*found.granules), (Remedy::Drop, &["granule of 5".to_owned()][..]), "{what}");

        let repaired = repair(&database).await;
        assert_eq!((repaired.fragments, repaired.rows, repaired.incomplete), (1, 5, 1), "{what}");
        let report = examine(&database).await;
        assert!(report.is_sound(), "{what}: {:?}", report.damages);
        assert_eq!(report.incomplete, ["granule of 5"], "{what}");
        assert_eq!(now_in(&database).await, ([(SECOND, 3)].into(), before.1), "{what}");
        let error = content(&old).await.unwrap_err().to_string();
        assert!(error.contains("newer states do not need it"), "{what}: {error}");

        let database = again(&database).await;
        assert_eq!(*database.snapshot().await.unwrap().attempts_to_reread(), [FIRST].into(), "{what}");
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let new = replace(&mut writer, &[FIRST], 5, NOW).await.unwrap();
        writer.vacuum(NOW, 0).await.unwrap();
        assert_eq!(now_in(&database).await.0, [(SECOND, 3), (new, 5)].into(), "{what}");
        assert_sound(&database).await;
    }
}

#[tokio::test]
async fn a_granule_whose_segments_are_partly_lost_shows_the_others_until_it_is_ingested_again() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.begin_window(1, NOW).unwrap();
    let id = window.ingest_id(0);
    let mut fragments = Vec::new();
    for (index, rows) in [(0, 5), (1, 4)] {
        let (fragment, times) = (window.fragment_id(index), vec![1; rows]);
        let batch = batch(fragment, id, &times, &variables());
        fragments.push(write_fragment(database.location(), window.timestamp, fragment, &batch, 1).unwrap());
    }
    writer.commit(window, changes(fragments, vec![attempt(id, 9, &[])])).await.unwrap();
    drop(writer);
    remove(&fragment(&database).await.join("d0.tdb"));
    repair(&database).await;
    assert_eq!(now_in(&database).await.0, [(id, 4)].into());
    let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
    let new = replace(&mut writer, &[id], 9, NOW).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();
    assert_eq!(now_in(&database).await.0, [(new, 9)].into());
    assert_sound(&database).await;
}

#[tokio::test]
async fn lost_contents_are_counted_again() {
    for damage in [flip, cut, remove] {
        let (_folder, database) = two_granules().await;
        let before = now_in(&database).await;
        let file = ledger_file(&database, &database.newest().await.unwrap(), LedgerFileKind::Contents);
        damage(&file);
        assert_found(&examine(&database).await, &file, Remedy::Restore);
        assert_eq!(repair(&database).await.incomplete, 0);
        assert_sound(&database).await;
        assert_eq!(now_in(&database).await, before);
        let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
        replace(&mut writer, &[FIRST], 7, NOW).await.unwrap();
        compact(&mut writer, NOW).await.unwrap();
        assert_eq!(now_in(&database).await.0.values().sum::<usize>(), 10);
    }
}

#[tokio::test]
async fn segments_without_a_ledger_row_are_hidden_so_that_their_granule_is_stored_once() {
    for damage in [flip, cut, remove] {
        let (_folder, database) = two_granules().await;
        let file = ledger_file(&database, &database.newest().await.unwrap(), LedgerFileKind::Granules);
        damage(&file);
        assert_found(&examine(&database).await, &file, Remedy::DropRows);
        let repaired = repair(&database).await;
        assert_eq!((repaired.incomplete, repaired.without_row), (0, 1));
        assert_sound(&database).await;
        assert_eq!(now_in(&database).await, ([(SECOND, 3)].into(), [SECOND].into()));
        let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
        let new = replace(&mut writer, &[], 5, NOW).await.unwrap();
        assert_eq!(now_in(&database).await, ([(SECOND, 3), (new, 5)].into(), [SECOND, new].into()));
        compact(&mut writer, NOW).await.unwrap();
        assert_sound(&database).await;
    }
}

#[tokio::test]
async fn ledger_rows_are_restored_from_the_files_that_were_merged() {
    let (_folder, database) = two_granules().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    for _ in 0..32 {
        ingest(&mut writer, 1, NOW).await.unwrap();
    }
    writer.compact_ledger(NOW).await.unwrap().unwrap();
    drop(writer);
    let before = now_in(&database).await;
    let file = ledger_file(&database, &database.newest().await.unwrap(), LedgerFileKind::Granules);
    flip(&file);
    assert_found(&examine(&database).await, &file, Remedy::Restore);
    repair(&database).await;
    assert_sound(&database).await;
    assert_eq!(now_in(&database).await, before);
}

#[tokio::test]
async fn a_damaged_checkpoint_is_written_again() {
    for damage in [flip, cut] {
        let (_folder, database) = two_granules().await;
        database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
        let file = database.location().folder().unwrap().join("checkpoints").join(format!("{:020}", 4));
        damage(&file);
        assert_found(&examine(&database).await, &file, Remedy::Restore);
        repair(&database).await;
        let report = examine(&database).await;
        assert!(report.is_sound() && report.checkpoints > 1, "{:?}", report.damages);
    }
}

#[tokio::test]
async fn a_damaged_commit_before_a_checkpoint_loses_the_states_between_them_only() {
    for damage in [flip, cut, remove] {
        let (_folder, database) = two_granules().await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let at = [ingest(&mut writer, 6, NOW).await.unwrap(), ingest(&mut writer, 7, NOW).await.unwrap()];
        database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
        let after = ingest(&mut writer, 9, NOW).await.unwrap();
        drop(writer);
        let before = now_in(&database).await;
        let file = database.location().folder().unwrap().join("commits").join(format!("{:020}", 6));
        damage(&file);
        assert_found(&examine(&database).await, &file, Remedy::GiveUpStates);
        assert_eq!(now_in(&database).await, before, "the newest state can be read without a repair");

        repair(&database).await;
        let report = examine(&database).await;
        assert_eq!((report.is_sound(), report.lost_commits), (true, 1), "{:?}", report.damages);
        assert_eq!(now_in(&database).await, before);
        let database = again(&database).await;
        let is_lost = database.snapshot_at(at[0]).await;
        assert!(matches!(is_lost, Err(Error::Damaged { .. })), "{is_lost:?}");
        assert_eq!(database.snapshot_at(at[1]).await.unwrap().commit(), 7);
        for whole in [NOW, after] {
            assert_eq!(database.snapshot_at(whole).await.unwrap().timestamp(), whole);
        }
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        for _ in 0..3 {
            // Checkpoints that would push the one that is needed out.
            database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
            ingest(&mut writer, 1, NOW).await.unwrap();
        }
        assert_eq!(again(&database).await.snapshot_at(at[1]).await.unwrap().commit(), 7);
    }
}

#[tokio::test]
async fn what_cannot_be_known_is_reported_and_nothing_is_dropped() {
    let (_folder, database) = two_granules().await;
    let file = database.location().folder().unwrap().join("commits").join(format!("{:020}", 3));
    flip(&file);
    let report = examine(&database).await;
    assert_found(&report, &file, Remedy::Rebuild);
    assert!(report.is_beyond_repair());
    assert!(matches!(Database::open(database.location()).await, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_dead_fragment_that_fails_every_open_by_tiledb_no_longer_does_and_a_tag_that_needs_it_is_named() {
    let (_folder, database) = two_granules().await;
    let folder = fragment(&database).await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let tagged = database.snapshot().await.unwrap();
    writer.set_tag("paper", &tagged, NOW).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();
    drop(writer);
    let before = content(&database.snapshot().await.unwrap()).await.unwrap();
    cut(&folder.join(FOOTER));
    assert_eq!(now_in(&again(&database).await).await, before, "only other TileDB programs read what is dead");
    let remedies = |report: &CheckReport| report.damages.iter().map(|damage| damage.remedy).collect::<Vec<_>>();
    let report = examine(&database).await;
    assert_eq!(remedies(&report), [Remedy::Remove, Remedy::DeleteTag], "{:?}", report.damages);
    repair(&database).await;
    assert_eq!(now_in(&database).await, before);
    assert_eq!(remedies(&examine(&database).await), [Remedy::DeleteTag]);
    let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
    writer.delete_tag("paper", NOW).await.unwrap();
    assert_sound(&database).await;
}

#[tokio::test]
async fn damaged_consolidated_footers_are_removed() {
    let (_folder, database) = two_granules().await;
    let writer = Writer::take_over(&database, NOW).await.unwrap();
    writer.consolidate_metadata().await.unwrap();
    drop(writer);
    assert_sound(&database).await;
    let before = now_in(&database).await;
    let folder = Path::new(&database.location().segments()).join("__fragment_meta");
    for entry in fs::read_dir(&folder).unwrap() {
        fs::write(entry.unwrap().path(), "no footers").unwrap();
    }
    assert_found(&examine(&database).await, &folder, Remedy::Remove);
    repair(&database).await;
    assert_sound(&database).await;
    assert_eq!(now_in(&database).await, before);
}

#[tokio::test]
async fn an_unconfirmed_repair_changes_nothing() {
    let (_folder, database) = two_granules().await;
    let folder = fragment(&database).await;
    cut(&folder.join(FOOTER));
    let declined = crate::repair(database.location(), || NOW, |_| {}, async |report| report.is_sound()).await;
    assert_eq!(declined.unwrap(), None);
    assert_eq!(again(&database).await.newest().await.unwrap().number, 4, "a fence is a change");
    assert!(commit_file(&folder).exists());
}

const VICTIM: &str = "tests::repairing::a_victim";
const DATABASE: &str = "ISDB_TEST_DATABASE";
const POINT: &str = "ISDB_TEST_DIE_AT";

#[tokio::test]
#[ignore = "run by the test below, in a process that is aborted"]
async fn a_victim() {
    let location = Location::parse(&std::env::var(DATABASE).unwrap()).unwrap();
    fault::arm(&std::env::var(POINT).unwrap());
    repair(&Database::open(&location).await.unwrap()).await;
}

#[tokio::test]
async fn a_repair_that_dies_is_finished_by_the_next() {
    for point in fault::REPAIR_POINTS {
        let (_folder, database) = two_granules().await;
        remove(&fragment(&database).await.join(FOOTER));
        remove(&ledger_file(&database, &database.newest().await.unwrap(), LedgerFileKind::Contents));
        let status = Command::new(std::env::current_exe().unwrap())
            .args([VICTIM, "--exact", "--ignored"])
            .env(DATABASE, database.location().folder().unwrap())
            .env(POINT, point)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), None, "{point} is never reached");
        repair(&database).await;
        assert!(examine(&database).await.is_sound(), "{point}");
        assert_eq!(now_in(&database).await.0, [(SECOND, 3)].into(), "{point}");
        assert_eq!(*again(&database).await.snapshot().await.unwrap().attempts_to_reread(), [FIRST].into(), "{point}");
    }
}
