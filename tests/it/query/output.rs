//! Output of queries: standard output, files, formats.

use std::io::{BufRead, BufReader};

use crate::support::TestFolder;

fn with_granule() -> TestFolder {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    place
}

#[test]
fn csv_and_json_hold_the_same_rows_profiles_and_nulls_included() {
    let place = with_granule();
    let sql = "SELECT segment_id_beg, h_canopy, canopy_h_metrics FROM atl08 ORDER BY beam, segment_id_beg LIMIT 50";
    place.ok(&["query", "-o", "rows.csv", sql]);
    place.ok(&["query", "-o", "rows.json", sql]);
    let csv = std::fs::read_to_string(place.path("rows.csv")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(place.path("rows.json")).unwrap()).unwrap();
    let rows = json.as_array().unwrap();
    assert_eq!((csv.lines().count(), rows.len()), (51, 50));
    let nulls = rows.iter().filter(|row| row["h_canopy"].is_null()).count();
    let empty = csv.lines().skip(1).filter(|line| line.split(',').nth(1) == Some("")).count();
    assert!(nulls > 0, "the sample has segments without canopy");
    assert_eq!(nulls, empty);
    assert!(rows.iter().all(|row| row["canopy_h_metrics"].as_array().is_some_and(|profile| profile.len() == 18)));
    let header = csv.lines().next().unwrap();
    assert!(header.contains(",canopy_h_metrics_p10,") && header.ends_with(",canopy_h_metrics_p95"), "{header}");
    for (line, row) in csv.lines().skip(1).zip(rows) {
        let tenth = &row["canopy_h_metrics"][0];
        let expected = if tenth.is_null() { String::new() } else { tenth.to_string() };
        assert_eq!(line.split(',').nth(2), Some(expected.as_str()), "the 10th percentile");
    }
}

#[test]
fn a_result_without_rows_still_has_its_columns() {
    let place = with_granule();
    let none = "SELECT beam, h_canopy FROM atl08 WHERE latitude > 89.9";
    assert_eq!(place.ok(&["query", "--format", "csv", none]).stdout, "beam,h_canopy\n");
    assert_eq!(place.ok(&["query", "--format", "json", none]).stdout.trim(), "[]");
    assert!(place.ok(&["query", none]).stdout.starts_with("beam | h_canopy"));
}

#[test]
fn a_failed_query_keeps_the_old_file_and_leaves_no_other() {
    let place = with_granule();
    std::fs::write(place.path("rows.csv"), "old").unwrap();
    let failed = place.run(&["query", "-o", "rows.csv", "SELECT div(1, segment_id_beg - segment_id_beg) FROM atl08"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert_eq!(std::fs::read_to_string(place.path("rows.csv")).unwrap(), "old");
    let names: Vec<_> = std::fs::read_dir(place.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "granules, db and rows.csv: {names:?}");
}

#[test]
fn only_data_goes_to_standard_output() {
    let place = with_granule();
    let run = place.ok(&["query", "--format", "csv", "SELECT count(*) AS n FROM atl08"]);
    assert_eq!(run.stdout.lines().count(), 2);
    assert!(run.stderr.contains("rows: 1, "), "{}", run.stderr);
    let quiet = place.ok(&["ingest", "granules"]);
    assert_eq!(quiet.stdout, "");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let place = with_granule();
    let mut child = place
        .command(&["query", "--format", "csv", "SELECT a.*, b.* FROM segments a CROSS JOIN segments b"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("latitude,"), "{first}");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn sql_can_come_from_a_file() {
    let place = with_granule();
    std::fs::write(place.path("q.sql"), "-- how many\nSELECT count(*) > 0 AS some FROM atl08;\n").unwrap();
    assert_eq!(place.ok(&["query", "-f", "q.sql", "--format", "csv"]).stdout, "some\ntrue\n");
}
