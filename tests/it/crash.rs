//! Death at any moment: a killed ingest, run again, ends as if nothing had happened.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::Place;

const STATE: &str = "SELECT count(*), sum(segment_id_beg), sum(h_canopy), count(DISTINCT ingest_id) FROM segments";
const ONE_A_WINDOW: &str = "product: ATL08\nwindow: {granules: 1}\n";

/// A folder of granules, each a window of its own.
fn prepared(granules: usize) -> Place {
    let place = Place::new();
    place.synthesise("granules", granules, 300);
    std::fs::write(place.path("small.yml"), ONE_A_WINDOW).unwrap();
    place
}

const INGEST: [&str; 4] = ["--config", "small.yml", "ingest", "granules"];

fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_killed_ingest_shows_whole_granules_only_and_goes_on_where_it_stopped() {
    let place = prepared(5);
    place.ok(&INGEST);
    let expected = place.rows(STATE);
    for delay in [40, 90, 150, 230, 330, 450, 600, 800] {
        std::fs::remove_dir_all(place.path("db")).unwrap();
        let mut child = place.command(&INGEST).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        if place.run(&["info"]).code == Some(0) {
            let whole = "SELECT (SELECT count(*) FROM segments) = (SELECT coalesce(sum(rows_kept), 0) FROM granules)";
            assert_eq!(place.rows(whole), ["true"], "killed after {delay} ms");
        }
        place.ok(&INGEST);
        assert_eq!(place.rows(STATE), expected, "killed after {delay} ms");
        assert_eq!(place.rows("SELECT count(*) FROM granules"), ["5"], "killed after {delay} ms");
        assert_eq!(committed_fragments(&place), 5, "leftovers are out of sight, killed after {delay} ms");
    }
}

fn committed_fragments(place: &Place) -> usize {
    std::fs::read_dir(place.path("db/segments/__commits")).unwrap().count()
}

#[test]
fn ctrl_c_ends_an_ingest_cleanly() {
    let place = prepared(6);
    let child = place.command(&INGEST).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(250));
    signal(child.id(), "-INT");
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    // A fast machine may be done before the signal comes.
    assert!(matches!(ended.status.code(), Some(130 | 0)), "{:?}\n{stderr}", ended.status);
    assert_eq!(ended.status.code() == Some(130), stderr.contains("interrupted"), "{stderr}");
    place.ok(&INGEST);
    assert_eq!(place.rows("SELECT count(*) FROM granules"), ["6"]);
}

#[test]
fn two_ingests_at_a_time_do_not_harm_each_other() {
    let place = prepared(6);
    let spawn = || place.command(&INGEST).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let both = [spawn(), spawn()].map(|child| child.wait_with_output().unwrap());
    assert!(both.iter().any(|ended| ended.status.success()));
    for ended in both.iter().filter(|ended| !ended.status.success()) {
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(stderr.contains("another process is writing"), "{stderr}");
    }
    place.ok(&INGEST);
    assert_eq!(place.rows("SELECT count(*), count(DISTINCT granule) FROM granules"), ["6,6"]);
}
