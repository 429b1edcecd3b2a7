//! Values of rasters at positions, compared with GDAL's, and grids that line up with a raster.

use std::fs;

use isdb_testing::TestRaster;

use crate::support::TestFolder;
use crate::support::python::script;

fn prepared() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    place
}

#[test]
fn gdal_has_the_same_values_in_rasters_of_every_kind() {
    let place = prepared();
    fs::create_dir(place.path("rasters")).unwrap();
    let Some(made) = script("raster.py", &["make".into(), place.path("rasters")]) else { return };
    for kind in made.lines() {
        let (name, band) = kind.split_once(' ').unwrap();
        let file = format!("rasters/{name}");
        let sql = format!(
            "SELECT n, sample(latitude, longitude, '{file}.tif', {band}) AS nearest, \
             sample(latitude, longitude, '{file}.tif', {band}, 'bilinear') AS bilinear, \
             raster_cell(latitude, longitude, '{file}.tif') AS cell FROM '{file}.csv'"
        );
        place.ok(&["query", "-o", &format!("{file}.out.csv"), &sql]);
    }
    let compared = script("raster.py", &["compare".into(), place.path("rasters")]).unwrap();
    assert!(compared.starts_with("equal: "), "{compared}");
}

#[test]
fn mistakes_in_a_call_are_explained() {
    let place = prepared();
    fs::write(place.path("dem.tif"), TestRaster::degrees(4, -62.0, -3.0, 1.0, vec![1.0; 16]).to_bytes()).unwrap();
    let national = TestRaster { epsg: (26717, false), ..TestRaster::degrees(4, 0.0, 0.0, 1.0, vec![1.0; 16]) };
    fs::write(place.path("national.tif"), national.to_bytes()).unwrap();
    for (call, problem) in [
        (
            "sample(longitude, latitude, 'dem.tif')",
            "error: sample has longitude and latitude exchanged\nhint: write sample(latitude, longitude, 'file.tif')",
        ),
        (
            "raster_cell(longitude, latitude, 'dem.tif')",
            "error: raster_cell has longitude and latitude exchanged\nhint: ",
        ),
        (
            "sample(latitude, longitude, 'dem.tif', 2)",
            "error: dem.tif: expected a band from 1 to 1, found 2\nhint: bands count",
        ),
        (
            "sample(latitude, longitude, 'dem.tif', 'cubic')",
            "error: sample: expected 'nearest' or 'bilinear', found 'cubic'\nhint: ",
        ),
        ("sample(latitude, longitude, 'none.tif')", "error: none.tif: it cannot be read: No such file or directory"),
        (
            "sample(latitude, longitude, 'national.tif')",
            "error: national.tif: positions cannot be converted to its coordinate system, EPSG:26717: the shift from WGS 84 needs a grid \
             of its datum, which isdb does not have\nhint: `gdalwarp -t_srs EPSG:4326 national.tif out.tif` converts the file",
        ),
    ] {
        let run = place.run(&["query", &format!("SELECT {call} FROM atl08")]);
        assert!(run.code != Some(0) && run.stderr.contains(problem), "{call}: {}", run.stderr);
    }
    let filter = "product: ATL08\nfilters:\n  - forest: sample(latitude, longitude, 'dem.tif') > 0\n";
    fs::write(place.path("filters.yml"), filter).unwrap();
    let recorded = place.run(&["--config", "filters.yml", "--db", "other", "ingest", "granules"]);
    assert!(
        recorded.code != Some(0) && recorded.stderr.contains("forest: sample does not give the same result every time"),
        "{}",
        recorded.stderr
    );
    assert!(!place.path("other").exists());
}

#[test]
fn a_grid_like_a_raster_has_its_pixels() {
    let place = prepared();
    place.ok(&[
        "query",
        "-o",
        "rows.parquet",
        "--geometry",
        "none",
        "SELECT longitude, latitude, h_canopy FROM atl08_unique",
    ]);
    let Some(made) = script("grid_like.py", &["make".into(), place.path("")]) else { return };
    for name in made.lines() {
        let run = place.ok(&[
            "grid",
            "-o",
            &format!("{name}.grid.tif"),
            "--like",
            &format!("{name}.tif"),
            "--value",
            "avg(h_canopy)",
        ]);
        assert!(run.stderr.contains("cells: "), "{}", run.stderr);
        place.ok(&[
            "grid",
            "-o",
            &format!("{name}.grid.csv"),
            "--like",
            &format!("{name}.tif"),
            "--value",
            "avg(h_canopy)",
        ]);
    }
    let compared = script("grid_like.py", &["compare".into(), place.path("")]).unwrap();
    assert!(compared.starts_with("equal: "), "{compared}");
}

#[test]
fn a_grid_like_a_raster_reads_only_there_and_needs_segments_in_it() {
    let place = prepared();
    let far = TestRaster::degrees(4, 100.0, 60.0, 1.0, vec![1.0; 16]);
    fs::write(place.path("far.tif"), far.to_bytes()).unwrap();
    let run = place.run(&["grid", "-o", "x.tif", "--like", "far.tif", "--value", "avg(h_canopy)"]);
    assert!(run.code != Some(0) && run.stderr.contains("no cell of the grid has a segment\nhint: "), "{}", run.stderr);
    let both = place.run(&["grid", "-o", "x.tif", "--like", "far.tif", "--cell", "1km", "--value", "avg(h_canopy)"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    let none = place.run(&["grid", "-o", "x.tif", "--value", "avg(h_canopy)"]);
    assert_eq!(none.code, Some(2), "{}", none.stderr);
    let missing = place.run(&["grid", "-o", "x.tif", "--like", "none.tif", "--value", "avg(h_canopy)"]);
    assert!(missing.stderr.contains("error: none.tif: it cannot be read"), "{}", missing.stderr);
    assert!(!place.path("x.tif").exists());
}
