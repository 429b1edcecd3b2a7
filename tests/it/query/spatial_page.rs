//! The statements of docs/spatial.md.

use std::fs;

use crate::support::TestFolder;

/// Two polygons that share an edge, and one without segments.
const FORESTS: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","properties":{"name":"east","ha":12.5},
     "geometry":{"type":"Polygon","coordinates":[[[-64,-9],[-50,-9],[-50,0],[-64,0],[-64,-9]]]}},
    {"type":"Feature","properties":{"name":"west","ha":8},
     "geometry":{"type":"Polygon","coordinates":[[[-75,-9],[-64,-9],[-64,0],[-75,0],[-75,-9]]]}},
    {"type":"Feature","properties":{"name":"empty","ha":null},
     "geometry":{"type":"Polygon","coordinates":[[[10,50],[11,50],[11,51],[10,51],[10,50]]]}}]}"#;

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
    let all: i64 = rows("SELECT count(*) AS segments, avg")[0].split(',').next().unwrap().parse().unwrap();
    assert!(all > 0 && by_name == all, "{forests:?} {all}");
}
