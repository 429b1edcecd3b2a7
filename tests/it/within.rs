//! Regions and periods of a query: the same segments as plain SQL finds, whatever form they are written in.

use std::fs;

use crate::support::Place;

/// Granules over the Amazon and over Canada.
fn ingested() -> Place {
    let place = Place::new();
    place.make_granules("granules", &["--count", "4", "--segments", "300"]);
    place.ok(&["ingest", "granules"]);
    place
}

const COUNT: &str = "SELECT count(*) FROM atl08";

#[test]
fn a_query_of_a_region_finds_what_its_box_in_sql_finds() {
    let place = ingested();
    let boxed = format!("{COUNT} WHERE latitude BETWEEN -8 AND -4.5 AND longitude BETWEEN -66 AND -60");
    let expected = place.rows(&boxed);
    let all: u64 = place.rows(COUNT)[0].parse().unwrap();
    let within: u64 = expected[0].parse().unwrap();
    assert!(0 < within && within < all, "{within} of {all}");
    let rectangle = r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygon",
        "coordinates":[[[-66,-8],[-60,-8],[-60,-4.5],[-66,-4.5],[-66,-8]]]}}"#;
    fs::write(place.path("amazon.geojson"), rectangle).unwrap();
    // The same area as two triangles, neither of which is a box.
    let triangles = r#"{"type":"MultiPolygon","coordinates":[[[[-66,-8],[-60,-8],[-60,-4.5],[-66,-8]]],
        [[[-66,-8],[-60,-4.5],[-66,-4.5],[-66,-8]]]]}"#;
    fs::write(place.path("triangles.json"), triangles).unwrap();
    for option in [
        ["--region", "-66,-8,-60,-4.5"],
        ["--bbox", "-66,-8,-60,-4.5"],
        ["--bbox", "294,-8,300,-4.5"],
        ["--region", "amazon.geojson"],
        ["--region", "triangles.json"],
    ] {
        assert_eq!(place.rows_with(&option, COUNT), expected, "{option:?}");
    }
    let asked = format!("{COUNT} WHERE in_region(latitude, longitude, '{triangles}')");
    assert_eq!(place.rows(&asked), expected);
    let outside = place.rows_with(&["--region", "triangles.json"], &format!("{COUNT} WHERE latitude > -4.5"));
    assert_eq!(outside, ["0"]);
}

#[test]
fn a_region_is_read_in_its_boxes_only() {
    let place = ingested();
    let triangle = r#"{"type":"Polygon","coordinates":[[[-66,-8],[-60,-8],[-60,-4.5],[-66,-8]]]}"#;
    let explained = place.rows_with(&["--region", triangle], "EXPLAIN SELECT latitude FROM atl08").join("\n");
    assert!(explained.contains("ranges=[latitude in [-8, -4.5], longitude in [-66, -60]]"), "{explained}");
    let explained = place.rows_with(&["--bbox", "170,-20,-60,-4"], "EXPLAIN SELECT latitude FROM atl08").join("\n");
    assert!(explained.contains("longitude in [-180, -60] or [170, 180]"), "{explained}");
    assert!(!explained.contains("FilterExec"), "a box needs no second look: {explained}");
}

#[test]
fn a_query_of_a_period_finds_what_its_times_in_sql_find() {
    let place = ingested();
    let day = place.rows("SELECT CAST(CAST(min(time) AS DATE) AS STRING) FROM atl08")[0].clone();
    let expected = place.rows(&format!("{COUNT} WHERE CAST(CAST(time AS DATE) AS STRING) = '{day}'"));
    assert_eq!(place.rows_with(&["--start", &day, "--end", &day], COUNT), expected);
    assert_ne!(expected, place.rows(COUNT));
    let run = place.ok(&["query", "--end", &day, "--filters", "strong", COUNT]);
    assert!(run.stderr.contains("period: before ") && run.stderr.contains("filters: strong"), "{}", run.stderr);
    let other = place.ok(&["query", "--start", &day, "SELECT count(*) FROM segments"]).stderr;
    assert!(other.contains("warning: the region and period are on atl08"), "{other}");
}

#[test]
fn a_region_or_period_that_is_none_is_told_before_the_database_is_opened() {
    let place = Place::new();
    fs::write(place.path("point.json"), r#"{"type":"Point","coordinates":[1,2]}"#).unwrap();
    for (options, told) in [
        (&["--region", "nowhere.geojson"][..], "cannot read the region nowhere.geojson"),
        (&["--region", "point.json"], "a Point has no area"),
        (&["--region", "-8,-120,-6,-60"], "south-west corner: there is no latitude -120"),
        (&["--bbox", "point.json"], "\"point.json\" is no region"),
        (&["--region", "1,2,3"], "W,S,E,N in degrees"),
        (&["--start", "June"], "\"June\" is no time"),
        (&["--start", "2021", "--end", "2020"], "the period ends (2020) before it begins (2021)"),
    ] {
        let run = place.run(&[&["query"], options, &[COUNT]].concat());
        assert_eq!(run.code, Some(1), "{options:?}");
        assert!(run.stderr.contains(told) && run.stderr.contains("hint: "), "{options:?}: {}", run.stderr);
    }
}
