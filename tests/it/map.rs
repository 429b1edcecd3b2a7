//! Pictures of the points of a statement.

use std::fs;

use crate::support::TestFolder;
use crate::support::python::script;

fn prepared() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 3, 200);
    place.ok(&["ingest", "granules"]);
    place
}

const POINTS: &str = "SELECT longitude, latitude, h_canopy FROM atl08 WHERE h_canopy IS NOT NULL";

#[test]
fn another_program_finds_the_points_where_they_belong_in_the_colours_of_their_values() {
    let place = prepared();
    let run = place.ok(&["map", "-o", "look.png", "--range", "0,40", POINTS]);
    assert!(run.stdout.is_empty() && run.stderr.contains("points: "), "{}", run.stderr);
    place.ok(&["query", "-o", "rows.parquet", "--geometry", "none", POINTS]);
    let few = "SELECT * FROM (VALUES (10.0, 50.0, 0.0), (11.0, 50.4, 20.0), (12.0, 50.0, 40.0), (10.5, 50.6, 100.0)) AS t(lon, lat, v)";
    place.ok(&["map", "-o", "few.png", "--range", "0,40", "--geometry-columns", "lon,lat", few]);
    let Some(compared) = script("map.py", &[place.path("")]) else { return };
    assert!(compared.starts_with("equal: "), "{compared}");
}

#[test]
fn without_a_file_the_map_is_text_with_its_edges_and_scale() {
    let place = prepared();
    let map = place.ok(&["map", POINTS]);
    let lines: Vec<&str> = map.stdout.lines().collect();
    let [.., edges, scale] = lines.as_slice() else { panic!("{}", map.stdout) };
    assert!(edges.contains("°S") && edges.contains("°W to "), "{edges}");
    assert!(scale.starts_with("h_canopy (meters): ") && scale.contains(" .:-=+*#%@ "), "{scale}");
    assert!(!map.stdout.contains('\x1b'), "no colours where standard output is not a terminal");
    assert!(lines.iter().all(|line| line.chars().count() <= 80) && lines.len() > 8, "{}", map.stdout);
    let counts = place.ok(&["map", "SELECT longitude, latitude, beam FROM atl08"]);
    assert!(counts.stdout.lines().last().unwrap().starts_with("points: "), "{}", counts.stdout);
    let named = "SELECT round(longitude, 1) AS lon, round(latitude, 1) AS lat, rgt, avg(h_canopy) AS mean FROM atl08 GROUP BY 1, 2, 3";
    let cells = place.ok(&["map", "--geometry-columns", "lon,lat", "--value", "mean", named]);
    assert!(cells.stdout.lines().last().unwrap().starts_with("mean: "), "{}", cells.stdout);
}

#[test]
fn mistakes_are_explained_and_leave_no_file() {
    let place = prepared();
    for (arguments, code, problem) in [
        (&["-o", "look.tif", POINTS][..], 2, "expected a file that ends with .png, found look.tif"),
        (
            &["-o", "look.png", "SELECT h_canopy FROM atl08"],
            1,
            "a map needs positions, and the result has none\nhint: select",
        ),
        (&["-o", "look.png", "--value", "height", POINTS], 1, "found no column height\nhint: --value names a column"),
        (&["-o", "look.png", &format!("{POINTS} AND h_canopy > 1e9")], 1, "no row has a position and a value\nhint: "),
        (&["--range", "5", POINTS], 2, "expected two numbers, LOW,HIGH, such as 0,40, found 5"),
    ] {
        let run = place.run(&[&["map"], arguments].concat());
        assert!(run.code == Some(code) && run.stderr.contains(problem), "{arguments:?}: {}", run.stderr);
    }
    assert!(!place.path("look.png").exists() && !place.path("look.pgw").exists());
    place.ok(&["map", "-o", "one.png", &format!("{POINTS} LIMIT 1")]);
    assert!(fs::read(place.path("one.png")).unwrap().starts_with(b"\x89PNG"));
}
