//! Statements only read; views last for the session.

use crate::support::TestFolder;

fn with_granule() -> TestFolder {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    place
}

#[test]
fn a_writing_statement_is_refused_with_the_command_to_use_instead() {
    let place = with_granule();
    for (sql, error, hint) in [
        (
            "COPY (SELECT 1) TO 'out.csv' STORED AS CSV",
            "COPY is not allowed: statements only read",
            "isdb query -o rows.parquet",
        ),
        ("INSERT INTO granules SELECT * FROM granules", "INSERT is not allowed", "`isdb ingest` adds granules"),
        ("DROP TABLE segments", "DROP TABLE is not allowed", "`isdb remove` removes them"),
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE is not allowed", "CREATE VIEW name AS SELECT"),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'p.csv'", "CREATE TABLE is not allowed", "FROM 'plots.csv'"),
        ("SET datafusion.execution.batch_size = 1", "SET is not allowed", "flags"),
        ("PREPARE p AS SELECT 1", "PREPARE is not allowed", "SELECT, EXPLAIN, SHOW, DESCRIBE"),
        (
            "CREATE OR REPLACE VIEW atl08 AS SELECT 1",
            "atl08 belongs to the database and cannot be replaced",
            "another name",
        ),
        ("DROP VIEW atl08_unique", "atl08_unique belongs to the database", "another name"),
    ] {
        let run = place.run(&["query", sql]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{sql}");
        assert!(run.stderr.starts_with(&format!("error: {error}")), "{sql}: {}", run.stderr);
        assert!(
            run.stderr.lines().any(|line| line.starts_with("hint: ") && line.contains(hint)),
            "{sql}: {}",
            run.stderr
        );
    }
    assert!(!place.path("out.csv").exists());
}

#[test]
fn a_view_lasts_for_the_following_statements_and_prints_no_rows() {
    let place = with_granule();
    let text = "CREATE VIEW low AS SELECT 1 AS a; CREATE OR REPLACE VIEW low AS SELECT count(*) > 0 AS some FROM atl08; \
                SELECT * FROM low; DROP VIEW low; SELECT 2 AS b";
    let run = place.ok(&["query", text]);
    assert_eq!(run.stdout, "some\n----\ntrue\n\nb\n-\n2\n", "{}", run.stderr);
    assert!(run.stderr.contains("created view low, for this session\n") && run.stderr.contains("dropped view low\n"));
    assert_eq!(run.stderr.matches("rows: ").count(), 2, "{}", run.stderr);
    let gone = place.run(&["query", "SELECT * FROM low"]);
    assert!(gone.stderr.starts_with("error: unknown table low"), "{}", gone.stderr);
}

#[test]
fn a_file_gets_the_rows_of_the_statement_that_reads_a_view() {
    let place = with_granule();
    place.ok(&["query", "-o", "rows.csv", "CREATE VIEW v AS SELECT 1 AS a; SELECT a + 1 AS b FROM v"]);
    assert_eq!(std::fs::read_to_string(place.path("rows.csv")).unwrap(), "b\n2\n");
    let run = place.run(&["query", "-o", "none.csv", "CREATE VIEW v AS SELECT 1 AS a"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("error: no statement has rows for none.csv"), "{}", run.stderr);
    assert!(!place.path("none.csv").exists());
}

#[test]
fn explain_show_and_describe_are_allowed() {
    let place = with_granule();
    for sql in [
        "EXPLAIN ANALYZE SELECT count(*) FROM atl08",
        "SHOW TABLES",
        "SHOW COLUMNS FROM atl08",
        "DESCRIBE atl08_unique",
    ] {
        assert!(!place.rows(sql).is_empty(), "{sql}");
    }
}
