//! Reports: the table at the end of an ingest, the JSON report, the dry run, logs, and the citation of a database.

use std::fs;
use std::path::Path;
use std::process::Command;

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::download;
use crate::fake_nasa::archive::{Archive, BASIC, PASSWORD, SIGNATURE, TOKEN, Trick, USER};
use crate::fake_nasa::content::hdf5;
use crate::support::{Run, TestFolder};

const ONE_A_WINDOW: &str =
    "product: ATL08\nvariables: [h_canopy, canopy_h_metrics, night_flag]\nwindow: {granules: 1}\n";

/// A folder with three granules, each in a separate window.
fn prepared() -> TestFolder {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "3", "--every", "2", "--segments", "80"]);
    fs::write(place.path("c.yml"), ONE_A_WINDOW).unwrap();
    place
}

/// Truncates the file to half of its length and returns its name.
fn halve(place: &TestFolder, index: usize) -> String {
    let mut files = place.files("granules");
    files.sort();
    let whole = fs::read(place.path(&files[index])).unwrap();
    fs::write(place.path(&files[index]), &whole[..whole.len() / 2]).unwrap();
    files[index].clone()
}

fn json(place: &TestFolder, name: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(name)).unwrap()).unwrap()
}

/// A number of the table on standard error, by the words before it.
fn table(run: &Run, what: &str) -> Option<String> {
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| word.parse::<f64>().is_ok())?;
        let last = what.split(' ').count();
        (at >= last && words[at - last..at].join(" ") == what).then(|| words[at].to_owned())
    };
    run.stderr.lines().find_map(of_line)
}

fn sum(granules: &[Value], of: &str) -> u64 {
    granules.iter().map(|granule| granule[of].as_u64().unwrap()).sum()
}

/// Names, sizes and times of all files and folders below `folder`.
fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        found.push(format!("{} {} {:?}", entry.path().display(), metadata.len(), metadata.modified().unwrap()));
        if metadata.is_dir() {
            found.extend(files_below(&entry.path()));
        }
    }
    found.sort();
    found
}

#[test]
fn table_and_report_agree_with_the_ledger_even_when_a_granule_failed() {
    let place = prepared();
    let damaged = halve(&place, 1);
    let ingest = ["--config", "c.yml", "ingest", "--filters", "strong,night", "--report", "r.json", "granules"];
    let run = place.run(&ingest);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("granules: 1 ingested, 1 empty, 1 failed"), "{}", run.stderr);
    let failed = run.stderr.lines().find(|line| line.starts_with("failed: identify: ")).unwrap();
    assert!(failed.contains(&damaged), "{failed}");
    assert!(run.stderr.lines().any(|line| line.contains(" 1  1 identify")), "the stage is counted: {}", run.stderr);

    let ledger = place.rows("SELECT sum(rows_read), sum(rows_kept), sum(rows_removed), count(*) FROM granules");
    let ledger: Vec<u64> = ledger[0].split(',').map(|number| number.parse().unwrap()).collect();
    let [read, kept, removed, attempts] = ledger[..] else { panic!("{ledger:?}") };
    let report = json(&place, "r.json");
    let granules = report["granules"].as_array().unwrap();
    assert_eq!(granules.len() as u64, attempts);
    for (of, expected) in [("rows_read", read), ("rows_kept", kept), ("rows_removed", removed)] {
        assert_eq!(sum(granules, of), expected, "{of}");
        assert_eq!(report["rows"][&of[5..]], expected, "{of}");
    }
    for (what, expected) in [("segments read", read), ("kept", kept), ("windows", 3), ("ingested", 1), ("empty", 1)] {
        assert_eq!(table(&run, what), Some(expected.to_string()), "{what}: {}", run.stderr);
    }
    let by_filter = report["filters"].as_array().unwrap();
    assert_eq!(sum(by_filter, "removed"), removed);
    assert_eq!(by_filter.iter().map(|filter| &filter["filter"]).collect::<Vec<_>>(), ["strong", "night"]);

    let failed = granules.iter().find(|granule| granule["state"] == "failed").unwrap();
    assert!(failed["path"].as_str().unwrap().ends_with(&damaged) && failed["stage"] == "identify", "{failed}");
    assert!(failed["error"].as_str().unwrap().contains("truncated"), "{failed}");
    assert_eq!((&report["counts"]["empty"], &report["counts"]["failed"]), (&Value::from(1), &Value::from(1)));
    let windows = report["windows"].as_array().unwrap();
    assert_eq!(windows.last().unwrap()["timestamp"].to_string(), place.timestamp(), "--at takes it");
    assert_eq!(sum(windows, "rows"), kept);
    assert_eq!(sum(windows, "fragments"), report["fragments"].as_u64().unwrap());
    assert!(granules.iter().all(|granule| windows.iter().any(|window| window["commit"] == granule["commit"])));
    let selection = &report["selection"];
    assert_eq!(selection["filters"][1]["name"], "night");
    assert!(selection["variables"].as_array().unwrap().contains(&Value::from("h_canopy")), "{selection}");
    assert_eq!((&selection["area"], &report["error"]), (&Value::Null, &Value::Null));
    assert_eq!(report["isdb_version"], env!("CARGO_PKG_VERSION"));

    let again = place.run(&ingest);
    assert_eq!(again.code, Some(3), "what failed before is not done: {}", again.stderr);
    assert!(again.stderr.contains("granules: 2 skipped, 1 failed before"), "{}", again.stderr);
    assert!(again.stderr.contains("2 already in the database") && again.stderr.contains("--retry"), "{}", again.stderr);
    let report = json(&place, "r.json");
    assert_eq!(report["skipped"]["stored"], 2);
    assert_eq!(report["counts"]["failed_before"], 1);
    assert!(report["granules"].as_array().unwrap().iter().any(|granule| granule["state"] == "failed_before"));
}

#[test]
fn a_replaced_granule_names_in_the_report_what_it_replaced() {
    let place = TestFolder::new();
    for (folder, revision) in [("old", "1"), ("new", "2")] {
        place.make_granules(folder, &["--count", "1", "--segments", "40", "--revision", revision]);
    }
    place.ok(&["ingest", "old"]);
    let replaced = place.rows("SELECT ingest_id FROM granules");
    let run = place.ok(&["ingest", "--report", "r.json", "new"]);
    assert_eq!(table(&run, "replaced").as_deref(), Some("1"), "{}", run.stderr);
    let granule = &json(&place, "r.json")["granules"][0];
    assert_eq!(
        (&granule["state"], granule["replaces"][0].to_string()),
        (&Value::from("replaced"), replaced[0].clone())
    );
}

#[test]
fn an_ingest_that_ends_with_an_error_still_reports_the_windows_before_it() {
    let place = prepared();
    fs::remove_dir_all(place.path("granules")).unwrap();
    place.make_granules("granules", &["--count", "2", "--every", "2", "--segments", "6000"]);
    let mut files = place.files("granules");
    files.sort();
    // The first window fits under the limit on the size of files, the second does not.
    fs::remove_file(place.path(&files[0])).unwrap();
    place.make_granules("granules", &["--count", "1", "--every", "2", "--segments", "20"]);
    let limited = "trap '' XFSZ; ulimit -f 200; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, "sh", env!("CARGO_BIN_EXE_isdb"), "--db", "db", "--config", "c.yml"])
        .args(["ingest", "--report", "r.json", "granules"])
        .current_dir(place.path(""))
        .output();
    let run = Run::from(output.unwrap());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let report = json(&place, "r.json");
    assert_eq!(report["windows"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!((&report["counts"]["ingested"], report["granules"].as_array().unwrap().len()), (&Value::from(1), 1));
    assert!(report["error"].as_str().unwrap().contains("a window of 1 granules could not be written"), "{report:#}");
    assert!(run.stderr.contains("granules: 1 ingested\n"), "{}", run.stderr);
}

#[test]
fn an_unwritable_report_is_refused_before_the_ingest_and_a_failed_ingest_writes_one() {
    let place = prepared();
    let refused = place.run(&["ingest", "--report", "nowhere/r.json", "granules"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("cannot write nowhere/r.json"), "{}", refused.stderr);
    assert!(!place.path("db").exists());

    let failed = place.run(&["ingest", "--report", "r.json", "nothing.h5"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let report = json(&place, "r.json");
    assert!(report["error"].as_str().unwrap().contains("no such file or folder"), "{report:#}");
    assert_eq!(report["selection"], Value::Null);
    assert!(!place.files("").iter().any(|name| name.contains(".r.json")), "no unfinished file stays");
}

#[test]
fn a_dry_run_shows_windows_plan_and_estimates_and_changes_nothing() {
    let place = prepared();
    let dry = ["--config", "c.yml", "ingest", "--filters", "night", "--dry-run", "granules"];
    let run = place.ok(&dry);
    assert!(!place.path("db").exists(), "no database is created");
    for part in [
        "granules to ingest: 3 in 3 windows",
        "CommitExec: granules=1, replaced=0",
        "filters=[night: night_flag",
        "estimate: ",
        "(would be created)",
        "nothing was changed",
    ] {
        assert!(run.stderr.contains(part), "no {part:?} in\n{}", run.stderr);
    }
    assert_eq!(run.stdout, "");

    place.ok(&["--config", "c.yml", "ingest", "--filters", "night", "granules"]);
    let before = files_below(&place.path("db"));
    place.make_granules("newer", &["--count", "1", "--every", "2", "--segments", "80", "--revision", "2"]);
    fs::write(place.path("newer/login.h5"), "<html>").unwrap();
    let run = place.ok(&["ingest", "--dry-run", "granules", "newer"]);
    for part in
        ["would be replaced: ATL08_", "would fail: newer/login.h5", "would be skipped: 2 already in the database"]
    {
        assert!(run.stderr.contains(part), "no {part:?} in\n{}", run.stderr);
    }
    assert_eq!(files_below(&place.path("db")), before);
    // An area of many points is stored in a file of the database, but not by a dry run.
    let ring: Vec<String> =
        (0..50).map(|i| f64::from(i) * 0.12).map(|a| format!("[{},{}]", a.cos(), a.sin())).collect();
    let ring = format!("{},{}", ring.join(","), ring[0]);
    fs::write(place.path("area.json"), format!(r#"{{"type":"Polygon","coordinates":[[{ring}]]}}"#)).unwrap();
    place.ok(&["--db", "box", "--config", "c.yml", "ingest", "--region", "0,0,1,1", "granules"]);
    let before = files_below(&place.path("box"));
    let run = place.ok(&["--db", "box", "ingest", "--add-region", "area.json", "--dry-run", "granules"]);
    assert!(run.stderr.contains("region: 2 polygons of 54 points"), "{}", run.stderr);
    assert_eq!(files_below(&place.path("box")), before);
    // Without granules to ingest, no plan is shown.
    let done = place.ok(&dry);
    assert!(
        done.stderr.contains("granules to ingest: 0 in 0 windows") && !done.stderr.contains("Exec"),
        "{}",
        done.stderr
    );
}

#[test]
fn logs_show_windows_and_failures_as_text_or_json_on_request_only() {
    let place = prepared();
    let quiet = place.ok(&["--config", "c.yml", "ingest", "granules"]);
    assert!(!quiet.stderr.contains("INFO") && !quiet.stderr.contains("DEBUG"), "{}", quiet.stderr);

    halve(&place, 1);
    fs::remove_dir_all(place.path("db")).unwrap();
    let logged =
        ["--log", "debug", "--log-format", "json", "--log-file", "log", "--config", "c.yml", "ingest", "granules"];
    let run = place.run(&logged);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(!run.stderr.contains("\"level\""), "what goes to the file goes there only: {}", run.stderr);
    let text = fs::read_to_string(place.path("log")).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |message: &str| events.iter().filter(|event| event["message"] == message).collect::<Vec<_>>();
    let committed = of("window committed");
    assert_eq!(committed.len(), 3, "{text}");
    let commits = committed.iter().map(|event| event["span"]["commit"].as_u64().unwrap());
    assert!(commits.is_sorted() && committed.iter().all(|event| event["level"] == "INFO"), "{text}");
    let failed = of("granule failed");
    assert_eq!((failed.len(), &failed[0]["level"], &failed[0]["stage"]), (1, &"INFO".into(), &"identify".into()));
    assert_eq!(of("fragment written").len(), 2);
    assert!(of("decoded").iter().all(|event| event["span"]["granule"].as_str().unwrap().starts_with("ATL08_")));

    let text = place.run(&["--log", "warn,isdb_ingest=info", "ingest", "--retry", "granules"]).stderr;
    assert!(text.contains(" INFO window{commit=") && !text.contains(" DEBUG "), "{text}");
    // At the default level, only the report has the failures.
    let usual = place.run(&["ingest", "--retry", "granules"]).stderr;
    assert!(!usual.contains(" WARN ") && usual.matches("failed: identify: ").count() == 1, "{usual}");
    let silent = place.run(&["--log", "off", "ingest", "--retry", "granules"]).stderr;
    assert!(!silent.contains(" WARN ") && silent.contains("1 failed"), "{silent}");
    let by_environment = place.command(&["info"]).env("ISDB_LOG", "loud=maybe").output().unwrap();
    assert_eq!(by_environment.status.code(), Some(2), "{by_environment:?}");
}

#[test]
fn no_log_level_shows_a_credential() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    archive.put("a.h5", hdf5(1, 300_000));
    archive.play("a.h5", [Trick::Cut(100_000)]);
    let url = archive.url("a.h5");
    let fetch = |folder: &str, by: &[(&str, &str)]| {
        let filter = "trace,hyper=trace,h2=trace,rustls=trace,reqwest=trace,cookie_store=trace";
        let mut command = download::command(&place, &archive, &["--log", filter, "download", "--to", folder, &url]);
        let run = Run::from(command.envs(by.iter().copied()).output().unwrap());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("DEBUG") && run.stderr.contains("isdb_cmr"), "{}", run.stderr);
        for secret in [TOKEN, BASIC, PASSWORD, SIGNATURE, "session-cookie"] {
            assert!(!run.stderr.contains(secret), "{secret} in\n{}", run.stderr);
        }
    };
    fetch("by_token", &[("EARTHDATA_TOKEN", TOKEN)]);
    fetch("by_password", &[("EARTHDATA_USERNAME", USER), ("EARTHDATA_PASSWORD", PASSWORD)]);
}

#[test]
fn files_of_a_dead_writer_are_logged_when_removed() {
    let place = prepared();
    let ingest = ["--log", "info", "--config", "c.yml", "ingest", "granules"];
    let died = place.command(&ingest).env("ISDB_TEST_DIE_AT", "before-commit:4").output().unwrap();
    assert!(!died.status.success());
    let run = place.ok(&ingest);
    assert!(run.stderr.contains("removing files of an interrupted writer"), "{}", run.stderr);
}

#[test]
fn a_database_is_cited_by_release_and_its_exports_carry_the_citation() {
    let place = prepared();
    place.ok(&["--config", "c.yml", "ingest", "--filters", "strong", "granules"]);
    let text = place.ok(&["info", "--cite"]).stdout;
    for part in [
        "Neuenschwander, A. L., et al. ATLAS/ICESat-2 L3A Land and Vegetation Height, Version 7. NASA National Snow and Ice",
        "https://doi.org/10.5067/ATLAS/ATL08.007\n",
        "granules: 3; revisions: 01\n",
        "filters: strong (beam_strength = 'strong')\n",
        "derived columns: none\n",
        concat!("written by isdb ", env!("CARGO_PKG_VERSION"), ", read by isdb ", env!("CARGO_PKG_VERSION"), "\n"),
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let cited: Value = serde_json::from_str(&place.ok(&["info", "--cite", "--format", "json"]).stdout).unwrap();
    assert_eq!((&cited["granules"], &cited["releases"][0]["release"]), (&Value::from(3), &Value::from("007")));
    assert_eq!(cited["at"].to_string(), place.timestamp());

    let rows = "SELECT latitude, h_canopy FROM atl08 ORDER BY latitude";
    place.ok(&["query", "-o", "rows.parquet", rows]);
    let file = fs::File::open(place.path("rows.parquet")).unwrap();
    let schema = std::sync::Arc::clone(ParquetRecordBatchReaderBuilder::try_new(file).unwrap().schema());
    // The last line says how long the state is kept from now on.
    let without_last_line = |text: &str| text.trim_end().rsplit_once('\n').unwrap().0.to_owned();
    assert_eq!(without_last_line(&schema.metadata()["isdb_citation"]), without_last_line(&text));

    // The cited state can be read after later ingests.
    let before = place.rows(rows);
    place.make_granules("more", &["--count", "1", "--seed", "5", "--segments", "60"]);
    place.ok(&["ingest", "more"]);
    assert_ne!(place.rows(rows), before);
    assert_eq!(place.rows_with(&["--at", &cited["at"].to_string()], rows), before);
    let other = place.run(&["info", "--format", "json"]);
    assert_eq!(other.code, Some(2), "a format is for the citation only: {}", other.stderr);
}
