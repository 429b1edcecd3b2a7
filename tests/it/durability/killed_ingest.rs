//! A killed ingest, run again, gives the same database as without the kill.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::TestFolder;

/// The signal of a process that called abort().
const SIGABRT: i32 = 6;

const STATE: &str = "SELECT count(*), sum(segment_id_beg), sum(h_canopy), count(DISTINCT ingest_id) FROM segments";
const ONE_A_WINDOW: &str = "product: ATL08\nwindow: {granules: 1}\n";

/// A folder of granules, each in a separate window.
fn prepared(granules: usize) -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", granules, 300);
    std::fs::write(place.path("small.yml"), ONE_A_WINDOW).unwrap();
    place
}

const INGEST: [&str; 4] = ["--config", "small.yml", "ingest", "granules"];

fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Starts the ingest and returns it after `lines` lines of progress, in the middle of the next window.
fn started(place: &TestFolder, lines: usize) -> Child {
    let mut child = place.command(&INGEST).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut message = BufReader::new(child.stderr.as_mut().unwrap());
    // The line of the filters comes before those of progress.
    for _ in 0..if lines > 0 { lines + 1 } else { 0 } {
        message.read_line(&mut String::new()).unwrap();
    }
    child
}

#[test]
fn a_killed_ingest_leaves_whole_granules_and_the_next_one_completes() {
    let place = prepared(5);
    place.ok(&INGEST);
    let expected = place.rows(STATE);
    // The first line has the number of granules, each further one a window; the delay moves the kill through the work of a window.
    for (lines, delay) in [(0, 5), (0, 30), (1, 0), (1, 40), (2, 10), (2, 60), (3, 25), (4, 80)] {
        std::fs::remove_dir_all(place.path("db")).unwrap();
        let mut child = started(&place, lines);
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let case = format!("killed {delay} ms after line {lines}");
        let info = place.run(&["info"]);
        if info.code == Some(0) {
            let whole = "SELECT (SELECT count(*) FROM segments) = (SELECT coalesce(sum(rows_kept), 0) FROM granules)";
            assert_eq!(place.rows(whole), ["true"], "{case}");
            let windows: usize = place.rows("SELECT count(*) FROM granules")[0].parse().unwrap();
            assert!(windows + 1 >= lines, "windows reported as committed exist, {case}");
        } else {
            // The first line follows the creation of the database.
            let is_missing = info.stderr.contains("no isdb database");
            assert!(lines == 0 && is_missing, "{case}: {}", info.stderr);
        }
        place.ok(&INGEST);
        assert_eq!(place.rows(STATE), expected, "{case}");
        assert_eq!(place.rows("SELECT count(*) FROM granules"), ["5"], "{case}");
        assert_eq!(committed_fragments(&place), 5, "leftovers are out of sight, {case}");
    }
}

fn committed_fragments(place: &TestFolder) -> usize {
    std::fs::read_dir(place.path("db/segments/__commits")).unwrap().count()
}

#[test]
fn ctrl_c_ends_an_ingest_cleanly() {
    let place = prepared(8);
    let child = started(&place, 2);
    signal(child.id(), "-INT");
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
    place.ok(&INGEST);
    assert_eq!(place.rows("SELECT count(*) FROM granules"), ["8"]);
}

#[test]
fn two_concurrent_ingests_do_not_harm_each_other() {
    let place = prepared(8);
    let mut first = started(&place, 2);
    signal(first.id(), "-STOP");
    let is_at_work = first.try_wait().unwrap().is_none();
    let second = place.run(&INGEST);
    signal(first.id(), "-CONT");
    let first = first.wait_with_output().unwrap();
    assert!(is_at_work && first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    assert!(second.stderr.contains("another process is writing"), "{}", second.stderr);
    place.ok(&INGEST);
    assert_eq!(place.rows("SELECT count(*), count(DISTINCT granule) FROM granules"), ["8,8"]);
}

#[test]
fn an_interrupted_creation_is_removed_by_the_next_run_and_no_other_folder_is() {
    let place = prepared(1);
    let left = || -> Vec<String> {
        let mut names = place.files(".");
        names.retain(|name| name.contains(".creating-"));
        names
    };
    // The first commit is the last step of the creation.
    for point in ["before-commit", "after-commit"] {
        let died = place.command(&INGEST).env("ISDB_TEST_DIE_AT", point).output().unwrap();
        assert_eq!(died.status.signal(), Some(SIGABRT), "{}", String::from_utf8_lossy(&died.stderr));
        assert!(!place.path("db").exists());
        assert_eq!(left().len(), 1, "what an earlier death left is gone: {point}");
    }
    std::fs::rename(place.path(&left()[0]), place.path("aside")).unwrap();
    // A folder of the user, and one of another database.
    for other in [".db.creating-a-new-one", ".other.creating-6f1f6a06-6ad3-4ea2-8c29-8c9c8a2b7d1e"] {
        std::fs::create_dir(place.path(other)).unwrap();
    }
    place.ok(&INGEST);
    // Leftovers are removed beside an existing database as well.
    std::fs::rename(place.path("aside"), place.path(".db.creating-0d5a8f0e-7a52-4b7a-9b52-0f6f2a3c4d5e")).unwrap();
    place.ok(&["vacuum"]);
    let mut names = left();
    names.sort();
    assert_eq!(names, ["./.db.creating-a-new-one", "./.other.creating-6f1f6a06-6ad3-4ea2-8c29-8c9c8a2b7d1e"]);
    assert_eq!(place.rows("SELECT count(*) FROM granules"), ["1"]);
}
