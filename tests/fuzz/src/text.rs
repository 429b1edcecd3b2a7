//! Texts of users: configs, regions, netrc files.

use std::path::PathBuf;
use std::sync::LazyLock;

use isdb_cmr::{ExposeSecret, Login, SecretString};
use isdb_region::{GeoFeature, Region, RegionIndex};
use isdb_schema::config::Config;

/// Parsing a config twice gives equal results, or its error names the file.
pub(crate) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::parse("fuzzed.yml", text) {
        Ok(config) => {
            assert!(config.memory.is_none_or(|memory| memory as u64 >= isdb_schema::config::MIN_MEMORY));
            assert!(config.window.granules > 0)
        }
        Err(error) => {
            assert!(error.to_string().starts_with("fuzzed.yml"), "an error that does not name the file: {error}")
        }
    }
}

/// Positions tried against a region, beside those of the region itself.
const POSITIONS: [(f64, f64); 6] =
    [(0.0, 0.0), (90.0, 0.0), (-90.0, 17.0), (10.0, 180.0), (10.0, -180.0), (48.3, -81.6)];

/// A region is equal after it is written and read; its boxes and the shapes for the search of the archive cover it.
pub(crate) fn geojson(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(region) = Region::parse(text) else { return };
    let written = region.to_text();
    let again = Region::parse(&written);
    assert_eq!(again.as_ref().ok(), Some(&region), "{written}: {again:?}");
    let boxes = region.boxes();
    assert!(!boxes.is_empty() && boxes.len() <= 16, "{} boxes", boxes.len());
    let inside = |latitude: f64, longitude: f64| {
        boxes.iter().any(|bounds| {
            (bounds.south..=bounds.north).contains(&latitude) && (bounds.west..=bounds.east).contains(&longitude)
        })
    };
    let centres = boxes.iter().map(|bounds| ((bounds.south + bounds.north) / 2.0, (bounds.west + bounds.east) / 2.0));
    for (latitude, longitude) in POSITIONS.into_iter().chain(centres.clone()) {
        let held = region.contains(latitude, longitude);
        // Both signs of 180 are one meridian.
        let is_in_a_box = inside(latitude, longitude) || (longitude.abs() == 180.0 && inside(latitude, -longitude));
        assert!(!held || is_in_a_box, "{latitude} {longitude} is in the region and in none of {boxes:?}");
        assert_eq!(region.mask(&[latitude], &[longitude]).value(0), held);
    }
    let shapes = region.covering_shapes(200);
    assert!(!shapes.is_empty() && shapes.len() <= 20, "{} shapes", shapes.len());
    assert!(region.covers(&region) && region.union(&region).covers(&region));
    features(input, &region);
}

/// The features of a file together are its region, and each has its geometry.
fn features(input: &[u8], all: &Region) {
    let Ok(features) = GeoFeature::read_all(input) else { return };
    let regions: Vec<Region> = features.iter().filter_map(|feature| feature.region().ok()).collect();
    assert_eq!(regions.len(), features.len(), "every feature of a region has an area");
    for (latitude, longitude) in POSITIONS {
        let is_in_one = regions.iter().any(|region| region.contains(latitude, longitude));
        assert_eq!(all.contains(latitude, longitude), is_in_one, "{latitude} {longitude}");
    }
    assert!(features.iter().all(|feature| feature.geometry().is_some()));
    let mut found = Vec::new();
    let index = RegionIndex::new(regions);
    for (latitude, longitude) in POSITIONS {
        index.containing(latitude, longitude, &mut found);
        assert!(found.is_empty() || all.contains(latitude, longitude), "{latitude} {longitude}");
    }
}

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    folder.expect("a temporary folder")
});

/// The machine of the written entry, and another machine, whose entry must stay.
const MACHINES: [&str; 2] = ["urs.earthdata.nasa.gov", "other.example"];

/// A stored login is found again and nothing else changes, or the file stays unchanged.
pub(crate) fn netrc(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // One for each thread: tests of one process run at the same time.
    let path: PathBuf = FOLDER.path().join(format!("{:?}", std::thread::current().id()));
    std::fs::write(&path, text).unwrap();
    let [own, other] = MACHINES;
    let said = |machine: &str| {
        let found = isdb_cmr::netrc::read_login(&path, machine);
        found.map(|(login, _)| login.map(|login| (login.user, login.password.expose_secret().to_owned()))).map_err(
            |error| {
                assert!(
                    error.to_string().contains(&*path.to_string_lossy()),
                    "an error that does not name the file: {error}"
                );
            },
        )
    };
    let before = said(other);
    let _ = said(own);
    let login = Login { user: "ann".to_owned(), password: SecretString::from("a \"b\" \\c #d"), origin: String::new() };
    match isdb_cmr::netrc::store_login(&path, own, &login) {
        Ok(()) => {
            assert_eq!(said(own), Ok(Some((login.user.clone(), login.password.expose_secret().to_owned()))));
            assert_eq!(said(other), before, "another machine's entry changed");
        }
        Err(_) => assert_eq!(std::fs::read(&path).unwrap(), input, "a refused change was made"),
    }
    std::fs::remove_file(&path).unwrap();
}
