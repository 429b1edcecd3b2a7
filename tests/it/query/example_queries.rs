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

/// A database with every release, an extract without a release, tracks with nine repeats and two overlapping granules, and the
/// example plots where own_plots.sql reads them.
fn place() -> TestFolder {
    let place = TestFolder::new();
    let granules = [("1", "18", "9", "007"), ("2", "2", "1", "004"), ("3", "2", "1", "005"), ("4", "2", "1", "006")];
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

/// Segments of a forest in two years, of 12 passes in each, none of which crosses the other year's places. The forest has a gradient
/// and patches, each pass an error of its own, and the second year `change` metres more.
fn two_years(change: f64) -> String {
    let mut rows = "time,rgt,cycle,beam,beam_strength,release,segment_id_beg,latitude,longitude,canopy_h\n".to_owned();
    let mut state = 7_u64;
    let mut random = move || {
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5
    };
    for (year, change) in [(2019, 0.0), (2020, change)] {
        for pass in 0..12 {
            let (longitude, of_pass) = (-61.0 + 4.0 * (random() + 0.5), 2.0 * random());
            for segment in 0..300 {
                let latitude = -6.0 + f64::from(segment) * 0.01;
                let forest = 20.0 + 3.0 * latitude.sin() + 2.0 * (longitude * 9.0).sin() + (latitude * 40.0).sin();
                let canopy_h = forest + of_pass + 4.0 * random() + change;
                rows += &format!(
                    "{year}-07-{:02}T12:00:00Z,{},3,gt1l,strong,007,{segment},{latitude},{longitude},{canopy_h}\n",
                    pass + 1,
                    pass + 100 * (year - 2018),
                );
            }
        }
    }
    rows
}

#[test]
fn a_forest_that_did_not_change_shows_no_change_although_other_places_were_seen() {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 20);
    place.ok(&["ingest", "granules"]);
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/queries/change_by_cell.sql");
    let sql = fs::read_to_string(recipe).unwrap().replace("FROM atl08_unique", "FROM 'years.csv'");
    fs::write(place.path("change.sql"), sql).unwrap();
    for change in [0.0, 4.0] {
        fs::write(place.path("years.csv"), two_years(change)).unwrap();
        let answer = place.ok(&["query", "--format", "csv", "-f", "change.sql"]).stdout;
        let row = answer.lines().nth(1).unwrap();
        let [found, low, high, ..] = row.split(',').map(|value| value.parse::<f64>().unwrap()).collect::<Vec<_>>()[..]
        else {
            panic!("{row}")
        };
        assert!(low < change && change < high && (found - change).abs() < 1.5, "{change}: {row}");
        assert_eq!(low < 0.0, change == 0.0, "an interval without 0 shows a change: {row}");
    }
}
