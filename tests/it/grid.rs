//! Grids of segments, which geographic programs open.

use crate::support::TestFolder;
use crate::support::python::script;

const ROWS: &str = "SELECT longitude, latitude, h_canopy, h_te_best_fit, rgt, cycle FROM atl08_unique";

fn prepared() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 3, 200);
    place.ok(&["ingest", "granules"]);
    place
}

#[test]
fn another_program_finds_the_statistics_of_the_segments_in_each_cell() {
    let place = prepared();
    place.ok(&["query", "-o", "rows.parquet", "--geometry", "none", ROWS]);
    for (file, cell) in [("degrees.tif", "0.25deg"), ("km.tif", "9km")] {
        let run = place.ok(&["grid", "-o", file, "--cell", cell, "--value", "median(h_canopy)"]);
        assert!(run.stderr.contains("cells: "), "{}", run.stderr);
    }
    place.ok(&["grid", "-o", "degrees.csv", "--cell", "0.25deg", "--value", "median(h_canopy)"]);
    let Some(compared) = script("grid.py", &[place.path("")]) else { return };
    assert!(compared.starts_with("equal: "), "{compared}");
}

#[test]
fn segments_of_granules_without_a_cycle_are_in_the_grid() {
    let place = TestFolder::in_memory();
    place.make_granules("granules", &["--seed", "9", "--count", "2", "--segments", "60", "--extract"]);
    place.ok(&["ingest", "granules"]);
    place.ok(&["grid", "-o", "all.csv", "--cell", "1deg", "--value", "avg(h_canopy)"]);
    let sums = "SELECT (SELECT count(*) FROM atl08_unique WHERE cycle IS NULL) - (SELECT sum(n_segments) FROM 'all.csv'), \
                (SELECT min(n_passes) FROM 'all.csv') > 0";
    assert_eq!(place.rows(sums), ["0,true"]);
}

#[test]
fn cells_with_few_passes_are_empty_and_mistakes_are_explained() {
    let place = prepared();
    let grid = |more: &[&str]| place.run(&[&["grid", "--cell", "1deg"], more].concat());
    // Each track has one pass.
    let none = grid(&["-o", "x.tif", "--value", "avg(h_canopy)", "--min-passes", "99"]);
    assert!(
        none.code != Some(0) && none.stderr.contains("no cell of the grid has a segment\nhint: "),
        "{}",
        none.stderr
    );
    let ending = grid(&["-o", "x.png", "--value", "avg(h_canopy)"]);
    assert_eq!(ending.code, Some(2), "{}", ending.stderr);
    assert!(ending.stderr.contains("expected a file that ends with .tif or .csv, found x.png"), "{}", ending.stderr);
    let unknown = grid(&["-o", "x.tif", "--value", "avg(canopy_hh)"]);
    assert!(unknown.stderr.contains("unknown column canopy_hh"), "{}", unknown.stderr);
    let plain = grid(&["-o", "x.tif", "--value", "h_canopy"]);
    assert!(plain.code != Some(0) && plain.stderr.contains("hint: "), "{}", plain.stderr);
    let unit = place.run(&["grid", "-o", "x.tif", "--cell", "0.1", "--value", "avg(h_canopy)"]);
    assert!(unit.stderr.contains("expected a size with a unit, such as 0.1deg or 1km, found 0.1"), "{}", unit.stderr);
    assert!(!place.path("x.tif").exists());
}
