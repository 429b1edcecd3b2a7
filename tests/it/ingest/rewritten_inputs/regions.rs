//! Regions in the notations of map programs, over the 35 rows of the release 004 granule.

use super::inputs::{files, inputs};
use crate::support::{TestFolder, release_004};

/// The expected result for a region.
#[derive(Debug, Clone, Copy)]
enum Region {
    /// This many rows.
    Rows(u32),
    /// An error with the name of the file and these texts.
    Error(&'static [&'static str]),
}

use Region::{Error, Rows};

const REGIONS: [(&str, Region); 16] = [
    ("bom.geojson", Error(&["byte order mark"])),
    ("clockwise.geojson", Rows(35)),
    ("crs_3857.geojson", Error(&["EPSG:3857", "EPSG:4326"])),
    ("crs_3857_near_zero.geojson", Error(&["EPSG:3857", "EPSG:4326"])),
    ("empty_polygon.geojson", Error(&["feature 2", "ring"])),
    ("leaflet_minus_190.geojson", Error(&["longitude -190"])),
    ("leaflet_plus_190.geojson", Rows(0)),
    ("null_geometry.geojson", Error(&["feature 2", "geometry"])),
    ("open_ring.geojson", Rows(35)),
    ("plain.geojson", Rows(35)),
    ("seq.geojsonl", Error(&["one GeoJSON text per line"])),
    ("utf16.geojson", Error(&["UTF-16"])),
    ("with_point.geojson", Error(&["feature 2", "Point"])),
    ("wkt.txt", Error(&["WKT"])),
    ("wrapped_minus_441.geojson", Error(&["longitude -44"])),
    ("z.geojson", Rows(35)),
];

#[test]
fn regions_of_map_programs_select_their_segments_or_name_the_problem() {
    let (Some(folder), Some(granule)) = (inputs(), release_004()) else { return };
    let folder = folder.join("regions");
    assert_eq!(files(&folder), REGIONS.map(|(name, _)| name), "expected an outcome of each region of the script");
    let place = TestFolder::in_memory();
    place.ok(&["ingest", granule.to_str().unwrap()]);
    super::outcome::all_good(REGIONS.map(|(name, expected)| {
        let file = folder.join(name);
        let run =
            place.run(&["query", "--format", "csv", "--region", file.to_str().unwrap(), "SELECT count(*) FROM atl08"]);
        let wrong = |what: &str| Err(format!("{name}: expected {expected:?}, {what}\n{}{}", run.stdout, run.stderr));
        match expected {
            Rows(rows) if run.code == Some(0) => match run.stdout.lines().nth(1) == Some(&rows.to_string()) {
                true => Ok(()),
                false => wrong("found other rows"),
            },
            Error(_) if run.code != Some(1) || !run.stdout.is_empty() => wrong("found no error"),
            Error(_) if run.stderr.matches("error: ").count() != 1 => wrong("found another number of errors"),
            Error(_) if !run.stderr.contains(name) => wrong("the file is not named"),
            Error(causes) => match causes.iter().all(|cause| run.stderr.contains(cause)) {
                true => Ok(()),
                false => wrong("found another error"),
            },
            Rows(_) => wrong("found an error"),
        }
    }));
}
