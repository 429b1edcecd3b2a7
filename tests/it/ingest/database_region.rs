//! The region of a database: kept by later ingests, shown, enforced and extended.

use std::fs;

use serde_json::Value;

use crate::support::TestFolder;

const COUNT: &str = "SELECT count(*), count(DISTINCT concat(granule, beam, segment_id_beg)) FROM atl08";

/// A folder with three granules in `all`, the first two also in `first`. The database `whole` has all of them.
fn place() -> TestFolder {
    let place = TestFolder::new();
    place.make_granules("all", &["--count", "3", "--segments", "120"]);
    let mut files = place.files("all");
    files.sort();
    fs::create_dir(place.path("first")).unwrap();
    for file in &files[..2] {
        fs::copy(place.path(file), place.path("first").join(file.trim_start_matches("all/"))).unwrap();
    }
    place.ok(&["--db", "whole", "ingest", "all"]);
    place
}

/// Number of segments of all granules in a region.
fn count_within(place: &TestFolder, region: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM atl08 WHERE in_region(latitude, longitude, '{region}')");
    place.rows_with(&["--db", "whole"], &sql)[0].parse().unwrap()
}

/// Asserts that the database `db` has this many segments, each once.
fn assert_segments(place: &TestFolder, segments: u64) {
    assert_eq!(place.rows(COUNT), [format!("{segments},{segments}")]);
}

/// Two regions, each with a part of the first granule. The southern one also has all of the third, and the northern one half of the
/// second.
fn south_and_north(place: &TestFolder) -> (String, String) {
    let sql = "SELECT min(latitude), max(latitude) FROM atl08 GROUP BY granule ORDER BY granule";
    let ranges = place.rows_with(&["--db", "whole"], sql);
    let at = |granule: usize, share: f64| {
        let (low, high) = ranges[granule].split_once(',').unwrap();
        let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
        format!("{:.3}", low + (high - low) * share)
    };
    let south = format!("-180,{},180,{}", at(2, -0.5), at(0, 0.4));
    (south, format!("-180,{},180,{}", at(0, 0.6), at(1, 0.5)))
}

/// The box as a polygon with too many points for a ledger row. Its southern edge is a zigzag, so that it is not a box; the zigzag
/// is too flat to select other segments.
fn ring(bounds: &str) -> String {
    let numbers: Vec<f64> = bounds.split(',').map(|number| number.parse().unwrap()).collect();
    let [west, south, east, north] = numbers[..] else { panic!("{bounds}") };
    let zigzag = (0..=40).map(|i| (west + (east - west) * f64::from(i) / 40.0, south - 0.0005 * f64::from(i % 2)));
    let points = zigzag.chain([(east, north), (west, north), (west, south)]);
    let points: Vec<String> = points.map(|(x, y)| format!("[{x},{y:.4}]")).collect();
    format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, points.join(","))
}

#[test]
fn a_later_ingest_without_a_region_keeps_that_of_the_database() {
    let place = place();
    let (south, _) = south_and_north(&place);
    place.ok(&["ingest", "--region", &south, "first"]);
    let dry = place.ok(&["ingest", "--dry-run", "all"]).stderr;
    let run = place.ok(&["ingest", "all"]).stderr;
    for message in [&dry, &run] {
        assert!(message.contains(&format!("region: {south} (the database's)")), "{message}");
    }
    assert!(run.contains("granules: 1 ingested, 2 skipped"), "{run}");
    assert_segments(&place, count_within(&place, &south));
}

#[test]
fn the_region_is_in_info_in_citations_and_in_exported_files() {
    let place = place();
    let (south, _) = south_and_north(&place);
    fs::write(place.path("south.geojson"), ring(&south)).unwrap();
    place.ok(&["--db", "box", "ingest", "--region", &south, "first"]);
    place.ok(&["--db", "ring", "ingest", "--region", "south.geojson", "first"]);
    for (db, line) in
        [("box", south.as_str()), ("ring", "1 polygon of 47 points within -180,"), ("whole", "whole granules")]
    {
        let info = place.ok(&["--db", db, "info"]).stdout;
        assert!(info.contains(&format!("region     {line}")), "{info}");
        let cite = place.ok(&["--db", db, "info", "--cite"]).stdout;
        assert!(cite.contains(&format!("\nregion: {line}")), "{cite}");
        let json = place.ok(&["--db", db, "info", "--cite", "--format", "json"]).stdout;
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["region"].is_null(), db == "whole", "{json}");
        place.ok(&["--db", db, "query", "-o", "out.arrow", "SELECT latitude FROM atl08 LIMIT 1"]);
        let file = fs::File::open(place.path("out.arrow")).unwrap();
        let schema = arrow::ipc::reader::FileReader::try_new(file, None).unwrap().schema();
        let metadata = schema.metadata();
        assert!(metadata["isdb_citation"].contains(&format!("\nregion: {line}")), "{metadata:?}");
        assert_eq!(metadata.get("isdb_database_region").map(String::as_str), json["region"].as_str());
    }
    let cite = place.ok(&["--db", "ring", "info", "--cite", "--format", "json"]).stdout;
    let json: Value = serde_json::from_str(&cite).unwrap();
    let expected: Value = serde_json::from_str(&ring(&south)).unwrap();
    let points = |region: &Value| region["coordinates"][0].as_array().unwrap().clone();
    let stored = points(&json["region_geojson"]);
    // Edges over half of the globe have points between, so that their direction is definite.
    assert!(
        points(&expected).iter().all(|point| stored.contains(point)),
        "the whole geometry, however long: {stored:?}"
    );
    // The area in the ledger is a file that any GIS program opens.
    let area = place.rows_with(&["--db", "ring"], "SELECT DISTINCT area FROM granules")[0].clone();
    let text = fs::read_to_string(place.path("ring").join(&area)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json["region_geojson"], "{area}");
}

#[test]
fn another_region_is_refused_and_changes_nothing() {
    let place = place();
    let (south, north) = south_and_north(&place);
    place.ok(&["ingest", "--region", &south, "first"]);
    let rows = count_within(&place, &south);
    let in_first: u64 = place.rows("SELECT count(*) FROM atl08")[0].parse().unwrap();
    assert!(0 < in_first && in_first < rows, "{in_first} of {rows}");
    for (db, options, message) in [
        ("db", &["--region", &north][..], "holds only segments in"),
        ("db", &["--bbox", &north, "--dry-run"], "is another region"),
        ("whole", &["--region", &south], "holds whole granules"),
        ("whole", &["--add-region", &south], "holds whole granules"),
    ] {
        let run = place.run(&[&["--db", db, "ingest", "all"], options].concat());
        assert_eq!(run.code, Some(1), "{options:?}: {}", run.stderr);
        assert!(run.stderr.contains(message) && run.stderr.contains("hint: "), "{options:?}: {}", run.stderr);
        let hint = if db == "db" { "--add-region" } else { "--whole-granules" };
        assert!(run.stderr.contains(hint), "{options:?}: {}", run.stderr);
    }
    assert_segments(&place, in_first);
    let [_, low, _, high] = south.split(',').collect::<Vec<_>>()[..] else { panic!("{south}") };
    let corners = format!("[-180,{low}],[0,{low}],[180,{low}],[180,{high}],[-180,{high}],[-180,{low}]");
    let polygon = format!(r#"{{"type":"Polygon","coordinates":[[{corners}]]}}"#);
    let other_form = place.ok(&["ingest", "--region", &polygon, "all"]).stderr;
    assert!(other_form.contains("1 ingested, 2 skipped"), "the same area in another form is the same: {other_form}");
    assert_segments(&place, rows);
}

#[test]
fn a_region_is_widened_without_losing_or_doubling_segments() {
    let place = place();
    let (south, north) = south_and_north(&place);
    fs::write(place.path("north.geojson"), ring(&north)).unwrap();
    place.ok(&["ingest", "--region", &south, "all"]);
    let dry = place.ok(&["ingest", "--add-region", "north.geojson", "first", "--dry-run"]).stderr;
    assert!(dry.contains(&format!("(the database's was {south})")), "{dry}");
    let message = place.ok(&["ingest", "--add-region", "north.geojson", "first"]).stderr;
    assert!(message.contains("granules: 2 replaced"), "{message}");
    let info = place.ok(&["info"]).stdout;
    assert!(info.contains("region     2 polygons of 51 points within -180,"), "{info}");
    assert!(info.contains(&format!("1 granules were ingested for: {south}")), "one granule lacks the new part: {info}");
    // The next ingest completes the other granules, without the region on its command line.
    let message = place.ok(&["ingest", "all"]).stderr;
    assert!(message.contains("granules: 1 replaced, 2 skipped"), "{message}");
    assert_segments(&place, count_within(&place, &south) + count_within(&place, &ring(&north)));
    assert!(!place.ok(&["info"]).stdout.contains("were ingested for"));
    let message = place.ok(&["ingest", "--add-region", &south, "all"]).stderr;
    assert!(message.contains("granules: 3 skipped"), "what the region holds already widens nothing: {message}");
    assert_segments(&place, count_within(&place, &south) + count_within(&place, &ring(&north)));
}

#[test]
fn whole_granules_in_a_database_with_a_region_are_reported_separately() {
    let place = place();
    let (south, _) = south_and_north(&place);
    place.ok(&["ingest", "--region", &south, "first"]);
    let message = place.ok(&["ingest", "--whole-granules", "first"]).stderr;
    assert!(message.contains(&format!("region: whole granules (the database's is {south})")), "{message}");
    assert!(message.contains("granules: 2 replaced"), "{message}");
    for arguments in [&["info"][..], &["info", "--cite"]] {
        let message = place.ok(arguments).stdout;
        assert!(message.contains(&south) && message.contains("whole granules"), "{message}");
    }
    let message = place.ok(&["ingest", "all"]).stderr;
    assert!(message.contains("granules: 1 ingested, 2 skipped"), "{message}");
}
