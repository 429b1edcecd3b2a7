//! Texts that people write: configs, regions and netrc files.

use std::path::PathBuf;
use std::sync::LazyLock;

use isdb_cmr::{Login, Secret};
use isdb_region::Region;
use isdb_schema::config::Config;

/// A config is within its documented limits, or its error names the file.
pub(crate) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::parse("fuzzed.yml", text) {
        Ok(config) => {
            assert!(config.memory.is_none_or(|memory| memory as u64 >= isdb_schema::config::LEAST_MEMORY));
            assert!(config.window.granules > 0)
        }
        Err(error) => {
            assert!(error.to_string().starts_with("fuzzed.yml"), "an error that does not name the file: {error}")
        }
    }
}

/// Positions to test besides the centres of the region's boxes.
const POSITIONS: [(f64, f64); 6] =
    [(0.0, 0.0), (90.0, 0.0), (-90.0, 17.0), (10.0, 180.0), (10.0, -180.0), (48.3, -81.6)];

/// A region can be written and read again, its boxes contain it, and its search shapes are few.
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
        let is_inside = region.contains(latitude, longitude);
        // Both signs of 180 are one meridian.
        let is_in_a_box = inside(latitude, longitude) || (longitude.abs() == 180.0 && inside(latitude, -longitude));
        assert!(!is_inside || is_in_a_box, "{latitude} {longitude} is in the region and in none of {boxes:?}");
        assert_eq!(region.mask(&[latitude], &[longitude]).value(0), is_inside);
    }
    let shapes = region.covering_shapes(200);
    assert!(!shapes.is_empty() && shapes.len() <= 20, "{} shapes", shapes.len());
    assert!(region.covers(&region) && region.union(&region).covers(&region));
}

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    folder.expect("a temporary folder")
});

/// The machine whose entry is written, and another whose entry must stay.
const MACHINES: [&str; 2] = ["urs.earthdata.nasa.gov", "other.example"];

/// A stored login is found again and other entries stay the same; or the edit is refused and the file stays the same.
pub(crate) fn netrc(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // One file per thread, because tests of one process run in parallel.
    let path: PathBuf = FOLDER.path().join(format!("{:?}", std::thread::current().id()));
    std::fs::write(&path, text).unwrap();
    let [own, other] = MACHINES;
    let entry = |machine: &str| {
        let found = isdb_cmr::netrc::found(&path, machine);
        found.map(|(login, _)| login.map(|login| (login.user, login.password.reveal().to_owned()))).map_err(|error| {
            assert!(
                error.to_string().contains(&*path.to_string_lossy()),
                "an error that does not name the file: {error}"
            );
        })
    };
    let before = entry(other);
    let _ = entry(own);
    let login = Login { user: "ann".to_owned(), password: Secret::new("a \"b\" \\c #d"), whence: String::new() };
    match isdb_cmr::netrc::remember(&path, own, &login) {
        Ok(()) => {
            assert_eq!(entry(own), Ok(Some((login.user.clone(), login.password.reveal().to_owned()))));
            assert_eq!(entry(other), before, "another machine's entry changed");
        }
        Err(_) => assert_eq!(std::fs::read(&path).unwrap(), input, "a refused change was made"),
    }
    std::fs::remove_file(&path).unwrap();
}
