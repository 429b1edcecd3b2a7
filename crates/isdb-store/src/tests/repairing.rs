//! Damaged files: a check names each of them, a repair restores what others repeat and drops the rest, and granules that are ingested
//! again have all their segments.

use std::process::{Command, Stdio};

use super::home::{Home, PLACES, Place, fresh_at};
use super::{Content, NOW, attempt, batch, changes, compact, content, ingest, replace, variables};
use crate::files::array_files::FOOTER;
use crate::ledger::file::LedgerFileKind;
use crate::{CheckReport, Database, Error, Id, Location, Remedy, Repaired, Writer, check, fault, write_fragment};

/// What happens to a file or folder.
type Harm = fn(&Home, &str);

/// The attempts of [`two_granules`].
pub(super) const FIRST: Id = Id((2 << 32) | 1);
pub(super) const SECOND: Id = Id((2 << 32) | 3);

/// A database with two granules of 5 and 3 segments, each in a fragment of its own, in commits 3 and 4.
pub(super) async fn two_granules(place: Place) -> (Home, Database) {
    let (home, database) = fresh_at(place).await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    assert_eq!(replace(&mut writer, &[], 5, NOW).await.unwrap(), FIRST);
    assert_eq!(replace(&mut writer, &[], 3, NOW).await.unwrap(), SECOND);
    (home, database)
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
    Database::open(&database.location().uncached()).await.unwrap()
}

pub(super) async fn now_in(database: &Database) -> Content {
    content(&again(database).await.snapshot().await.unwrap()).await.unwrap()
}

/// The folder of the fragment of 5 segments.
pub(super) async fn fragment(database: &Database) -> String {
    let snapshot = again(database).await.snapshot().await.unwrap();
    let record = snapshot.fragments().find(|fragment| fragment.rows == 5).unwrap();
    format!("segments/__fragments/{}", record.name)
}

pub(super) fn commit_file(fragment: &str) -> String {
    format!("{}.wrt", fragment.replace("__fragments", "__commits"))
}

pub(super) fn ledger_file(state: &crate::log::state::LogState, kind: LedgerFileKind) -> String {
    let of_first = |file: &&crate::LedgerFile| file.ingest_ids.0 == FIRST;
    format!("ledger/{}", state.ledger.live_of(kind).find(of_first).unwrap().name)
}

/// The path of an object of the log.
pub(super) fn numbered(folder: &str, number: u64) -> String {
    format!("{folder}/{number:020}")
}

/// Asserts that the report has one damage, which is at `path`.
pub(super) fn assert_found(report: &CheckReport, database: &Database, path: &str, remedy: Remedy) {
    let [damage] = &report.damages[..] else { panic!("{:?}", report.damages) };
    assert_eq!((&damage.path, damage.remedy), (&database.location().child(path), remedy), "{damage:?}");
}

pub(super) async fn assert_sound(database: &Database) {
    let report = examine(database).await;
    assert!(report.is_sound() && report.incomplete.is_empty(), "{report:?}");
}

/// Each of `cases` in each kind of place.
pub(super) fn everywhere<T: Clone>(cases: impl IntoIterator<Item = T>) -> Vec<(Place, T)> {
    cases.into_iter().flat_map(|case| PLACES.map(|place| (place, case.clone()))).collect()
}

#[tokio::test]
async fn a_sound_database_is_read_whole_and_repaired_without_a_change() {
    for place in PLACES {
        let (_home, database) = two_granules(place).await;
        let mut progress = Vec::new();
        let report = check(database.location(), |at| progress.push((at.fragments, at.rows))).await.unwrap();
        assert!(report.is_sound(), "{:?}", report.damages);
        assert_eq!((report.commits, report.ledger_files, report.fragments, report.rows), (4, 4, 2, 8));
        assert_eq!(progress, [(0, 0), (1, 5), (2, 8)]);
        assert_eq!(repair(&database).await, Repaired::default());
        assert_eq!(again(&database).await.snapshot().await.unwrap().commit(), 4, "there is nothing to commit");
    }
}

#[tokio::test]
async fn a_lost_commit_file_of_a_whole_fragment_is_restored() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let before = now_in(&database).await;
        let file = commit_file(&fragment(&database).await);
        home.remove(&file);
        let report = examine(&database).await;
        assert_found(&report, &database, &file, Remedy::Restore);
        assert_eq!(report.damages[0].granules, ["granule of 5"]);
        repair(&database).await;
        assert_sound(&database).await;
        assert_eq!(now_in(&database).await, before);
    }
}

#[tokio::test]
async fn a_fragment_that_cannot_be_read_is_dropped_and_its_granule_ingested_again() {
    let cases: [(&str, &str, Harm); 8] = [
        ("a lost file", "/d0.tdb", Home::remove),
        ("a cut file", "/a0.tdb", Home::cut),
        ("a changed coordinate", "/d1.tdb", Home::flip),
        ("a changed id", "/a0.tdb", Home::flip),
        ("lost metadata", "/__fragment_metadata.tdb", Home::remove),
        ("changed metadata", "/__fragment_metadata.tdb", Home::flip),
        ("cut metadata", "/__fragment_metadata.tdb", Home::cut),
        ("a lost folder", "", Home::remove_all),
    ];
    for (place, (what, file, damage)) in everywhere(cases) {
        let (home, database) = two_granules(place).await;
        let before = now_in(&database).await;
        let old = again(&database).await.snapshot().await.unwrap();
        let folder = fragment(&database).await;
        let file = format!("{folder}{file}");
        damage(&home, &file);
        let report = examine(&database).await;
        let [found] = &report.damages[..] else { panic!("{what}: {:?}", report.damages) };
        assert_eq!(found.path, database.location().child(&file), "{what}: {found:?}");
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
    for place in PLACES {
        let (home, database) = fresh_at(place).await;
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
        home.remove(&format!("{}/d0.tdb", fragment(&database).await));
        repair(&database).await;
        assert_eq!(now_in(&database).await.0, [(id, 4)].into());
        let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
        let new = replace(&mut writer, &[id], 9, NOW).await.unwrap();
        compact(&mut writer, NOW).await.unwrap();
        assert_eq!(now_in(&database).await.0, [(new, 9)].into());
        assert_sound(&database).await;
    }
}

#[tokio::test]
async fn lost_contents_are_counted_again() {
    for (place, damage) in everywhere([Home::flip, Home::cut, Home::remove]) {
        let (home, database) = two_granules(place).await;
        let before = now_in(&database).await;
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Contents);
        damage(&home, &file);
        assert_found(&examine(&database).await, &database, &file, Remedy::Restore);
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
    for (place, damage) in everywhere([Home::flip, Home::cut, Home::remove]) {
        let (home, database) = two_granules(place).await;
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Granules);
        damage(&home, &file);
        assert_found(&examine(&database).await, &database, &file, Remedy::DropRows);
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
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        for _ in 0..32 {
            ingest(&mut writer, 1, NOW).await.unwrap();
        }
        writer.compact_ledger(NOW).await.unwrap().unwrap();
        drop(writer);
        let before = now_in(&database).await;
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Granules);
        home.flip(&file);
        assert_found(&examine(&database).await, &database, &file, Remedy::Restore);
        repair(&database).await;
        assert_sound(&database).await;
        assert_eq!(now_in(&database).await, before);
    }
}

#[tokio::test]
async fn a_damaged_checkpoint_is_written_again() {
    for (place, damage) in everywhere([Home::flip, Home::cut]) {
        let (home, database) = two_granules(place).await;
        database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
        let file = numbered("checkpoints", 4);
        damage(&home, &file);
        assert_found(&examine(&database).await, &database, &file, Remedy::Restore);
        repair(&database).await;
        let report = examine(&database).await;
        assert!(report.is_sound() && report.checkpoints > 1, "{:?}", report.damages);
    }
}

#[tokio::test]
async fn a_damaged_commit_before_a_checkpoint_loses_the_states_between_them_only() {
    for (place, damage) in everywhere([Home::flip, Home::cut, Home::remove]) {
        let (home, database) = two_granules(place).await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let at = [ingest(&mut writer, 6, NOW).await.unwrap(), ingest(&mut writer, 7, NOW).await.unwrap()];
        database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
        let after = ingest(&mut writer, 9, NOW).await.unwrap();
        drop(writer);
        let before = now_in(&database).await;
        let file = numbered("commits", 6);
        damage(&home, &file);
        assert_found(&examine(&database).await, &database, &file, Remedy::GiveUpStates);
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
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let file = numbered("commits", 3);
        home.flip(&file);
        let report = examine(&database).await;
        assert_found(&report, &database, &file, Remedy::Rebuild);
        assert!(report.is_beyond_repair());
        assert!(matches!(Database::open(database.location()).await, Err(Error::Damaged { .. })));
    }
}

#[tokio::test]
async fn a_dead_fragment_that_fails_every_open_by_tiledb_no_longer_does_and_a_tag_that_needs_it_is_named() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let folder = fragment(&database).await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let tagged = database.snapshot().await.unwrap();
        writer.set_tag("paper", &tagged, NOW).await.unwrap();
        compact(&mut writer, NOW).await.unwrap();
        drop(writer);
        let before = content(&database.snapshot().await.unwrap()).await.unwrap();
        home.cut(&format!("{folder}/{FOOTER}"));
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
}

#[tokio::test]
async fn damaged_consolidated_footers_are_removed() {
    let (home, database) = two_granules(Place::Disk).await;
    let writer = Writer::take_over(&database, NOW).await.unwrap();
    writer.consolidate_metadata().await.unwrap();
    drop(writer);
    assert_sound(&database).await;
    let before = now_in(&database).await;
    let (folder, sound) = ("segments/__fragment_meta", home.all("segments/__fragment_meta"));
    let [file] = &sound[..] else { panic!("{sound:?}") };
    home.flip(file);
    assert_found(&examine(&database).await, &database, folder, Remedy::Remove);
    home.write(file, b"no footers");
    assert_found(&examine(&database).await, &database, folder, Remedy::Remove);
    repair(&database).await;
    assert_sound(&database).await;
    assert_eq!(now_in(&database).await, before);
}

#[tokio::test]
async fn an_unconfirmed_repair_changes_nothing() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let folder = fragment(&database).await;
        home.cut(&format!("{folder}/{FOOTER}"));
        let declined = crate::repair(database.location(), || NOW, |_| {}, async |report| report.is_sound()).await;
        assert_eq!(declined.unwrap(), None);
        assert_eq!(again(&database).await.newest().await.unwrap().number, 4, "a fence is a change");
        assert!(home.get(&commit_file(&folder)).is_some());
    }
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
        let (home, database) = two_granules(Place::Disk).await;
        home.remove(&format!("{}/{FOOTER}", fragment(&database).await));
        home.remove(&ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Contents));
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
