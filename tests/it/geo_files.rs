//! Results as files with geometries, which geographic programs open.

use crate::support::TestFolder;
use crate::support::python::script;

/// In the order of the script's comparison.
const ROWS: &str = "SELECT granule, beam, segment_id_beg, longitude, latitude, time, night_flag, h_canopy, h_canopy_20m, \
                    h_canopy > 5 AS is_tall FROM atl08 ORDER BY granule, beam, segment_id_beg";

fn prepared() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 2, 60);
    place.ok(&["ingest", "granules"]);
    place
}

#[test]
fn other_programs_find_the_same_rows_and_points_in_every_format() {
    let place = prepared();
    let sql = ROWS.replace(", h_canopy > 5 AS is_tall", "");
    for file in ["rows.parquet", "rows.geojson", "rows.fgb", "rows.gpkg"] {
        place.ok(&["query", "-o", file, &sql]);
    }
    let Some(compared) = script("geo_files.py", &[place.path("")]) else { return };
    assert!(compared.starts_with("equal: "), "{compared}");
}

#[test]
fn positions_are_the_stored_coordinates_or_named_columns_and_some_formats_need_them() {
    let place = prepared();
    let columns = |file: &str| {
        let header = place.ok(&["query", "--format", "csv", &format!("SELECT * FROM '{file}' LIMIT 0")]).stdout;
        header.trim().split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    place.ok(&["query", "-o", "renamed.parquet", "SELECT latitude AS y, longitude AS x FROM atl08 LIMIT 5"]);
    assert_eq!(columns("renamed.parquet"), ["y", "x", "geometry"]);
    let cells = "SELECT round(longitude) AS lon, round(latitude) AS lat, count(*) AS n FROM atl08 GROUP BY 1, 2";
    place.ok(&["query", "-o", "cells.parquet", cells]);
    assert_eq!(columns("cells.parquet"), ["lon", "lat", "n"], "computed numbers are not positions");
    place.ok(&["query", "-o", "cells.fgb", "--geometry-columns", "lon,lat", cells]);
    place.ok(&["query", "-o", "plain.parquet", "--no-geometry", "SELECT latitude, longitude FROM atl08 LIMIT 5"]);
    assert_eq!(columns("plain.parquet"), ["latitude", "longitude"]);
    for (arguments, problem) in [
        (&["-o", "cells.gpkg", cells][..], "error: GeoPackage needs positions, and the result has none\nhint: select"),
        (&["-o", "cells.geojson", "--geometry-columns", "lon,latitude", cells], "found no column latitude\nhint: "),
        (
            &["-o", "x.fgb", "--geometry-columns", "lat,lon", "SELECT 170 AS lon, 5 AS lat"],
            "expected a latitude from -90 to 90 in the column lon",
        ),
        (&["--format", "geopackage", "SELECT latitude, longitude FROM atl08"], "expected a file for GeoPackage"),
        (
            &["-o", "x.fgb", "SELECT nullif(1, 1) AS a, latitude, longitude FROM atl08 RIGHT JOIN (SELECT 1) ON false"],
            "FlatGeobuf has no place for a row without a position\nhint: ",
        ),
    ] {
        let run = place.run(&[&["query"], arguments].concat());
        assert!(run.code != Some(0) && run.stderr.contains(problem), "{arguments:?}: {}", run.stderr);
    }
    assert!(!place.path("cells.gpkg").exists() && !place.path("x.fgb").exists(), "no file without its rows");
}

#[test]
fn profiles_are_columns_of_their_labels_in_text_formats() {
    let place = prepared();
    let sql = "SELECT rgt, h_canopy_20m FROM atl08 LIMIT 1";
    let csv = place.ok(&["query", "--format", "csv", sql]).stdout;
    let header = "rgt,h_canopy_20m_10m,h_canopy_20m_30m,h_canopy_20m_50m,h_canopy_20m_70m,h_canopy_20m_90m";
    assert_eq!(csv.lines().next(), Some(header));
    assert_eq!(csv.lines().nth(1).unwrap().split(',').count(), 6);
}
