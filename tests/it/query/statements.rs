//! Statements from a pipe, and messages for statements that fail or find nothing.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Run, TestFolder};

fn with_granule() -> TestFolder {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    place
}

fn piped(place: &TestFolder, arguments: &[&str], text: &str) -> Run {
    let mut command = place.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that has failed stops reading.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    Run::from(child.wait_with_output().unwrap())
}

#[test]
fn statements_in_a_pipe_are_run_one_after_another() {
    let place = with_granule();
    let text = "SELECT 1 AS a; -- the first; of two\nSELECT ';' AS b,\n  count(*) > 0 AS some FROM atl08;\n";
    let run = piped(&place, &["query", "--format", "csv"], text);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "a\n1\nb,some\n;,true\n"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("rows: 1, ").count(), 2);
}

#[test]
fn results_of_several_statements_are_separated_by_an_empty_line() {
    let run = piped(&with_granule(), &["query"], "SELECT 1 AS a; SELECT 2 AS b");
    assert_eq!(run.stdout, "a\n-\n1\n\nb\n-\n2\n");
}

#[test]
fn a_syntax_error_is_reported_in_one_line_with_its_position() {
    let run = with_granule().run(&["query", "SELECT latitude FORM atl08 WHERE"]);
    assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1), "{}", run.stderr);
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains("Line: 1"), "{}", run.stderr);
}

#[test]
fn the_first_failed_statement_ends_the_input_and_earlier_results_are_written() {
    let place = with_granule();
    let run = piped(&place, &["query", "--format", "csv"], "SELECT 1 AS a; SELECT nothing FROM atl08; SELECT 2 AS b");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "a\n1\n"));
    assert!(run.stderr.contains("error: unknown column nothing"), "{}", run.stderr);
}

#[test]
fn without_a_statement_and_without_a_terminal_the_command_says_so() {
    let place = with_granule();
    for text in ["", " -- nothing here;\n"] {
        let run = piped(&place, &["query"], text);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("no statement in standard input\nhint: "), "{}", run.stderr);
    }
}

#[test]
fn a_file_of_one_result_takes_one_statement() {
    let place = with_granule();
    for arguments in [&["query", "-o", "rows.csv"][..], &["query", "--format", "parquet"]] {
        let run = piped(&place, arguments, "SELECT 1; SELECT 2");
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
        assert!(run.stderr.contains("2 statements, but "), "{}", run.stderr);
    }
    assert!(!place.path("rows.csv").exists());
}

#[test]
fn an_unknown_column_suggests_similar_ones() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    std::fs::write(
        place.path("small.yml"),
        "product: ATL08\nvariables: [h_canopy, h_te_best_fit, night_flag]\nwindow: {granules: 1}\n",
    )
    .unwrap();
    place.ok(&["--config", "small.yml", "ingest", "granules"]);
    for (sql, column, hint) in [
        ("SELECT h_canopi FROM atl08", "h_canopi", "did you mean h_canopy"),
        ("SELECT beam FROM atl08 WHERE nightflag = 1", "nightflag", "did you mean night_flag"),
        ("SELECT a.h_tee FROM atl08 a", "a.h_tee", "did you mean h_te_best_fit"),
        ("SELECT avg(rh98) FROM atl08", "rh98", "canopy_h (h_canopy)"),
        ("SELECT sensitivity FROM atl08", "sensitivity", "its counterparts are snr"),
        ("SELECT delta_time FROM atl08", "delta_time", "it is time, in UTC"),
        ("SELECT snr FROM atl08", "snr", "this database does not store it: `isdb add-variable snr`"),
        (
            "SELECT canopy_h_mean FROM atl08",
            "canopy_h_mean",
            "canopy_h_mean is h_mean_canopy, which this database does not store: `isdb add-variable h_mean_canopy`",
        ),
        ("SELECT canopy_h FROM granules", "canopy_h", "canopy_h is a column of atl08"),
    ] {
        let run = place.run(&["query", sql]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{sql}");
        assert!(run.stderr.starts_with(&format!("error: unknown column {column}\n")), "{sql}: {}", run.stderr);
        assert!(
            run.stderr.lines().last().is_some_and(|line| line.starts_with("hint: ") && line.contains(hint)),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn an_unknown_table_lists_the_tables() {
    let place = with_granule();
    let run = place.run(&["query", "SELECT * FROM atl8 WHERE canopy_h > 5"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.stderr,
        "error: unknown table atl8\nhint: the tables are atl08, atl08_20m, atl08_unique, granules, granules_current, segments; did you mean atl08?\n"
    );
}

#[test]
fn an_error_beside_a_quoted_file_names_the_real_cause() {
    let place = with_granule();
    std::fs::write(place.path("plots.csv"), "x\n1\n").unwrap();
    for (sql, message) in [
        ("SELECT flor(x) FROM 'plots.csv'", "error: Invalid function 'flor'; did you mean 'floor'?\n"),
        ("SELECT x FROM 'plot.csv'", "error: no such file: plot.csv\n"),
        ("SELECT x FROM 'plots/all'", "error: no such file: plots/all\n"),
        ("SELECT x FROM 'plots.csv', atl8", "error: unknown table atl8\n"),
    ] {
        let run = place.run(&["query", sql]);
        assert!(run.code == Some(1) && run.stderr.starts_with(message), "{sql}: {}", run.stderr);
    }
}

#[test]
fn an_empty_result_names_the_predicate_outside_the_database() {
    let place = with_granule();
    for (sql, message) in [
        (
            "SELECT * FROM atl08 WHERE canopy_h > 1 AND latitude > 89.5 ORDER BY time LIMIT 5",
            "no rows: latitude > 89.5 is outside the database, whose latitudes range from ",
        ),
        (
            "SELECT beam, count(*) FROM atl08 WHERE time < '2018-01-01' GROUP BY beam",
            "no rows: time < 2018-01-01T00:00:00Z is outside the database, whose times range from ",
        ),
        (
            "SELECT rgt FROM atl08 WHERE latitude BETWEEN 89.5 AND 89.9 AND rgt > 0",
            "no rows: latitude >= 89.5 is outside",
        ),
        (
            "SELECT * FROM segments WHERE longitude IN (179.99, -179.99)",
            "no rows: longitude = 179.99 or longitude = -179.99 is outside",
        ),
        ("SELECT beam FROM atl08 WHERE latitude > 89.5 LIMIT 5", "no rows: latitude > 89.5 is outside"),
        ("SELECT beam FROM atl08 WHERE latitude > 89.5 LIMIT 5 OFFSET 2", "no rows: latitude > 89.5 is outside"),
        ("SELECT beam FROM atl08 WHERE canopy_h > 1000 LIMIT 5", "no rows: no segment meets all"),
        ("SELECT unnest(canopy_h_metrics) FROM atl08 WHERE latitude > 89.5", "no rows: latitude > 89.5 is outside"),
        ("SELECT * FROM atl08 WHERE canopy_h > 1000", "no rows: no segment meets all conditions together"),
    ] {
        let run = place.ok(&["query", sql]);
        assert!(run.stderr.starts_with("rows: 0, ") && run.stderr.contains(message), "{sql}: {}", run.stderr);
    }
}

#[test]
fn a_zero_count_names_the_predicate_outside_the_database() {
    let place = with_granule();
    for sql in [
        "SELECT count(*) FROM atl08 WHERE latitude > 89.5",
        "SELECT round(avg(canopy_h), 1) FROM atl08 WHERE latitude > 89.5",
    ] {
        let run = place.ok(&["query", sql]);
        assert!(run.stderr.contains("\nnote: latitude > 89.5 is outside the database"), "{sql}: {}", run.stderr);
    }
    for sql in ["SELECT count(*) FROM atl08", "SELECT count(*) FILTER (WHERE latitude > 89.5) FROM atl08", "SELECT 1"] {
        let run = place.ok(&["query", sql]);
        assert!(!run.stderr.contains("note:"), "{sql}: {}", run.stderr);
    }
}

#[test]
fn a_result_with_rows_or_another_cause_gives_no_note_on_predicates() {
    let place = with_granule();
    for sql in [
        "SELECT beam, count(*) FROM atl08 WHERE rgt > 0 GROUP BY beam HAVING count(*) > 1000000",
        "SELECT a.beam FROM atl08 a JOIN granules g ON a.granule = g.error WHERE a.latitude > -90",
        "SELECT beam FROM atl08 WHERE rgt > 0 AND beam IN (SELECT error FROM granules)",
        "SELECT beam FROM atl08 LIMIT 0",
        "SELECT beam FROM atl08 LIMIT 5 OFFSET 1000000",
        "SELECT beam FROM atl08 WHERE rgt > 0 LIMIT 5 OFFSET 1000000",
        "CREATE VIEW high AS SELECT * FROM atl08 WHERE latitude > 89.5",
    ] {
        let run = place.ok(&["query", sql]);
        assert!(!run.stderr.contains("no rows:"), "{sql}: {}", run.stderr);
    }
}

#[test]
fn an_empty_database_is_named_as_the_cause_of_an_empty_result() {
    let place = TestFolder::new();
    std::fs::create_dir(place.path("granules")).unwrap();
    std::fs::write(place.path("granules/login.h5"), "no granule").unwrap();
    assert_eq!(place.run(&["ingest", "granules"]).code, Some(3));
    let run = place.ok(&["query", "SELECT * FROM atl08 WHERE canopy_h > 5"]);
    assert!(run.stderr.contains("no rows: the database has no segments"), "{}", run.stderr);
}

#[test]
fn a_name_of_many_parts_is_refused_without_minutes_of_parsing() {
    let place = with_granule();
    let run = place.run(&["query", &format!("SELECT 1 FROM atl08 WHERE ({})", "a.".repeat(40))]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("expected a name of at most 8 parts"), "{}", run.stderr);
    let filter = format!("product: ATL08\nfilters:\n  - mine: ({} > 1)\n", "a.".repeat(40));
    std::fs::write(place.path("long.yml"), filter).unwrap();
    let checked = place.run(&["config", "check", "long.yml"]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.stderr.contains("expected a name of at most 8 parts"), "{}", checked.stderr);
}
