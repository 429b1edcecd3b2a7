//! What a tag loses with a damaged file is the same before and after a repair.

use super::home::{PLACES, fresh_at};
use super::repairing::{FIRST, again, assert_found, assert_sound, commit_file, examine, fragment, ledger_file};
use super::repairing::{repair, two_granules};
use super::{NOW, attempt, batch, changes, open, replace, variables};
use crate::ledger::file::LedgerFileKind;
use crate::{Database, Id, Remedy, Writer, WrittenFragment, write_fragment};

async fn tag(database: &Database, name: &str) {
    let mut writer = Writer::take_over(database, NOW).await.unwrap();
    let snapshot = database.snapshot().await.unwrap();
    writer.set_tag(name, &snapshot, NOW).await.unwrap();
}

/// Writes all files of the ledger again as one, so that only tags need the earlier ones.
async fn merge(database: &Database) {
    let mut writer = Writer::take_over(database, NOW).await.unwrap();
    for _ in 0..32 {
        replace(&mut writer, &[], 1, NOW).await.unwrap();
    }
    writer.compact_ledger(NOW).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_tag_loses_nothing_with_a_file_of_contents() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        tag(&database, "paper").await;
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Contents);
        merge(&database).await;
        home.remove(&file);
        let tagged = again(&database).await.snapshot_of_tag("paper").await.unwrap();
        assert_eq!((open(&tagged).await.is_ok(), tagged.ledger().await.is_ok()), (true, true));
        assert_sound(&database).await;
    }
}

#[tokio::test]
async fn the_first_and_the_second_check_say_that_a_tag_loses_its_ledger() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        tag(&database, "paper").await;
        tag(&database, "thesis").await;
        let file = ledger_file(&database.newest().await.unwrap(), LedgerFileKind::Granules);
        home.flip(&file);
        let loss = "; tags whose ledger cannot be read without it, although their segments can: paper, thesis";
        let report = examine(&database).await;
        assert_found(&report, &database, &file, Remedy::DropRows);
        assert!(report.damages[0].problem.contains(loss), "{:?}", report.damages);
        repair(&database).await;
        let report = examine(&database).await;
        assert_found(&report, &database, &file, Remedy::DeleteTag);
        assert!(report.damages[0].problem.ends_with(loss), "{:?}", report.damages);
        let tagged = again(&database).await.snapshot_of_tag("paper").await.unwrap();
        assert_eq!((open(&tagged).await.is_ok(), tagged.ledger().await.is_ok()), (true, false));
    }
}

#[tokio::test]
async fn a_second_repair_does_not_restore_a_fragment_that_the_first_one_dropped() {
    for place in PLACES {
        let (home, database) = fresh_at(place).await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let window = writer.begin_window(1, NOW).unwrap();
        let (id, fragment_id) = (window.ingest_id(0), window.fragment_id(0));
        // Segments that can be decoded and have the wrong attempt.
        let wrong = batch(fragment_id, Id(id.0 + 1_000), &[1; 5], &variables());
        let written = write_fragment(database.location(), window.timestamp, fragment_id, &wrong, 1).unwrap();
        let written = WrittenFragment { attempts: [(id, 5)].into(), ..written };
        writer.commit(window, changes(vec![written], vec![attempt(id, 5, &[])])).await.unwrap();
        drop(writer);
        tag(&database, "paper").await;
        let folder = fragment(&database).await;
        assert_found(&examine(&database).await, &database, &folder, Remedy::Drop);
        repair(&database).await;
        for _ in 0..2 {
            let report = examine(&database).await;
            assert_found(&report, &database, &folder, Remedy::DeleteTag);
            assert!(report.damages[0].problem.ends_with("; tags that cannot be opened without it: paper"));
            repair(&database).await;
            assert!(home.get(&commit_file(&folder)).is_none(), "its segments would be visible in the state of the tag");
        }
    }
}

#[tokio::test]
async fn the_state_of_a_tag_has_the_tags_commit_although_the_newest_one_shows_the_same() {
    for place in PLACES {
        let (_home, database) = two_granules(place).await;
        tag(&database, "paper").await;
        assert_eq!(again(&database).await.snapshot().await.unwrap().commit(), 6);
        let tagged = again(&database).await.snapshot_of_tag("paper").await.unwrap();
        assert_eq!((tagged.commit(), tagged.as_tag().commit), (4, 4));
        let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
        replace(&mut writer, &[FIRST], 6, NOW).await.unwrap();
        assert_eq!(again(&database).await.snapshot_of_tag("paper").await.unwrap().commit(), 4);
    }
}
