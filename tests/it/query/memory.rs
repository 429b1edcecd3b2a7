//! Queries in little memory: the same rows through spill files, or one clear error.

use std::fs;

use crate::support::TestFolder;

/// Rows that need some hundred megabytes in sorts and groups.
const SORTED: &str = "SELECT s.*, v.n FROM segments s CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6), (7), (8)) AS v (n) \
                      ORDER BY v.n, s.h_canopy, s.beam, s.segment_id_beg, s.ingest_id";
const LITTLE: [&str; 2] = ["--memory", "64MiB"];

fn place() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 1200);
    place.ok(&["ingest", "granules"]);
    place
}

/// Number of spill files of `sql`.
fn spills(place: &TestFolder, options: &[&str], sql: &str) -> u64 {
    let message = place.rows_with(options, &format!("EXPLAIN ANALYZE {sql}")).join("\n");
    let counts = message.split("spill_count=").skip(1).map(|rest| {
        rest.split(|other: char| !other.is_ascii_digit()).next().unwrap_or_default().parse::<u64>().unwrap()
    });
    counts.sum()
}

#[test]
fn a_sort_larger_than_memory_spills_and_gives_the_same_rows() {
    let place = place();
    fs::create_dir(place.path("temp")).unwrap();
    let options = [&LITTLE[..], &["--temp", "temp"]].concat();
    assert_eq!(spills(&place, &["--memory", "4GB"], SORTED), 0);
    assert!(spills(&place, &options, SORTED) > 0);
    let narrow = SORTED.replace("s.*", "s.h_canopy, s.beam, s.segment_id_beg, s.latitude");
    for (sql, options) in [(SORTED, &options), (narrow.as_str(), &options)] {
        let written = |options: &[&str], file: &str| {
            place.ok(&[&["query", "-o", file], options, &[sql]].concat());
            fs::read(place.path(file)).unwrap()
        };
        assert!(written(options, "little.csv") == written(&["--memory", "4GB"], "much.csv"), "{sql}");
    }
    assert_eq!(place.files("temp"), Vec::<String>::new(), "nothing stays behind");
}

#[test]
fn groups_larger_than_memory_give_the_same_rows() {
    let place = place();
    let sql = "SELECT count(*), sum(n), max(text) FROM (SELECT value % 700000 AS key, count(*) AS n, max(concat('row ', value)) AS text \
               FROM generate_series(1, 1000000) GROUP BY value % 700000)";
    assert_eq!(place.rows_with(&LITTLE, sql), place.rows_with(&["--memory", "4GB"], sql));
}

#[test]
fn a_query_that_cannot_spill_fails_with_a_hint() {
    let place = place();
    let join = "SELECT count(*) FROM generate_series(1, 9000000) AS a (n) JOIN generate_series(1, 9000000) AS b (n) ON a.n = b.n";
    let run = place.run(&[&["query"], &LITTLE[..], &[join]].concat());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    for part in ["error: the query needs more memory than it may use", "hint: ", "--memory"] {
        assert!(run.stderr.contains(part), "no {part:?} in\n{}", run.stderr);
    }
    let too_little = place.run(&["query", "--memory", "1MB", "SELECT 1"]);
    assert!(too_little.code == Some(2) && too_little.stderr.contains("at least"), "{}", too_little.stderr);
    let nowhere = place.run(&["query", "--temp", "nowhere", "SELECT 1"]);
    assert_eq!(nowhere.code, Some(1), "{}", nowhere.stderr);
    assert!(
        nowhere.stderr.contains("cannot spill to nowhere") && nowhere.stderr.contains("hint: "),
        "{}",
        nowhere.stderr
    );
}

#[test]
fn memory_and_thread_limits_are_logged_with_their_sources() {
    let place = place();
    let command = |arguments: &[&str]| {
        let output = place.command(arguments).env("SLURM_MEM_PER_NODE", "1024").output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let message = command(&["--log", "debug", "query", "SELECT 1"]);
    assert!(message.contains("source=\"SLURM_MEM_PER_NODE\"") && message.contains("bytes=1073741824"), "{message}");
    assert!(message.contains("memory=536870912"), "half of it is used: {message}");
    assert!(cfg!(not(target_os = "linux")) || message.contains("MemTotal"), "{message}");
    let message = command(&["--log", "debug", "ingest", "granules"]);
    assert!(message.contains("memory=536870912"), "an ingest takes no more: {message}");
}
