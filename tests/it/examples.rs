//! The examples of the library, run as programs over a small database.

use std::path::Path;
use std::process::Command;

use crate::support::{Run, TestFolder};

/// Runs the example `name` in the folder of `place`, and checks that it succeeds.
fn example(place: &TestFolder, name: &str, arguments: &[&str]) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_isdb")).with_file_name("examples").join(name);
    let output = Command::new(&program)
        .current_dir(place.path("granules").parent().unwrap())
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let run = Run::from(output);
    assert_eq!(run.code, Some(0), "{name}\n{}", run.stderr);
    run
}

#[test]
fn the_example_of_an_ingest_creates_a_database_that_the_other_examples_read() {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 2, 300);
    let ingest = example(&place, "ingest", &["db", "granules"]);
    assert!(ingest.stderr.contains("2 granules to ingest, 0 skipped\n"), "{}", ingest.stderr);
    let rows = &place.rows("SELECT count(*) FROM segments")[0];
    assert!(ingest.stdout.starts_with(&format!("{rows} segments in ")), "{}", ingest.stdout);

    let query = example(&place, "query", &["db"]);
    assert!(query.stdout.contains("| beam | segments | canopy_h |"), "{}", query.stdout);
    assert!(query.stderr.contains(&format!(" at {}\n", place.timestamp())), "{}", query.stderr);

    // The program writes a Parquet file of plots, and joins it with the segments.
    let join = example(&place, "custom_session", &["db"]);
    assert!(join.stdout.contains("tallest") && join.stdout.lines().count() > 5, "{}", join.stdout);

    // A plot file of the user; each segment of the box counts for it.
    let plot = "SELECT round(avg(latitude), 3) AS latitude, round(avg(longitude), 3) AS longitude FROM \
                (SELECT latitude, longitude FROM segments LIMIT 1)";
    place.ok(&["query", "-o", "plots.parquet", plot]);
    let plots = example(&place, "custom_session", &["db", "plots.parquet"]);
    assert_eq!(plots.stdout.lines().count(), 5, "a frame, a header and one plot: {}", plots.stdout);
}
