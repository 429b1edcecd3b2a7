//! The statements of docs/spatial.md.

use std::fs;

use isdb_testing::TestRaster;

use crate::support::TestFolder;

/// Two polygons that share an edge, and one without segments.
const FORESTS: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","properties":{"name":"east","ha":12.5},
     "geometry":{"type":"Polygon","coordinates":[[[-64,-9],[-50,-9],[-50,0],[-64,0],[-64,-9]]]}},
    {"type":"Feature","properties":{"name":"west","ha":8},
     "geometry":{"type":"Polygon","coordinates":[[[-75,-9],[-64,-9],[-64,0],[-75,0],[-75,-9]]]}},
    {"type":"Feature","properties":{"name":"empty","ha":null},
     "geometry":{"type":"Polygon","coordinates":[[[10,50],[11,50],[11,51],[10,51],[10,50]]]}}]}"#;

/// A plane, which bilinear interpolation reproduces.
fn undulation(latitude: f64, longitude: f64) -> f64 {
    latitude / 2.0 + longitude / 8.0
}

/// A raster with the layout of PROJ's grid of a geoid: degrees around the globe, whose pixels are points and begin at 180° west, with fewer of
/// them.
fn geoid() -> TestRaster {
    let pixel = 2.5;
    let rows = (0..73_u8).map(|row| 90.0 - f64::from(row) * pixel);
    let columns = || (0..144_u8).map(|column| f64::from(column) * pixel - 180.0);
    let values = rows.flat_map(|latitude| columns().map(move |longitude| undulation(latitude, longitude)));
    #[expect(clippy::cast_possible_truncation, reason = "exact multiples of 1/16")]
    let values = values.map(|value| value as f32).collect();
    TestRaster {
        is_point: true,
        tile: Some(64),
        epsg: (4979, true),
        ..TestRaster::degrees(144, -180.0, 90.0, pixel, values)
    }
}

#[test]
fn every_statement_of_the_page_runs_and_what_it_says_is_true() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--seed", "1", "--count", "4", "--segments", "300"]);
    place.ok(&["ingest", "granules"]);
    let at = place.rows("SELECT round(latitude, 3), round(longitude, 3) FROM atl08 ORDER BY time LIMIT 2");
    let plots: Vec<String> = at.iter().zip(["A", "B"]).map(|(at, plot)| format!("{plot},{at},600\n")).collect();
    let plots = format!("plot,latitude,longitude,radius_m\n{}none,70,20,600\n", plots.concat());
    fs::write(place.path("plots.csv"), plots).unwrap();
    fs::write(place.path("forests.geojson"), FORESTS).unwrap();
    fs::write(place.path("us_nga_egm08_25.tif"), geoid().to_bytes()).unwrap();
    let cover = TestRaster::degrees(4, -80.0, 10.0, 10.0, (0..12_u8).map(f32::from).collect());
    fs::write(place.path("landcover.tif"), cover.to_bytes()).unwrap();

    let page = include_str!("../../../docs/spatial.md");
    let statements: Vec<&str> = page.split("```sql\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert!(statements.len() > 9, "{}", statements.len());
    for sql in &statements {
        let run = place.ok(&["query", "--format", "csv", sql]);
        assert!(!run.stderr.contains("warning: "), "{sql}\n{}", run.stderr);
    }
    let rows = |beginning: &str| {
        let sql = statements.iter().find(|sql| sql.starts_with(beginning));
        place.rows(sql.unwrap_or_else(|| panic!("no statement begins with {beginning}")))
    };
    let plots = rows("SELECT p.plot");
    assert!(plots.len() == 3 && plots[2].starts_with("none,0,"), "{plots:?}");
    assert!(plots[0].starts_with("A,") && !plots[0].starts_with("A,0,"), "{plots:?}");
    assert_eq!(rows("SELECT plot, canopy_h, metres").len(), 2);
    assert_eq!(rows("SELECT canopy_h, beam").len(), 20);
    let forests = rows("SELECT f.name");
    assert!(forests.len() == 3 && forests[1].starts_with("empty,,0,"), "{forests:?}");
    let by_name: i64 = forests.iter().map(|row| row.split(',').nth(2).unwrap().parse::<i64>().unwrap()).sum();
    let heights = rows("SELECT\n    latitude");
    assert_eq!(heights.len(), 1000);
    for row in heights {
        let numbers: Vec<f64> = row.split(',').map(|number| number.parse().unwrap()).collect();
        let [latitude, longitude, ellipsoidal, above] = numbers[..] else { panic!("{row}") };
        assert!((ellipsoidal - above - undulation(latitude, longitude)).abs() < 1e-3, "{row}");
    }
    let by_cover = rows("SELECT cover");
    let by_cell = rows("SELECT\n    cell");
    assert!(!by_cover.is_empty() && by_cover.len() == by_cell.len(), "{by_cover:?} {by_cell:?}");
    let all: i64 = rows("SELECT count(*) AS segments, avg")[0].split(',').next().unwrap().parse().unwrap();
    assert!(all > 0 && by_name == all, "{forests:?} {all}");
}
