//! Results as files with geometries, which geographic programs open.

use std::path::Path;
use std::process::Command;

use isdb_testing::{is_long, skip};

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
    place.ok(&["query", "-o", "plain.parquet", "--geometry", "none", "SELECT latitude, longitude FROM atl08 LIMIT 5"]);
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

const SEGMENTS: &str = "SELECT granule, beam, segment_id_beg, n_geosegments, longitude, latitude, h_canopy FROM atl08 \
                        WHERE n_geosegments > 0 ORDER BY granule, beam, segment_id_beg";

#[test]
fn shapes_of_segments_are_the_same_in_every_format_and_as_long_as_their_geosegments() {
    let place = prepared();
    for file in ["shape.parquet", "shape.geojson", "shape.fgb", "shape.gpkg"] {
        place.ok(&["query", "-o", file, "--geometry", "footprint", SEGMENTS]);
    }
    place.ok(&["query", "-o", "line.parquet", "--geometry", "line", SEGMENTS]);
    for southwards in ["250000", "750000"] {
        let sql = format!(
            "SELECT 61.0 AS latitude, 25.5 AS longitude, ST_AsText(segment_line(61.0, 25.5, {southwards}, 5)) AS line"
        );
        place.ok(&["query", "-o", &format!("at_{southwards}.csv"), &sql]);
    }
    let missing = place.run(&["query", "-o", "x.fgb", "--geometry", "line", "SELECT latitude, longitude FROM atl08"]);
    let expected = "error: expected segment_id_beg among the columns, found none: the shape of a segment depends on it\n\
                    hint: select latitude, longitude, segment_id_beg and n_geosegments, as they are stored";
    assert!(missing.code == Some(1) && missing.stderr.contains(expected), "{}", missing.stderr);
    let Some(compared) = script("segment_shapes.py", &[place.path("")]) else { return };
    assert!(compared.starts_with("equal: "), "{compared}");
    if is_long() {
        r_opens_the_files(&place);
    }
}

/// R's packages are a download of 300 MB, so that only the long tests need them: `apt-get install r-cran-sf r-cran-terra`.
fn r_opens_the_files(place: &TestFolder) {
    place.ok(&["grid", "-o", "grid.tif", "--cell", "0.1deg", "--value", "median(canopy_h)"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/r/geo_files.R");
    let Ok(run) = Command::new("Rscript").arg(script).arg(place.path("")).output() else {
        return skip("no R", "install r-cran-sf and r-cran-terra");
    };
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && stdout.starts_with("equal: "), "{stdout}\n{stderr}");
}

#[test]
fn every_geographic_file_is_read_back_with_its_rows_and_geometries() {
    let place = prepared();
    let sql = "SELECT beam, segment_id_beg, longitude, latitude, time, h_canopy, ST_Point(longitude, latitude) AS place FROM atl08";
    let summary = |file: &str| {
        let sql = format!(
            "SELECT count(*), count(h_canopy), round(sum(h_canopy), 2), min(time) > '2018-01-01', max(beam), \
             round(sum(ST_X(geometry)) - sum(longitude), 6), round(sum(ST_Y(geometry)), 6) FROM '{file}'"
        );
        place.rows(&sql)
    };
    for file in ["all.parquet", "all.arrow", "all.geojson", "all.fgb", "all.gpkg"] {
        place.ok(&["query", "-o", file, sql]);
    }
    let expected = summary("all.parquet");
    assert!(!expected[0].starts_with("0,"), "{expected:?}");
    for file in ["all.arrow", "all.fgb", "all.gpkg", "all.geojson"] {
        assert_eq!(summary(file), expected, "{file}");
    }
    let header = place.ok(&["query", "--format", "csv", "SELECT * FROM 'all.parquet' LIMIT 1"]).stdout;
    assert!(header.starts_with("beam,segment_id_beg,longitude,latitude,time,h_canopy,geometry\n"), "{header}");
    assert!(header.contains(",POINT("), "a geometry is text in CSV: {header}");
}

#[test]
fn files_for_older_readers_have_plain_columns_and_encodings() {
    let place = prepared();
    let sql = "SELECT time, latitude, longitude, h_canopy_20m, avg(h_canopy) OVER () FROM atl08";
    place.ok(&["query", "-o", "flat.parquet", "--flatten", "--compatible", sql]);
    let header = place.ok(&["query", "--format", "csv", "SELECT * FROM 'flat.parquet' LIMIT 0"]).stdout;
    let expected = "time,latitude,longitude,h_canopy_20m_10m,h_canopy_20m_30m,h_canopy_20m_50m,h_canopy_20m_70m,h_canopy_20m_90m,\
                    avg(h_canopy) OVER (),geometry\n";
    assert_eq!(header, expected);
    let types = place.rows("SELECT arrow_typeof(time) FROM 'flat.parquet' LIMIT 1");
    assert_eq!(types, ["\"Timestamp(µs, \"\"UTC\"\")\""]);
    let Some(compared) = script("older_readers.py", &[place.path("flat.parquet")]) else { return };
    assert!(compared.starts_with("plain: "), "{compared}");
}
