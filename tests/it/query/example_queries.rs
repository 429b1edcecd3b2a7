//! The example queries of sql/queries, compared with numpy.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::TestFolder;
use crate::support::python::script;

/// The files of sql/queries.
fn recipes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/queries");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A database with every release, an extract without a release, tracks with five repeats and two overlapping granules, and the
/// example plots where own_plots.sql reads them.
fn place() -> TestFolder {
    let place = TestFolder::new();
    let granules = [("1", "10", "5", "007"), ("2", "2", "1", "004"), ("3", "2", "1", "005"), ("4", "2", "1", "006")];
    for (seed, count, repeat, release) in granules {
        let options = ["--seed", seed, "--count", count, "--repeat", repeat, "--release", release, "--segments", "300"];
        place.make_granules("granules", &options);
    }
    place.make_granules("granules", &["--seed", "5", "--count", "1", "--segments", "300", "--extract"]);
    let overlapping = ["--seed", "2", "--count", "1", "--release", "004", "--segments", "200", "--region", "11"];
    place.make_granules("granules", &overlapping);
    place.ok(&["ingest", "--replace-release", "granules"]);
    fs::create_dir(place.path("examples")).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plots.csv"), place.path("examples/plots.csv"))
        .unwrap();
    place
}

#[test]
fn every_example_query_is_pushed_down_and_equals_numpy() {
    let place = place();
    boxes_and_dates_reach_the_array(&place);
    fs::create_dir(place.path("results")).unwrap();
    for recipe in recipes() {
        let result = format!("results/{}.csv", recipe.file_stem().unwrap().to_str().unwrap());
        let run = place.ok(&["query", "-f", recipe.to_str().unwrap(), "-o", &result]);
        let warnings = run.stderr.lines().filter(|line| line.starts_with("warning: "));
        // The database has four releases, so every statement gives a warning.
        let unexpected: Vec<_> = warnings.filter(|line| !line.contains("more than one release")).collect();
        assert!(unexpected.is_empty(), "{}: {unexpected:?}", recipe.display());
    }
    let paths = [place.path("granules"), place.path("results"), place.path("examples/plots.csv")];
    let Some(compared) = script("recipes.py", &paths) else { return };
    assert_eq!(compared.matches("equal: ").count(), recipes().len(), "{compared}");
}

fn boxes_and_dates_reach_the_array(place: &TestFolder) {
    let mut conditions = 0;
    for recipe in recipes() {
        let sql = fs::read_to_string(&recipe).unwrap();
        let plan = place.rows(&format!("EXPLAIN {sql}")).join("\n");
        for (condition, range) in [
            ("latitude BETWEEN -", "latitude in ["),
            ("longitude BETWEEN -", "longitude in ["),
            ("time >= '", "time in ["),
        ] {
            if sql.contains(condition) {
                assert!(plan.contains(range), "{}: no {range:?} in\n{plan}", recipe.display());
                conditions += 1;
            }
        }
    }
    assert!(conditions >= 9, "only {conditions} boxes and dates found");
}
