//! Malicious files in a folder of good ones: each fails alone and by name, and nothing else is lost.

use std::fs;

use isdb_testing::hostile_files;

use crate::support::TestFolder;
use crate::support::handmade_granule as handmade;

#[test]
fn malicious_files_fail_by_name_and_good_granules_are_ingested() {
    let place = TestFolder::in_memory();
    fs::create_dir(place.path("granules")).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(place.path(&format!("granules/{name}")), bytes).unwrap();
    put("good.h5", &isdb_testing::granule());
    let files = hostile_files();
    files.iter().for_each(|file| put(file.name, &file.bytes));

    let run = place.run(&["ingest", "granules"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    for file in &files {
        let failed = run.stderr.lines().find(|line| line.starts_with("failed: ") && line.contains(file.name));
        let line = failed.unwrap_or_else(|| panic!("{} is not named in:\n{}", file.name, run.stderr));
        assert!(line.contains(file.error), "expected {:?}, found {line}", file.error);
    }
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    let rows = "SELECT granule LIKE 'good-%', count(*), min(latitude), max(latitude) FROM atl08 GROUP BY granule";
    assert_eq!(place.rows(rows), ["true,3,10.0,10.5"]);

    // They do not affect the next run.
    handmade::granule(&place, &format!("granules/{}", handmade::NAME), &[1.0, 1.1], |_| {});
    let again = place.run(&["ingest", "granules"]);
    assert_eq!(again.code, Some(3), "{}", again.stderr);
    assert!(again.stderr.contains(&format!("{} failed before", files.len())), "{}", again.stderr);
    assert_eq!(place.rows("SELECT count(*), count(DISTINCT granule) FROM atl08"), ["5,2"]);
}

#[test]
fn control_characters_in_file_names_are_escaped() {
    let place = TestFolder::in_memory();
    fs::create_dir(place.path("granules")).unwrap();
    fs::write(place.path("granules/a\u{1b}[2J\rb.h5"), "no granule").unwrap();
    fs::write(place.path("granules/c\u{1b}[31m\nd.h5"), isdb_testing::granule()).unwrap();
    let run = place.run(&["ingest", "granules"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let failed = run.stderr.lines().find(|line| line.starts_with("failed: ")).unwrap();
    assert!(failed.contains(r"granules/a\u{1b}[2J\rb.h5: not an HDF5 file"), "{failed}");
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\r'), "{:?}", run.stderr);
    let granule = place.rows("SELECT granule FROM granules WHERE state = 'ingested'");
    assert!(granule.len() == 1 && granule[0].starts_with(r"c\u{1b}[31m\nd-"), "{granule:?}");
}
