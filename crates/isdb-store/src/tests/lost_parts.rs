//! Whole parts of a database that are lost, or of another version: the error says what is missing, and what the rest can restore is restored.

use std::fs;

use super::home::{Home, PLACES, Place};
use super::repairing::{FIRST, numbered};
use super::repairing::{again, assert_found, assert_sound, examine, ledger_file, now_in, repair, two_granules};
use super::{NOW, attempt, changes, replace};
use crate::ledger::file::LedgerFileKind;
use crate::{Database, Error, Remedy, Writer, check};

async fn failure(database: &Database) -> [Error; 2] {
    let checked = check(database.location(), |_| {}).await.map(|report| report.damages);
    [Database::open(database.location()).await.map(|_| ()).unwrap_err(), checked.unwrap_err()]
}

#[tokio::test]
async fn all_commits_are_restored_from_the_newest_checkpoint_and_reported_as_one_damage() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
        let before = now_in(&database).await;
        home.remove_all("commits");
        let report = examine(&database).await;
        assert_found(&report, &database, "commits", Remedy::GiveUpStates);
        assert!(report.damages[0].problem.starts_with("expected commits 1 to 4, found none"), "{:?}", report.damages);
        repair(&database).await;
        let report = examine(&database).await;
        assert_eq!((report.is_sound(), report.lost_commits), (true, 4), "{:?}", report.damages);
        assert_eq!(now_in(&database).await, before);
        let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
        replace(&mut writer, &[FIRST], 6, NOW).await.unwrap();
        assert!(examine(&database).await.is_sound());
    }
}

#[tokio::test]
async fn a_database_without_its_log_is_one_that_lost_it_and_a_new_one_is_not_made_in_its_place() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        for part_of_log in ["commits", "checkpoints"] {
            home.remove_all(part_of_log);
        }
        for error in failure(&database).await {
            let expected =
                "has lost its commit log: expected commits or checkpoints beside its segments and ledger, found none";
            assert!(error.to_string().ends_with(expected), "{error}");
        }
        let empty = Home::new(place);
        if let Home::Disk(folder) = &empty {
            fs::create_dir(folder.path().join("db")).unwrap();
        }
        assert!(matches!(check(&empty.location(), |_| {}).await, Err(Error::NotFound { .. })));
        assert!(matches!(Database::open(&empty.location()).await, Err(Error::NotFound { .. })));
    }
}

/// Gives an object of the log the format 2.
fn to_format_2(home: &Home, path: &str) {
    let content = home.read(path);
    let start = br#"{"format":"#.len();
    assert_eq!(content[start], b'4');
    home.write(path, &[&content[..start], b"2", &content[start + 1..]].concat());
}

#[tokio::test]
async fn a_database_of_another_format_is_one_error_and_an_object_of_another_format_is_damaged() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let one = numbered("commits", 3);
        to_format_2(&home, &one);
        assert_found(&examine(&database).await, &database, &one, Remedy::Rebuild);
        let error = Database::open(database.location()).await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "the other commits can be read: {error}");
        for object in [home.all("commits"), home.all("checkpoints")].concat().iter().filter(|object| **object != one) {
            to_format_2(&home, object);
        }
        for error in failure(&database).await {
            let expected = format!("expected format 4 of {}, found 2", database.location().uri());
            assert_eq!(error.to_string(), expected);
        }
        home.remove_all("commits");
        assert!(failure(&database).await.iter().all(|error| matches!(error, Error::OtherFormat { .. })));
    }
}

#[tokio::test]
async fn nothing_is_written_to_a_database_without_its_array_and_the_check_names_the_lost_granules() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        home.rename("segments", "moved");
        if place == Place::Disk {
            // In an object store it would be one more request, and a read finds that its fragment does not exist.
            let opened = Database::open(database.location()).await.map(|_| ()).unwrap_err();
            assert!(matches!(opened, Error::LostArray { .. }), "{opened}");
            assert!(opened.to_string().starts_with(&database.location().segments()), "{opened}");
        }
        let writer = Writer::take_over(&database, NOW).await.map(|_| ()).unwrap_err();
        assert!(matches!(writer, Error::LostArray { .. }), "{writer}");
        let report = examine(&database).await;
        assert_found(&report, &database, "segments", Remedy::Rebuild);
        assert_eq!(report.damages[0].granules, ["granule of 3", "granule of 5"]);
        assert_eq!(home.all("segments"), [""; 0], "the check makes no array");
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Granules);
        let content = home.read(&file);
        home.remove(&file);
        let report = examine(&database).await;
        assert!(report.damages.iter().all(|damage| damage.remedy == Remedy::Rebuild), "{:?}", report.damages);
        home.write(&file, &content);
        home.rename("moved", "segments");
        assert_sound(&database).await;
    }
}

#[tokio::test]
async fn a_repair_that_can_do_nothing_commits_nothing() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        for _ in 0..32 {
            replace(&mut writer, &[], 1, NOW).await.unwrap();
            if writer.head().number == 6 {
                let tagged = database.snapshot().await.unwrap();
                writer.set_tag("paper", &tagged, NOW).await.unwrap();
            }
        }
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Granules);
        writer.compact_ledger(NOW).await.unwrap().unwrap();
        drop(writer);
        home.remove(&file);
        assert_found(&examine(&database).await, &database, &file, Remedy::DeleteTag);
        let before = again(&database).await.newest().await.unwrap().number;
        repair(&database).await;
        assert_eq!(again(&database).await.newest().await.unwrap().number, before);
    }
}

#[tokio::test]
async fn lost_ledger_rows_are_described_by_what_they_leave_behind() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Granules);
        home.cut(&file);
        let report = examine(&database).await;
        assert_found(&report, &database, &file, Remedy::DropRows);
        let problem = &report.damages[0].problem;
        let expected =
            "; it had 1 rows, written by commit 3, which leave 5 segments of 1 attempts, from 1970-01-01 to 1970-01-01";
        assert!(problem.ends_with(expected), "{problem}");

        // A granule that was ingested twice is known from its earlier attempt.
        let (home, database) = two_granules(place).await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let new = replace(&mut writer, &[FIRST], 6, NOW).await.unwrap();
        drop(writer);
        let state = database.newest().await.unwrap();
        let file = state.ledger.live_of(LedgerFileKind::Granules).find(|file| file.ingest_ids.0 == new).unwrap();
        let file = format!("ledger/{}", file.name);
        home.remove(&file);
        let report = examine(&database).await;
        assert_found(&report, &database, &file, Remedy::DropRows);
        assert_eq!(report.damages[0].granules, ["granule of 5"]);
        let repaired = repair(&database).await;
        assert_eq!((repaired.incomplete, repaired.without_row), (1, 1));
        assert_eq!(examine(&database).await.incomplete, ["granule of 5"]);
    }
}

#[tokio::test]
async fn a_removal_and_an_alteration_end_with_a_checkpoint() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let checkpoint = |number: u64| home.get(&numbered("checkpoints", number)).is_some();
        let window = writer.begin_window(1, NOW).unwrap();
        let removal = attempt(FIRST, 5, &[]).removal(window.ingest_id(0), vec![FIRST], 1);
        let number = writer.commit(window, changes(Vec::new(), vec![removal])).await.unwrap().number;
        assert!(checkpoint(number), "a later damage of the commit would lose the newest state");
        let number = writer.change_region(None, NOW).await.unwrap().number;
        assert!(checkpoint(number));
        replace(&mut writer, &[], 5, NOW).await.unwrap();
        assert!(!checkpoint(writer.head().number), "a window is followed by others");
    }
}
