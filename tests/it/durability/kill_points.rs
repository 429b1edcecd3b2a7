//! Many kills: after a kill at any moment or kill point, readers see whole windows only, and another run gives the same database as
//! without the kill.

use isdb_store::fault::POINTS;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::random::{Random, random};
use crate::support::{Content, TestFolder};

/// Signals of a process that called abort(), and of a killed one.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// Granules per window.
const WINDOW: usize = 6;
const CONFIG: &str = "product: ATL08\nvariables: [h_canopy, h_te_best_fit, canopy_h_metrics, night_flag]\n";

/// Writes small granules of one calendar quarter, so that only their number determines the windows.
fn prepared(granules: usize, window: usize) -> TestFolder {
    let place = TestFolder::in_memory();
    make(&place, "granules", granules, 1);
    std::fs::write(place.path("c.yml"), format!("{CONFIG}window: {{granules: {window}}}\n")).unwrap();
    place
}

fn make(place: &TestFolder, folder: &str, granules: usize, revision: u8) {
    let (count, revision) = (granules.to_string(), revision.to_string());
    place.make_granules(folder, &["--count", &count, "--every", "2", "--segments", "15", "--revision", &revision]);
}

const INGEST: [&str; 4] = ["--config", "c.yml", "ingest", "granules"];
const REPLACE: [&str; 4] = ["--config", "c.yml", "ingest", "revised"];

fn remove(place: &TestFolder) {
    if place.path("db").exists() {
        std::fs::remove_dir_all(place.path("db")).unwrap();
    }
}

/// Asserts that readers see whole windows, or no database yet.
fn shows_whole_windows(place: &TestFolder, window: usize, case: &str) {
    let whole = format!(
        "SELECT (SELECT count(*) FROM granules) % {window}, \
         (SELECT count(*) FROM segments) - (SELECT coalesce(sum(rows_kept), 0) FROM granules_current)"
    );
    let seen = place.run(&["query", "--format", "csv", &whole]);
    match seen.code {
        Some(0) => assert_eq!(seen.stdout.lines().nth(1), Some("0,0"), "{case}"),
        _ => assert!(seen.stderr.contains("no isdb database"), "{case}: {}", seen.stderr),
    }
}

/// Kills `child` at a random moment of `needed`, the duration of a run, which is corrected if the run ends sooner. Returns the
/// moment, and true if it was killed.
fn kill(mut child: Child, needed: &mut Duration, random: &mut Random) -> (Duration, bool) {
    let begun = Instant::now();
    let moment = needed.mul_f64(random.below(1_000) as f64 / 1_000.0);
    let mut done: Option<ExitStatus> = None;
    while done.is_none() && begun.elapsed() < moment {
        std::thread::sleep(Duration::from_millis(1).min(moment.saturating_sub(begun.elapsed())));
        done = child.try_wait().unwrap();
    }
    if done.is_some() {
        *needed = begun.elapsed();
    } else {
        child.kill().unwrap();
    }
    (moment, child.wait().unwrap().signal() == Some(SIGKILL))
}

#[test]
fn an_ingest_killed_at_random_moments_loses_and_doubles_nothing() {
    let place = prepared(5 * WINDOW, WINDOW);
    make(&place, "revised", 5 * WINDOW, 2);
    let mut random = random();
    // An ingest into a new database, and one that replaces every granule.
    let kinds = [INGEST, REPLACE].map(|arguments| {
        let begun = Instant::now();
        place.ok(&arguments);
        let needed = begun.elapsed();
        if arguments == INGEST {
            place.copy("db", "base");
        }
        (arguments, needed, Content::read(&place))
    });
    let [(_, mut ingest_needs, ingested), (_, mut replace_needs, replaced)] = kinds;
    assert_eq!((ingested.ledger.len(), replaced.ledger.len()), (5 * WINDOW, 10 * WINDOW));
    assert_eq!(ingested.segments.len(), replaced.segments.len());

    let (wanted, mut killed, mut runs) = (isdb_testing::times(12, 100), 0, 0);
    // A run that ended before its kill does not count.
    while killed < wanted {
        runs += 1;
        assert!(runs <= 4 * wanted, "{killed} of {runs} kills came while an ingest was at work");
        remove(&place);
        let (arguments, needs, expected) = match runs % 3 {
            0 => {
                place.copy("base", "db");
                (REPLACE, &mut replace_needs, &replaced)
            }
            _ => (INGEST, &mut ingest_needs, &ingested),
        };
        let child = place.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (moment, was_killed) = kill(child, needs, &mut random);
        killed += u32::from(was_killed);
        let case = format!("isdb {}, run {runs}, killed {moment:?} after its start", arguments.join(" "));
        shows_whole_windows(&place, WINDOW, &case);
        place.ok(&arguments);
        expected.is_in(&place, &case);
    }
    println!("{killed} kills in {runs} runs");
}

/// Commands that pass every kill point. The first writes three windows of two granules and removes the files of a dead writer.
const COMMANDS: [&[&str]; 3] = [&INGEST, &["--config", "c.yml", "consolidate"], &["vacuum", "--older-than", "0s"]];

/// Runs the commands of `COMMANDS` with the kill point `death` and returns the one that dies; `None` if none does.
fn dies(place: &TestFolder, death: &str) -> Option<String> {
    for arguments in COMMANDS {
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
fn a_writer_that_dies_at_any_kill_point_is_recovered_by_the_next_run() {
    const WINDOW: usize = 2;
    let place = prepared(3 * WINDOW, WINDOW);
    for arguments in COMMANDS {
        place.ok(arguments);
    }
    let expected = Content::read(&place);
    // A database with files of a dead writer.
    remove(&place);
    assert!(dies(&place, "after-ledger:2").is_some());
    std::fs::rename(place.path("db"), place.path("left")).unwrap();

    // A file of the ledger dies when more than 32 are merged, which takes as many windows; the tests of isdb-store do that.
    for point in POINTS.into_iter().filter(|point| *point != "vacuum-each-ledger-file") {
        // The first passes, then ever fewer: a vacuum passes for each file that it removes.
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
            for arguments in COMMANDS {
                place.ok(arguments);
            }
            expected.is_in(&place, &case);
        }
    }
}
