//! Death at any moment, in numbers: after every kill and every named point of death a further run ends as if there had been
//! none, and what can be seen before it is whole windows.

use isdb_store::fault::POINTS;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Instant;

use crate::support::{Content, Place};

/// Kills at random moments.
const KILLS: u32 = 50;
/// The signal of a process that ended itself by abort().
const SIGABRT: i32 = 6;

/// Granules a window.
const WINDOW: usize = 6;
const CONFIG: &str = "product: ATL08\nvariables: [h_canopy, h_te_best_fit, canopy_h_metrics, night_flag]\n";

/// `granules` small ones of one calendar quarter, so that only their number makes windows.
fn prepared(granules: usize, window: usize) -> Place {
    let place = Place::in_memory();
    let options = ["--count", &granules.to_string(), "--every", "2", "--segments", "15"];
    place.make_granules("granules", &options);
    std::fs::write(place.path("c.yml"), format!("{CONFIG}window: {{granules: {window}}}\n")).unwrap();
    place
}

const INGEST: [&str; 4] = ["--config", "c.yml", "ingest", "granules"];

/// A random number from 0 to 1.
fn random() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

fn remove(place: &Place) {
    if place.path("db").exists() {
        std::fs::remove_dir_all(place.path("db")).unwrap();
    }
}

/// Demands that whole windows are to be seen, or no database yet.
fn shows_whole_windows(place: &Place, window: usize, case: &str) {
    let whole = format!(
        "SELECT (SELECT count(*) FROM granules) % {window}, \
         (SELECT count(*) FROM segments) - (SELECT coalesce(sum(rows_kept), 0) FROM granules WHERE state = 'ingested')"
    );
    let seen = place.run(&["query", "--format", "csv", &whole]);
    match seen.code {
        Some(0) => assert_eq!(seen.stdout.lines().nth(1), Some("0,0"), "{case}"),
        _ => assert!(seen.stderr.contains("there is no isdb database"), "{case}: {}", seen.stderr),
    }
}

#[test]
fn fifty_kills_at_random_moments_lose_nothing_and_double_nothing() {
    let place = prepared(5 * WINDOW, WINDOW);
    let begun = Instant::now();
    place.ok(&INGEST);
    let undisturbed = begun.elapsed();
    let expected = Content::of(&place);
    assert_eq!(expected.ledger.len(), 5 * WINDOW);
    for kill in 0..KILLS {
        remove(&place);
        // One in each fiftieth of the time, so that early and late moments both come.
        let moment = undisturbed.mul_f64((f64::from(kill) + random()) / f64::from(KILLS));
        let mut child = place.command(&INGEST).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        let case = format!("killed {moment:?} after its start, of {undisturbed:?}");
        shows_whole_windows(&place, WINDOW, &case);
        place.ok(&INGEST);
        expected.is_in(&place, &case);
    }
}

/// What every point lies on the way of. Two windows of two granules, then a third, whose ingest sweeps what a death left.
const LIFE: [&[&str]; 3] = [&INGEST, &["--config", "c.yml", "consolidate"], &["vacuum", "--older-than", "0s"]];

/// Runs the commands of `LIFE` with `death` armed until one dies of it; None if none does.
fn dies(place: &Place, death: &str) -> Option<String> {
    for arguments in LIFE {
        let mut command = place.command(arguments);
        let ended = command.env("ISDB_TEST_DIE_AT", death).output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        match (ended.status.signal(), ended.status.code()) {
            (Some(SIGABRT), _) => return Some(arguments.join(" ")),
            (_, code) => assert_eq!(code, Some(0), "{death}: isdb {}\n{stderr}", arguments.join(" ")),
        }
    }
    None
}

#[test]
fn death_at_every_named_point_is_made_good_by_the_next_run() {
    const WINDOW: usize = 2;
    let place = prepared(3 * WINDOW, WINDOW);
    for arguments in LIFE {
        place.ok(arguments);
    }
    let expected = Content::of(&place);
    // A database in which a death has left something to sweep.
    remove(&place);
    assert!(dies(&place, "after-ledger:2").is_some());
    std::fs::rename(place.path("db"), place.path("left")).unwrap();

    for point in POINTS {
        // The first times that it is reached, then ever fewer of the many files that a vacuum removes.
        for time in [1, 2, 3, 5, 9, 17, 33, 65] {
            remove(&place);
            place.copy("left", "db");
            let death = format!("{point}:{time}");
            let Some(command) = dies(&place, &death) else {
                assert!(time > 1, "nothing reaches {point}");
                break;
            };
            let case = format!("isdb {command} died at {death}");
            shows_whole_windows(&place, WINDOW, &case);
            for arguments in LIFE {
                place.ok(arguments);
            }
            expected.is_in(&place, &case);
        }
    }
}
