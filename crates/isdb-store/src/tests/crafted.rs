//! Objects of the log that were made to do harm, with right checksums: no name in them becomes a path out of the database.

use std::fs;
use std::path::{Path, PathBuf};

use super::NOW;
use super::home::{Home, Place};
use super::repairing::{again, assert_sound, examine, two_granules};
use crate::{Database, Error, Location, Remedy, Writer};

/// Replaces `from` by `to` in the content of an object of the log, and makes its checksum right again.
fn craft(path: &Path, from: &str, to: &str) {
    let object = fs::read(path).unwrap();
    let start = object.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let content = String::from_utf8(object[start..].to_vec()).unwrap().replace(from, to);
    let header = format!("{{\"format\":4,\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(content.as_bytes()));
    fs::write(path, header + &content).unwrap();
}

#[tokio::test]
async fn a_name_that_leads_out_of_the_database_is_damage_and_nothing_out_there_is_touched() {
    let (home, database) = two_granules(Place::Disk).await;
    let Home::Disk(folder) = &home else { panic!("a folder") };
    let outside = folder.path().join("x");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("mine"), "mine").unwrap();
    let state = database.newest().await.unwrap();
    let commit = database.location().folder().unwrap().join("commits").join(format!("{:020}", 4));
    let original = fs::read(&commit).unwrap();
    let added = state.segments.live.into_iter().find(|(_, fragment)| fragment.born == 4).unwrap().1;
    let (ledger, _) = state.ledger.live.into_iter().find(|(_, (_, born))| *born == 4).unwrap();
    for name in [&added.record.name, ledger] {
        craft(&commit, name, "../../../x");
        let error = Database::open(database.location()).await.unwrap_err();
        let Error::Damaged { object, problem } = error else { panic!("{error}") };
        assert!(object.ends_with("commits/00000000000000000004"), "{object}");
        assert!(problem.ends_with("found \"../../../x\""), "{problem}");
        assert!(crate::check(database.location(), |_| {}).await.is_ok_and(|report| !report.is_sound()));
        fs::write(&commit, &original).unwrap();
    }
    assert_sound(&again(&database).await).await;
    assert_eq!(fs::read(outside.join("mine")).unwrap(), b"mine");
}

#[tokio::test]
async fn a_crafted_checkpoint_is_skipped_and_reported() {
    let (_home, database) = two_granules(Place::Disk).await;
    database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
    let checkpoint = database.location().folder().unwrap().join("checkpoints").join(format!("{:020}", 4));
    let mut object = fs::read(&checkpoint).unwrap();
    let start = object.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let stream = start + object[start..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // The length of the message that has the schema.
    object[stream + 4..stream + 8].copy_from_slice(&i32::MAX.to_le_bytes());
    let header = format!("{{\"format\":4,\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(&object[start..]));
    fs::write(&checkpoint, [header.as_bytes(), &object[start..]].concat()).unwrap();
    assert_eq!(again(&database).await.snapshot().await.unwrap().fragments().count(), 2);
    let report = examine(&database).await;
    let [damage] = &report.damages[..] else { panic!("{:?}", report.damages) };
    assert_eq!((damage.path.as_str(), damage.remedy), (checkpoint.to_str().unwrap(), Remedy::Restore));
    assert!(damage.problem.contains("expected 2147483647 bytes"), "{damage:?}");
}

/// A commit that named it would be damage.
#[tokio::test]
async fn a_file_beside_the_commit_files_that_is_no_fragment_is_left_alone() {
    let (_home, database) = two_granules(Place::Disk).await;
    let array = PathBuf::from(database.location().segments());
    fs::write(array.join("__commits/notes.wrt"), "").unwrap();
    fs::create_dir(array.join("__fragments/__1_1_mine")).unwrap();
    drop(Writer::take_over(&again(&database).await, NOW).await.unwrap());
    let location = Location::parse(&database.location().uri()).unwrap();
    let state = Database::open(&location).await.unwrap().newest().await.unwrap();
    assert_eq!((state.number, state.segments.dead.len(), state.segments.hidden.len()), (5, 0, 0));
    assert!(array.join("__commits/notes.wrt").exists() && array.join("__fragments/__1_1_mine").exists());
}
