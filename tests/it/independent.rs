//! The database against readers that share no code with isdb: h5py for the granules, TileDB-Py for the arrays.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Place, real_granule, release_004};

/// Where `make test` has put h5py and TileDB-Py.
fn packages() -> Option<PathBuf> {
    let packages = std::env::var_os("ISDB_TEST_PYTHON_PACKAGES").map(PathBuf::from);
    if packages.is_none() {
        eprintln!("skipped: ISDB_TEST_PYTHON_PACKAGES does not name h5py and TileDB-Py (make test installs them)");
    }
    packages
}

/// Compares every value and NULL of the database with the granules it came from, at the timestamp that `isdb info` prints.
fn compare(place: &Place) {
    let Some(packages) = packages() else { return };
    let info = place.ok(&["info"]).stdout;
    let timestamp = info.split("timestamp=").nth(1).unwrap().split(')').next().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/compare.py");
    let compared = Command::new("python3")
        .arg(script)
        .arg(place.path("db"))
        .arg(timestamp)
        .env("PYTHONPATH", packages)
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&compared.stdout), String::from_utf8_lossy(&compared.stderr));
    assert!(compared.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("equal"), "{stdout}");
}

#[test]
fn every_value_and_null_of_the_release_004_granule_is_h5py_s() {
    let Some(granule) = release_004() else { return };
    let place = Place::new();
    place.ok(&["ingest", granule.to_str().unwrap()]);
    compare(&place);
}

#[test]
fn every_value_and_null_of_the_release_007_extract_is_h5py_s() {
    let Some(granule) = real_granule("nsidc_test_atl08_r007_6beams_217d0236.h5") else { return };
    let place = Place::new();
    place.ok(&["ingest", granule.to_str().unwrap()]);
    compare(&place);
}

#[test]
fn every_value_and_null_of_synthetic_granules_is_h5py_s() {
    let place = Place::new();
    place.synthesise("granules", 4, 200);
    place.ok(&["ingest", "granules"]);
    compare(&place);
}
