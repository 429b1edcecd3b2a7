//! The functions in statements.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::testing::{Granule, Segment, answer, database, ids, session};
use crate::views::options::ViewOptions;

async fn refused(expression: &str) -> String {
    let context = session(1);
    let error = match context.sql(&format!("SELECT {expression}")).await {
        Ok(frame) => frame.collect().await.map(|_| ()).unwrap_err(),
        Err(error) => error,
    };
    error.to_string()
}

#[tokio::test]
async fn geometries_are_made_read_and_printed() {
    for (expression, expected) in [
        ("ST_AsText(ST_Point(25.5, 61))", "POINT(25.5 61)"),
        ("ST_X(ST_Point(25.5, 61))", "25.5"),
        ("ST_Y(ST_MakePoint(25.5, 61))", "61.0"),
        ("ST_AsText(ST_GeomFromText('POLYGON ((0 0, 2 0, 2 2, 0 0))'))", "POLYGON((0 0,2 0,2 2,0 0))"),
        ("ST_NPoints(ST_GeomFromText('LINESTRING(0 0, 1 1)'))", "2"),
        ("ST_GeometryType(ST_GeomFromText('LINESTRING(0 0, 1 1)'))", "ST_LineString"),
        ("ST_XMax(ST_GeomFromText('LINESTRING(0 0, 1 3)')) + ST_YMin(ST_Point(1, 2))", "3.0"),
        ("ST_AsText(ST_Centroid(ST_GeomFromText('POLYGON((0 0,2 0,2 2,0 2,0 0))')))", "POINT(1 1)"),
        ("ST_Point(NULL, 61) IS NULL", "true"),
        ("ST_Within(NULL, ST_Point(1, 2)) IS NULL", "true"),
        ("ST_AsText(ST_GeomFromWKB(ST_Point(1, 2)))", "POINT(1 2)"),
    ] {
        let expected = format!("x;{}", expected.replace(' ', ""));
        assert_eq!(answer(&format!("SELECT {expression} AS x")).await, expected, "{expression}");
    }
}

#[tokio::test]
async fn lengths_are_metres_and_areas_square_metres_on_the_ellipsoid() {
    // A degree of longitude on the equator, and the cell of one degree beside it (GeographicLib).
    let square = "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 1,0 0))')";
    let clockwise = "ST_GeomFromText('POLYGON((0 0,0 1,1 1,1 0,0 0))')";
    for (expression, expected) in [
        ("ST_Distance(ST_Point(0, 0), ST_Point(1, 0))".to_owned(), "111319"),
        ("ST_Length(ST_GeomFromText('LINESTRING(0 0,1 0,2 0)'))".to_owned(), "222639"),
        (format!("ST_Area({square}) / 1e6"), "12309"),
        (format!("ST_Area({clockwise}) / 1e6"), "12309"),
        (format!("ST_Distance(ST_Point(0.5, 0.5), {square})"), "0"),
    ] {
        let sql = format!("SELECT CAST(round({expression}) AS BIGINT) AS x");
        assert_eq!(answer(&sql).await, format!("x;{expected}"), "{expression}");
    }
    assert_eq!(answer("SELECT ST_DWithin(ST_Point(0, 0), ST_Point(1, 0), 111320) AS x").await, "x;true");
    assert_eq!(answer(&format!("SELECT ST_DWithin(ST_Point(2, 0.5), {square}, 100000) AS x")).await, "x;false");
}

#[tokio::test]
async fn relations_are_those_of_postgis_on_the_border() {
    let square = "ST_GeomFromText('POLYGON((0 0,2 0,2 2,0 2,0 0))')";
    for (expression, expected) in [
        (format!("ST_Within(ST_Point(1, 1), {square})"), true),
        (format!("ST_Within(ST_Point(0, 1), {square})"), false),
        (format!("ST_CoveredBy(ST_Point(0, 1), {square})"), true),
        (format!("ST_Contains({square}, ST_Point(1, 1))"), true),
        (format!("ST_Intersects({square}, ST_Point(0, 1))"), true),
        (format!("ST_Touches({square}, ST_Point(0, 1))"), true),
        (format!("ST_Disjoint({square}, ST_Point(3, 1))"), true),
    ] {
        assert_eq!(answer(&format!("SELECT {expression} AS x")).await, format!("x;{expected}"), "{expression}");
    }
}

#[tokio::test]
async fn shapes_of_segments_lie_along_the_track_and_are_shorter_with_fewer_geosegments() {
    let metres = |geosegments: i32| {
        format!("SELECT round(ST_Length(segment_line(61.0, 179.9999, 340000, {geosegments})), 3) AS x")
    };
    assert_eq!(answer(&metres(5)).await, "x;100.0");
    assert_eq!(answer(&metres(2)).await, "x;40.0");
    let area = "SELECT round(ST_Area(segment_footprint(-45.0, 10.0, 1200000, 5, 11)), 1) AS x";
    assert_eq!(answer(area).await, "x;1100.0");
    assert_eq!(answer("SELECT segment_line(61.0, 25.0, NULL, 5) IS NULL AS x").await, "x;true");
    let wrong = refused("segment_footprint(61.0, 25.0, 340000, 5, 0)").await;
    assert!(wrong.contains("segment_footprint: expected a width in metres, found 0"), "{wrong}");
}

#[tokio::test]
async fn wrong_arguments_are_errors_that_show_the_call() {
    for (expression, expected) in [
        ("ST_Within('POINT(1 2)', ST_Point(1, 2))", "expected a geometry, found a text"),
        ("ST_Distance(1.5, ST_Point(1, 2))", "expected a geometry, found a number"),
        ("ST_Point(61, 179)", "expected a latitude from -90 to 90 as y, found 179"),
        ("ST_GeomFromText('POINT 1')", "expected well-known text, found 'POINT 1'"),
        ("ST_Point('a', 1)", "expected a number, found"),
        ("ST_Point(1)", "expected 2 arguments, found 1"),
    ] {
        let error = refused(expression).await;
        assert!(error.contains(expected), "{expression}: {error}");
    }
}

/// Positions in the middle of the map, at the dateline and around the poles.
fn position() -> impl Strategy<Value = (f64, f64)> {
    let latitude = prop_oneof![3 => -3.0..3.0, 1 => 88.0..90.0, 1 => -90.0..-88.0];
    (latitude, prop_oneof![3 => -3.0..3.0, 1 => 178.0..180.0, 1 => -180.0..-178.0])
}

#[test]
fn conditions_on_positions_select_the_same_rows_pushed_down_and_not() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = Config { cases: Config::default().cases.min(40), ..Config::default() };
    let rows = proptest::collection::vec(position(), 1..200);
    TestRunner::new(config)
        .run(&(rows, position(), 0.1..4.0_f64), |(rows, (latitude, longitude), size)| {
            let segments: Vec<Segment> = rows
                .iter()
                .map(|(latitude, longitude)| Segment {
                    latitude: *latitude,
                    longitude: *longitude,
                    time: 0,
                    ingest_id: 0,
                    beam: "gt1l",
                    segment_id_beg: Some(1),
                })
                .collect();
            let granule = Granule { rgt: Some(1), cycle: Some(1), region: Some(1) };
            let square = |size: f64| {
                let (west, east) = (longitude - size, longitude + size);
                let (south, north) = ((latitude - size).max(-90.0), (latitude + size).min(90.0));
                [[west, south], [east, south], [east, north], [west, north], [west, south]]
            };
            let text = |ring: [[f64; 2]; 5]| ring.map(|[x, y]| format!("{x} {y}")).join(", ");
            let (outer, hole) = (square(size), square(size / 3.0));
            let polygon = format!("ST_GeomFromText('POLYGON(({}), ({}))')", text(outer), text(hole));
            let point = "ST_Point(longitude, latitude)";
            let metres = size * 100_000.0;
            // Longitudes of a region end at 180°; its edges cross the dateline by the shorter way.
            let turned = |ring: [[f64; 2]; 5]| ring.map(|[x, y]| [(x + 540.0).rem_euclid(360.0) - 180.0, y]);
            let (region, hole_of_region) = (turned(outer), turned(hole));
            let conditions = [
                format!("ST_Within({point}, {polygon})"),
                format!("ST_Intersects({polygon}, {point})"),
                format!("ST_DWithin({point}, ST_Point({longitude}, {latitude}), {metres})"),
                format!("near(latitude, longitude, {latitude}, {longitude}, {metres})"),
                format!(
                    "in_region(latitude, longitude, '{{\"type\":\"Polygon\",\"coordinates\":[{region:?},{hole_of_region:?}]}}')"
                ),
            ];
            let answers = runtime.block_on(async {
                let (_files, context) = database(&segments, &[granule], &ViewOptions::default()).await;
                let copy = context.table("segments").await.unwrap().cache().await.unwrap();
                context.register_table("copy", copy.into_view()).unwrap();
                let mut answers = Vec::new();
                for condition in conditions {
                    let rows = |table: &str| format!("SELECT id FROM {table} WHERE {condition}");
                    answers.push((
                        ids(&context, &rows("segments")).await,
                        ids(&context, &rows("copy")).await,
                        condition,
                    ));
                }
                answers
            });
            for (found, expected, condition) in answers {
                prop_assert_eq!(found, expected, "{}", condition);
            }
            Ok(())
        })
        .unwrap();
}
