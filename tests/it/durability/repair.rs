//! A damaged database: `isdb check` names the file and its granule, and after `isdb repair` and an ingest all rows are there again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Content, TestFolder};

/// The folder of a fragment.
fn fragment(place: &TestFolder) -> PathBuf {
    let folders = fs::read_dir(place.path("db/segments/__fragments")).unwrap().map(|entry| entry.unwrap().path());
    folders.min().unwrap()
}

fn cut(path: &Path) {
    let content = fs::read(path).unwrap();
    fs::write(path, &content[..content.len() / 2]).unwrap();
}

/// A database with two granules.
fn place() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 2, 60);
    place.ok(&["ingest", "granules"]);
    place
}

#[test]
fn a_damaged_database_is_whole_again_after_a_repair_and_an_ingest() {
    let place = place();
    let before = place.rows(Content::SEGMENTS);
    assert!(place.ok(&["check"]).stdout.ends_with("damaged: nothing\n"));

    let folder = fragment(&place);
    cut(&folder.join("d0.tdb"));
    let check = place.run(&["check"]);
    assert_eq!(check.code, Some(1), "{}", check.stderr);
    let named = check.stdout.contains(folder.to_str().unwrap()) && check.stdout.contains("granule: ATL08_");
    assert!(named, "{}", check.stdout);
    let json: serde_json::Value = serde_json::from_str(&place.run(&["check", "--format", "json"]).stdout).unwrap();
    assert!(json["damages"][0]["granules"][0].as_str().unwrap().starts_with("ATL08_"), "{json}");
    assert_eq!(place.ok(&["repair", "--dry-run"]).stdout, check.stdout);
    let refused = place.run(&["repair"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("isdb repair --yes"), "{}", refused.stderr);

    let repaired = place.ok(&["repair", "--yes"]);
    assert!(repaired.stderr.contains("dropped: 1 fragments"), "{}", repaired.stderr);
    assert!(place.ok(&["info"]).stdout.contains("incomplete since a repair"));
    assert!(place.ok(&["check"]).stdout.contains("incomplete: "));
    place.ok(&["ingest", "granules"]);
    assert_eq!(place.rows(Content::SEGMENTS), before);
    assert!(!place.ok(&["info"]).stdout.contains("incomplete since a repair"));
    assert!(!place.ok(&["check"]).stdout.contains("incomplete: "));
}

#[test]
fn a_database_that_lost_its_ledger_stores_each_granule_once_after_an_ingest() {
    let place = place();
    let before = place.rows(Content::SEGMENTS);
    for file in fs::read_dir(place.path("db/ledger")).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    assert_eq!(place.run(&["check"]).code, Some(1));
    place.ok(&["repair", "--yes"]);
    place.ok(&["ingest", "granules"]);
    assert_eq!(place.rows(Content::SEGMENTS), before);
    place.ok(&["check"]);
}

#[test]
fn a_commit_that_no_checkpoint_repeats_is_named_and_nothing_is_changed() {
    let place = place();
    let commit = place.path("db/commits/00000000000000000002");
    std::fs::remove_dir_all(place.path("db/checkpoints")).unwrap();
    cut(&commit);
    for arguments in [&["check"][..], &["repair", "--yes"]] {
        let run = place.run(arguments);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stdout.contains(commit.to_str().unwrap()) && run.stdout.contains("backup"), "{}", run.stdout);
    }
}
