//! Regions and periods of a query find the same segments as plain SQL, in every notation.

use std::fs;

use crate::support::TestFolder;

/// Granules over the Amazon and over Canada.
fn ingested() -> TestFolder {
    let place = TestFolder::new();
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
    let sql = format!("{COUNT} WHERE in_region(latitude, longitude, '{triangles}')");
    assert_eq!(place.rows(&sql), expected);
    let outside = place.rows_with(&["--region", "triangles.json"], &format!("{COUNT} WHERE latitude > -4.5"));
    assert_eq!(outside, ["0"]);
}

#[test]
fn a_query_of_a_region_reads_its_boxes_only() {
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
}

#[test]
fn region_period_and_filters_apply_to_atl08_unique_and_subqueries_with_a_warning_elsewhere() {
    let place = ingested();
    let row = place.rows("SELECT min(time), max(time) FROM atl08")[0].clone();
    let (first, _) = row.split_once(',').unwrap();
    let year = &first[..4];
    let condition = format!(
        "latitude BETWEEN -8 AND -4.5 AND longitude BETWEEN -66 AND -60 AND time >= '{year}-01-01' AND night_flag = 1"
    );
    let expected = place.rows(&format!("{COUNT} WHERE {condition}"));
    assert!(expected != ["0"] && expected != place.rows(COUNT), "{expected:?}");
    let options = ["--bbox", "-66,-8,-60,-4.5", "--start", year, "--filters", "night"];
    for statement in [
        "SELECT count(*) FROM atl08_unique",
        "SELECT (SELECT count(*) FROM atl08) AS n",
        "SELECT (SELECT count(*) FROM atl08_unique) AS n",
        "SELECT count(*) FROM segments s WHERE EXISTS (SELECT 1 FROM atl08_unique u WHERE u.beam = s.beam \
            AND u.latitude = s.latitude AND u.longitude = s.longitude AND u.time = s.time)",
        "WITH mine AS (SELECT * FROM atl08_unique) SELECT count(*) FROM mine",
        "CREATE VIEW mine AS SELECT * FROM atl08_unique; SELECT count(*) FROM mine",
    ] {
        let run = place.ok(&[&["query", "--format", "csv"], &options[..], &[statement]].concat());
        assert_eq!(run.stdout.lines().skip(1).collect::<Vec<_>>(), expected, "{statement}");
        assert!(!run.stderr.contains("warning"), "{statement}: {}", run.stderr);
    }
    for (options, warning) in [
        (
            &options[..2],
            "warning: the region applies to atl08, atl08_20m and atl08_unique, which this statement does not read\n",
        ),
        (&options[2..4], "warning: the period applies to "),
        (&options[4..], "warning: the filters apply to "),
        (&options, "warning: the filters, region and period apply to "),
    ] {
        for statement in
            ["SELECT count(*) FROM segments", "WITH atl08 AS (SELECT * FROM segments) SELECT count(*) FROM atl08"]
        {
            let run = place.ok(&[&["query"], options, &[statement]].concat());
            assert!(run.stderr.contains(warning), "{statement}: {}", run.stderr);
        }
        for silent in ["SELECT 1", "DESCRIBE atl08"] {
            let run = place.ok(&[&["query"], options, &[silent]].concat());
            assert!(!run.stderr.contains("warning"), "{silent}: {}", run.stderr);
        }
    }
}

#[test]
fn an_invalid_region_or_period_is_refused_before_the_database_is_opened() {
    let place = TestFolder::new();
    fs::write(place.path("point.json"), r#"{"type":"Point","coordinates":[1,2]}"#).unwrap();
    for (options, message) in [
        (&["--region", "nowhere.geojson"][..], "cannot read the region nowhere.geojson"),
        (&["--region", "point.json"], "expected a Polygon or MultiPolygon, found a Point"),
        (&["--region", "-8,-120,-6,-60"], "south-west corner: invalid latitude -120"),
        (&["--bbox", "point.json"], "invalid region \"point.json\""),
        (&["--region", "1,2,3"], "W,S,E,N in degrees"),
        (&["--start", "June"], "invalid time \"June\""),
        (&["--start", "2021", "--end", "2020"], "the period ends (2020) before it begins (2021)"),
    ] {
        let run = place.run(&[&["query"], options, &[COUNT]].concat());
        // The command line is right if a file is missing or wrong.
        let code = if options[0] == "--region" && options[1].ends_with("json") { 1 } else { 2 };
        assert_eq!(run.code, Some(code), "{options:?}");
        assert!(run.stderr.contains(message) && run.stderr.contains("hint: "), "{options:?}: {}", run.stderr);
    }
}
