//! The words that a user sees: help, typical errors, reports and plans, compared with the files in `tests/it/snapshots`.
//! A difference is either a mistake or a change on purpose; `make snapshots` writes the files again.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::reference::COMMANDS;
use crate::support::handmade_granule as handmade;
use crate::support::{Run, TestFolder};

/// Parts of the output that differ between runs, machines and versions, and what replaces them.
const VARYING: [(&str, &str); 14] = [
    // The width of the numbers depends on the pace.
    (r"(?m)^(granules  failed) +", "$1  "),
    // Ingest progress depends on the clock.
    (r"(?m)^granules: \d+ of \d+, .*\n", ""),
    (r"(?m)\b(seconds|MB/s) +[\d.]+ *$", "$1 [number]"),
    // The seconds may widen the column of numbers.
    (r"(?m)(\S) {2,}([\d.]+)$", "$1  $2"),
    (r"(rows: \d+, seconds:) [\d.]+", "$1 [number]"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[time]"),
    (r"(kept until at least )[^,]+", "$1[time]"),
    (r"(at |timestamp |--at )\d{13}", "$1[timestamp]"),
    // One partition, or one reader, for each core.
    (r"(partitions|readers)=\d+", "$1=[number]"),
    (r"RoundRobinBatch\(\d+\)", "RoundRobinBatch([number])"),
    (r"(Hash\(\[.*?\]), \d+\)", "$1, [number])"),
    (r"\[\[[^\]]*/ledger/[0-9a-f]{32}\.parquet", "[[[file of the ledger]"),
    // The width of a column of plans depends on the numbers above.
    (r"(?m)^(-+\+)-+$", "$1--"),
    (r"(?m) +$", ""),
];

/// A fresh folder with two granules of release 007 in `granules`, and a database of their strong beams.
fn with_database() -> TestFolder {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "2", "--every", "2", "--segments", "40"]);
    place.ok(&["ingest", "--threads", "2", "--filters", "strong", "granules"]);
    place
}

/// The program in `place`, without an Earthdata login and with a terminal of fixed width.
fn command(place: &TestFolder, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    for name in ["EARTHDATA_TOKEN", "EARTHDATA_USERNAME", "EARTHDATA_PASSWORD", "NETRC", "ISDB_LOG", "ISDB_CMR_URL"] {
        command.env_remove(name);
    }
    command.env("HOME", place.path("")).env("COLUMNS", "100");
    command
}

/// The command line, the exit code and the output of one run.
fn transcript(place: &TestFolder, arguments: &[&str]) -> String {
    let run = Run::from(command(place, arguments).output().unwrap());
    let mut text = format!("$ isdb {}\n", arguments.join(" "));
    for (name, output) in [("standard output", &run.stdout), ("standard error", &run.stderr)] {
        if !output.is_empty() {
            text += &format!("--- {name}\n{}\n", output.trim_end());
        }
    }
    text + &format!("--- exit code {}\n", run.code.unwrap())
}

fn transcripts(place: &TestFolder, commands: &[&[&str]]) -> String {
    commands.iter().map(|arguments| transcript(place, arguments)).collect::<Vec<_>>().join("\n")
}

/// Compares `text` with `tests/it/snapshots/<name>.snap`.
fn assert_snapshot(place: &TestFolder, name: &str, text: &str) {
    let folder = place.path("");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    let text = text.replace(folder, "[folder]").replace(env!("CARGO_PKG_VERSION"), "[version]");
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    VARYING.iter().for_each(|(pattern, replacement)| settings.add_filter(pattern, *replacement));
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The paths of all values in a JSON document, with `[]` for the elements of arrays.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, member)| keys(member, &format!("{path}.{name}"), found));
        }
        Value::Array(elements) if !elements.is_empty() => {
            elements.iter().for_each(|element| keys(element, &format!("{path}[]"), found));
        }
        _ => found.push(path.trim_start_matches('.').to_owned()),
    }
}

#[test]
fn the_help_of_every_command_changes_on_purpose_only() {
    let place = TestFolder::new();
    for name in std::iter::once("").chain(COMMANDS) {
        let arguments: Vec<&str> = name.split_whitespace().chain(["--help"]).collect();
        let snapshot = format!("help {name}").trim_end().replace(' ', "_");
        assert_snapshot(&place, &snapshot, &transcript(&place, &arguments));
    }
}

#[test]
fn every_command_has_a_snapshot_of_its_help() {
    let place = TestFolder::new();
    let listed = |arguments: &[&str]| -> Vec<String> {
        let help = place.ok(arguments).stdout;
        let commands = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0.to_owned();
        let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help").collect()
    };
    let config = listed(&["config", "--help"]).into_iter().map(|name| format!("config {name}"));
    let missing: Vec<_> =
        listed(&["--help"]).into_iter().chain(config).filter(|name| !COMMANDS.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "add {missing:?} to COMMANDS in tests/it/reference.rs");
}

#[test]
fn errors_of_ingest_and_config_change_on_purpose_only() {
    let place = with_database();
    place.make_granules("six", &["--count", "1", "--segments", "40", "--release", "006"]);
    std::fs::write(place.path("key.yml"), "product: ATL08\nwidnow: {granules: 1}\n").unwrap();
    std::fs::write(place.path("variable.yml"), "product: ATL08\nvariables: [h_canopi]\n").unwrap();
    std::fs::write(place.path("filter.yml"), "product: ATL08\nfilters:\n  - mine: canopy_h >\n").unwrap();
    std::fs::create_dir(place.path("files")).unwrap();
    let granule = std::fs::read(place.path(&place.files("six")[0])).unwrap();
    std::fs::write(place.path("files/truncated.h5"), &granule[..granule.len() / 2]).unwrap();
    std::fs::write(place.path("files/login.h5"), "<!DOCTYPE html><html>Earthdata Login</html>").unwrap();
    handmade::foreign(&place, "files/temperature.h5");
    let text = transcripts(
        &place,
        &[
            &["ingest", "six"],
            &["ingest", "nothing"],
            &["ingest", "--filters", "nigth", "granules"],
            &["ingest", "--filters", "night", "granules"],
            &["--db", "files.db", "ingest", "--threads", "2", "files/login.h5"],
            &["--db", "files.db", "ingest", "--threads", "2", "files/temperature.h5"],
            &["--db", "files.db", "ingest", "--threads", "2", "files/truncated.h5"],
            &["config", "check", "key.yml"],
            &["config", "check", "variable.yml"],
            &["config", "check", "filter.yml"],
            &["add-variable", "h_canopi"],
            &["login", "--check"],
        ],
    );
    assert_snapshot(&place, "errors_ingest", &text);
}

#[test]
fn errors_of_queries_change_on_purpose_only() {
    let place = with_database();
    std::fs::write(place.path("plots.csv"), "name,height\na,1\nb,2,3\n").unwrap();
    std::fs::write(place.path("point.geojson"), r#"{"type":"Point","coordinates":[0,0]}"#).unwrap();
    let text = transcripts(
        &place,
        &[
            &["--db", "nothing", "info"],
            &["query", "SELECT canopy_hh FROM atl08"],
            &["query", "SELECT latitude FROM atl8"],
            &["query", "SELECT latitude FORM atl08"],
            &["query", "DROP TABLE segments"],
            &["query", "--bbox", "10,20,30", "SELECT count(*) FROM atl08"],
            &["query", "--region", "point.geojson", "SELECT count(*) FROM atl08"],
            &["query", "--start", "2022-02-30", "SELECT count(*) FROM atl08"],
            &["query", "--memory", "3XB", "SELECT 1"],
            &["query", "SELECT * FROM 'plots.csv'"],
            &["query", "-o", "rows.xlsx", "SELECT 1"],
            &["query", "--format", "csv", "SELECT latitude FROM atl08 WHERE latitude > 89"],
        ],
    );
    assert_snapshot(&place, "errors_query", &text);
}

#[test]
fn the_reports_of_an_ingest_change_on_purpose_only() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "2", "--every", "2", "--segments", "40"]);
    let text = transcripts(
        &place,
        &[
            &["ingest", "--threads", "2", "--filters", "strong,night", "--dry-run", "granules"],
            &["ingest", "--threads", "2", "--filters", "strong", "--report", "report.json", "granules"],
            &["ingest", "--threads", "2", "granules"],
        ],
    );
    assert_snapshot(&place, "ingest", &text);
    let report: Value = serde_json::from_slice(&std::fs::read(place.path("report.json")).unwrap()).unwrap();
    let mut found = Vec::new();
    keys(&report, "", &mut found);
    found.sort();
    found.dedup();
    assert_snapshot(&place, "ingest_report_keys", &found.join("\n"));
}

#[test]
fn descriptions_of_a_database_change_on_purpose_only() {
    let place = with_database();
    let text =
        transcripts(&place, &[&["info"], &["info", "--cite"], &["variables", "h_canopy"], &["filters", "boreal"]]);
    assert_snapshot(&place, "descriptions", &text);
}

#[test]
fn plans_of_queries_change_on_purpose_only() {
    let place = with_database();
    let text = transcripts(
        &place,
        &[
            &[
                "query",
                "EXPLAIN SELECT latitude, canopy_h FROM atl08 WHERE latitude BETWEEN -5 AND -4 AND canopy_h > 5",
            ],
            &["query", "EXPLAIN SELECT granule, h_canopy FROM atl08 WHERE night_flag = 1 AND time >= '2019-01-03'"],
            &["query", "EXPLAIN SELECT count(*), min(latitude) FROM atl08"],
        ],
    );
    assert_snapshot(&place, "plans", &text);
}
