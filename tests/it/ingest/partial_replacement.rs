//! Partial replacement never loses segments: those that a newer file lacks stay, and replaced ones come back when it is removed.

use std::fs;
use std::path::PathBuf;

use isdb_testing::real;

use crate::support::{Run, TestFolder};

const COUNTS: &str = "SELECT count(*), count(DISTINCT concat(beam, segment_id_beg)) FROM atl08";

/// Writes one granule or a subset of it into `folder`; always the same granule.
fn make(place: &TestFolder, folder: &str, options: &[&str]) {
    place.make_granules(folder, &[&["--count", "1"], options].concat());
}

/// Writes the segments `from` to `to` of the granule, of this revision, as a subsetter does.
fn clip(place: &TestFolder, folder: &str, from: usize, to: usize, revision: usize) {
    let [from, to, revision] = [from, to, revision].map(|number| number.to_string());
    make(place, folder, &["--subset", &from, "--segments", &to, "--revision", &revision]);
}

/// A folder with the whole granule, 60 segments per beam, in the database `whole.db`.
fn place() -> TestFolder {
    let place = TestFolder::in_memory();
    make(&place, "whole", &["--segments", "60"]);
    place.ok(&["--db", "whole.db", "ingest", "whole"]);
    place
}

fn file(place: &TestFolder, folder: &str) -> PathBuf {
    fs::read_dir(place.path(folder)).unwrap().next().unwrap().unwrap().path()
}

/// Beams and ids of all segments, in order.
fn segments(place: &TestFolder, database: &str) -> Vec<String> {
    place.rows_with(&["--db", database], "SELECT beam, segment_id_beg FROM atl08 ORDER BY beam, segment_id_beg")
}

/// Asserts that the database has each segment of the whole granule once.
fn is_whole(place: &TestFolder, case: &str) {
    assert_eq!(segments(place, "db"), segments(place, "whole.db"), "{case}");
    let sums = "SELECT (SELECT bool_and(rows_read = rows_kept + rows_rejected + rows_removed) FROM granules), \
                (SELECT sum(rows_kept) FROM granules_current) = (SELECT count(*) FROM segments)";
    assert_eq!(place.rows(sums), ["true,true"], "{case}");
}

fn count(place: &TestFolder, condition: &str) -> u64 {
    place.rows(&format!("SELECT count(*) FROM atl08 WHERE {condition}"))[0].parse().unwrap()
}

fn has(run: &Run, code: i32, message: &[&str]) {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    for part in message {
        assert!(run.stderr.contains(part), "no {part:?} in\n{}", run.stderr);
    }
}

#[test]
fn a_newer_subset_replaces_its_own_segments_and_no_others() {
    let place = place();
    for (folder, from, to) in [("a", 0, 20), ("b", 20, 40), ("c", 40, 60)] {
        clip(&place, folder, from, to, 1);
    }
    place.ok(&["ingest", "a", "b", "c"]);
    is_whole(&place, "three clips");
    // A part of the first subset, and a part of the second.
    clip(&place, "newer", 10, 30, 2);
    place.ok(&["--db", "newer.db", "ingest", "newer"]);
    let newer = segments(&place, "newer.db").len() as u64;
    let old = count(&place, "true");

    let message = ["segments that it lacks stay", &format!("{newer} segments read and {newer} kept before")];
    let dry = place.ok(&["ingest", "--dry-run", "newer"]).stderr;
    assert!(
        dry.contains("would be replaced: ") && dry.contains(" segments of ") && dry.contains("the others stay"),
        "{dry}"
    );
    assert_eq!(count(&place, "revision = '01'"), old, "a dry run changes nothing");
    let run = place.ok(&["ingest", "--report", "r.json", "newer"]);
    has(&run, 0, &message);
    assert!(run.stderr.contains("granules: 1 replaced"), "{}", run.stderr);
    is_whole(&place, "newer over two of three");
    assert_eq!((count(&place, "revision = '02'"), count(&place, "revision = '01'")), (newer, old - newer));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(place.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["granules"][0]["rows_kept_before"], newer);
    assert_eq!(report["granules"][0]["replaces_in_part"].as_array().unwrap().len(), 2);
    // Everything is stored already, in any order.
    let again = place.ok(&["ingest", "newer", "a", "b", "c"]).stderr;
    assert!(again.contains("granules: 4 skipped"), "{again}");
    is_whole(&place, "again");

    // The reverse order gives the same result.
    fs::remove_dir_all(place.path("db")).unwrap();
    for folders in [&["a", "newer"][..], &["b", "c"]] {
        place.ok(&[&["ingest"], folders].concat());
    }
    is_whole(&place, "the others after it");
    assert_eq!(count(&place, "revision = '02'"), newer);
    fs::remove_dir_all(place.path("db")).unwrap();
    place.ok(&["ingest", "a", "b", "c", "newer"]);
    is_whole(&place, "all at a time");
    assert_eq!(count(&place, "revision = '02'"), newer);
}

#[test]
fn a_partly_replaced_subset_survives_vacuum_and_its_older_state_can_be_queried() {
    let place = place();
    clip(&place, "old", 0, 60, 1);
    clip(&place, "newer", 10, 30, 2);
    place.ok(&["ingest", "old"]);
    let (at, before) = (place.timestamp(), count(&place, "true"));
    place.ok(&["ingest", "newer"]);
    is_whole(&place, "replaced in part");
    assert_eq!(
        place.rows_with(&["--at", &at], "SELECT count(*) FROM atl08 WHERE revision = '01'"),
        [before.to_string()]
    );
    place.ok(&["consolidate"]);
    place.ok(&["vacuum", "--older-than", "0s"]);
    is_whole(&place, "after vacuum");
    let current = "SELECT revision, state FROM granules_current ORDER BY revision";
    assert_eq!(place.rows(current), ["01,ingested", "02,ingested"]);
}

#[test]
fn replaced_segments_come_back_when_the_newer_file_changes() {
    let place = place();
    clip(&place, "north", 0, 40, 1);
    clip(&place, "south", 20, 60, 1);
    place.ok(&["ingest", "north"]);
    place.ok(&["ingest", "south"]);
    is_whole(&place, "merged");
    let changed = |to: usize| {
        fs::remove_dir_all(place.path("north")).unwrap();
        clip(&place, "north", 0, to, 1);
    };
    changed(30);
    let dry = place.ok(&["ingest", "--dry-run", "north"]).stderr;
    assert!(dry.contains("would be read again: ") && dry.contains("south/processed_ATL08"), "{dry}");
    let run = place.ok(&["ingest", "north"]);
    has(&run, 0, &["the file has changed since it was ingested", "granules: 2 replaced"]);
    is_whole(&place, "the south has all of its own");
    assert!(place.ok(&["ingest", "north", "south"]).stderr.contains("granules: 2 skipped"));

    // The file with the remaining segments is missing: a warning says so, and the others stay.
    changed(25);
    fs::rename(place.path("south"), place.path("away")).unwrap();
    let run = place.run(&["ingest", "north"]);
    has(
        &run,
        3,
        &["failed: again: ", "south/processed_ATL08", "it is no longer there", "may be missing from the database"],
    );
    assert_ne!(segments(&place, "db"), segments(&place, "whole.db"));
    // The warning is not repeated.
    has(&place.run(&["ingest", "north"]), 0, &["granules: 1 skipped"]);
    fs::rename(place.path("away"), place.path("south")).unwrap();
    let run = place.ok(&["ingest", "north"]);
    assert!(run.stderr.contains("granules: 1 replaced, 1 skipped"), "{}", run.stderr);
    is_whole(&place, "the file is there again");
}

#[test]
fn replaced_segments_come_back_when_the_newer_file_is_removed() {
    let place = place();
    clip(&place, "old", 0, 60, 1);
    clip(&place, "newer", 10, 30, 2);
    place.ok(&["ingest", "old"]);
    place.ok(&["ingest", "newer"]);
    let newer = count(&place, "revision = '02'");
    let id = place.rows("SELECT granule FROM granules_current WHERE revision = '02'")[0].clone();
    let dry = place.ok(&["remove", "--dry-run", &id]).stderr;
    assert!(dry.contains("would be read again: ") && dry.contains("old/processed_ATL08"), "{dry}");
    let run = place.ok(&["remove", &id]);
    has(&run, 0, &[&format!("removed: 1 granules, {newer} segments"), "granules: 1 replaced"]);
    is_whole(&place, "the older revision has them again");
    assert_eq!(count(&place, "revision = '02'"), 0);
    // A granule removed on purpose stays removed, although another revision is current.
    assert!(place.ok(&["ingest", "newer", "old"]).stderr.contains("1 removed on purpose"));
    assert_eq!(count(&place, "revision = '02'"), 0);
    place.ok(&["ingest", file(&place, "newer").to_str().unwrap()]);
    assert_eq!(count(&place, "revision = '02'"), newer);
    is_whole(&place, "brought back");
    // Removing warns as well when the file with the remaining segments is missing.
    fs::remove_dir_all(place.path("old")).unwrap();
    let run = place.run(&["remove", &id]);
    has(&run, 3, &["removed: 1 granules", "failed: again: ", "it is no longer there"]);
}

#[test]
fn a_file_with_less_than_half_of_the_segments_replaces_nothing_unless_forced() {
    let place = place();
    place.ok(&["ingest", "whole"]);
    is_whole(&place, "first");
    let path = file(&place, "whole");
    let whole = fs::read(&path).unwrap();
    make(&place, "whole", &["--segments", "20"]);
    for arguments in [&["ingest", "whole"][..], &["ingest", "--retry", "whole"]] {
        let run = place.run(arguments);
        has(&run, 3, &["failed: replace: ", "expected at least half of the ", "nothing was replaced", "--force"]);
        is_whole(&place, "what is stored stays");
    }
    has(&place.run(&["ingest", "whole"]), 3, &["1 failed before", "--force"]);
    let run = place.ok(&["ingest", "--force", "whole"]);
    has(&run, 0, &["granules: 1 replaced", " segments read and ", " kept before, "]);
    assert!(segments(&place, "db").len() < segments(&place, "whole.db").len() / 2);
    let note = place.rows("SELECT notes FROM granules_current");
    assert!(note[0].contains("before: ") && note[0].contains(" segments read, "), "{note:?}");
    // A file with more segments needs no --force.
    fs::write(&path, whole).unwrap();
    place.ok(&["ingest", "whole"]);
    is_whole(&place, "all again");

    // A newer revision without most of the segments is refused as well.
    make(&place, "broken", &["--segments", "20", "--revision", "2"]);
    has(&place.run(&["ingest", "broken"]), 3, &["failed: replace: "]);
    is_whole(&place, "the older revision stays");
}

#[test]
fn the_half_is_counted_before_filters_or_after_equal_filters() {
    let place = place();
    place.ok(&["ingest", "whole"]);
    // With other filters the rows kept do not count.
    let run = place.ok(&["ingest", "--filters", "strong", "--refilter", "whole"]);
    assert!(run.stderr.contains("granules: 1 replaced"), "{}", run.stderr);
    let strong = count(&place, "true");
    assert!(strong > 0 && count(&place, "beam_strength = 'weak'") == 0);
    fs::write(place.path("c.yml"), "product: ATL08\nfilters:\n  - none_passes: latitude > 89\n").unwrap();
    let run = place.ok(&["--config", "c.yml", "ingest", "--refilter", "whole"]);
    assert!(run.stderr.contains("granules: 1 empty"), "{}", run.stderr);
    assert_eq!(count(&place, "true"), 0);
}

/// The real extracts of one granule: without variables, with one, and with eight but without one beam.
fn extracts() -> Option<Vec<PathBuf>> {
    let names = [
        "nsidc_test_atl08_r007_6beams_217d0236.h5",
        "extracts/nsidc_test_atl08_r007_aadba29f.h5",
        "extracts/nsidc_test_atl08_r007_ba72df6d.h5",
    ];
    names.into_iter().map(real).collect()
}

#[test]
fn extracts_of_one_granule_are_stored_once_and_the_richer_keeps_its_values() {
    const NAME: &str = "ATL08_20260118035703_05313006_007_01.h5";
    let Some(extracts) = extracts() else { return };
    let place = TestFolder::in_memory();
    // Under different names, and under the granule's name in different folders.
    let mut sets: Vec<Vec<String>> = vec![Vec::new(), Vec::new(), Vec::new()];
    for (index, path) in extracts.iter().enumerate() {
        let own = path.file_name().unwrap().to_str().unwrap();
        for (set, name) in [("own", own), ("named", NAME)] {
            fs::create_dir_all(place.path(&format!("{set}{index}"))).unwrap();
            fs::copy(path, place.path(&format!("{set}{index}/{name}"))).unwrap();
        }
        sets[0].push(format!("own{index}"));
        sets[1].push(format!("named{index}"));
        sets[2].push(format!("{}{index}", ["own", "named", "own"][index]));
    }
    let places = "SELECT count(*), count(DISTINCT concat_ws(' ', beam, latitude, longitude, time)) FROM ";
    // Only the third has terrain, but not gt2l; of the others the first has canopy heights.
    let values = "SELECT beam, count(h_canopy), count(h_te_best_fit) FROM atl08 GROUP BY beam ORDER BY beam";
    for (set, order, together) in [
        (0, [0, 1, 2], false),
        (0, [2, 1, 0], false),
        (1, [1, 2, 0], true),
        (2, [1, 0, 2], false),
        (2, [2, 0, 1], true),
    ] {
        let folders: Vec<&str> = order.iter().map(|index: &usize| sets[set][*index].as_str()).collect();
        let case = format!("{folders:?}, together: {together}");
        let _ = fs::remove_dir_all(place.path("db"));
        match together {
            true => drop(place.ok(&[&["ingest"], &folders[..]].concat())),
            false => folders.iter().for_each(|folder| drop(place.ok(&["ingest", folder]))),
        }
        for view in ["atl08", "atl08_unique"] {
            assert_eq!(place.rows(&format!("{places}{view}")), ["606,606"], "{case}: {view}");
        }
        let found = place.rows(values);
        let expected = ["gt1l,87,101", "gt1r,81,101", "gt2l,86,0", "gt2r,86,101", "gt3l,92,101", "gt3r,81,101"];
        assert_eq!(found, expected, "{case}");
        let again = place.ok(&[&["ingest"], &folders[..]].concat()).stderr;
        assert!(again.contains("granules: 3 skipped"), "{case}: {again}");
    }
}

#[test]
fn a_granule_and_its_extract_without_id_are_stored_once() {
    let place = place();
    make(&place, "extract", &["--segments", "60", "--extract"]);
    make(&place, "part", &["--subset", "30", "--segments", "60", "--extract"]);
    for (folders, together) in [
        (["whole", "extract"], false),
        (["extract", "whole"], false),
        (["extract", "whole"], true),
        (["part", "whole"], false),
        (["extract", "part"], false),
        (["part", "extract"], true),
    ] {
        let case = format!("{folders:?}, together: {together}");
        let _ = fs::remove_dir_all(place.path("db"));
        match together {
            true => drop(place.ok(&[&["ingest"], &folders[..]].concat())),
            false => folders.iter().for_each(|folder| drop(place.ok(&["ingest", folder]))),
        }
        is_whole(&place, &case);
        let again = place.ok(&[&["ingest"], &folders[..]].concat()).stderr;
        assert!(again.contains("granules: 2 skipped"), "{case}: {again}");
        if folders.contains(&"whole") {
            assert_eq!(place.rows("SELECT count(*) FROM atl08 WHERE cycle IS NULL"), ["0"], "{case}");
        }
    }
}

#[test]
fn a_subset_outside_the_area_of_a_granule_is_stored_beside_it() {
    let place = place();
    clip(&place, "south", 0, 20, 1);
    place.ok(&["--db", "south.db", "ingest", "south"]);
    let of_south = "SELECT min(latitude), max(latitude), min(longitude) - 1, max(longitude) + 1 FROM atl08";
    let bounds: Vec<f64> =
        place.rows_with(&["--db", "south.db"], of_south)[0].split(',').map(|number| number.parse().unwrap()).collect();
    let [low, high, west, east] = bounds[..] else { panic!("{bounds:?}") };
    // The whole granule is accepted where the subset has half of its segments.
    let region = format!("{west},{low},{east},{}", (low + high) / 2.0);
    place.ok(&["ingest", "--region", &region, "whole"]);
    let south = segments(&place, "south.db");
    let found = segments(&place, "db");
    assert!(!found.is_empty() && south.iter().any(|segment| !found.contains(segment)), "some of it, not all");
    let run = place.ok(&["ingest", "--whole-granules", "south"]);
    assert!(run.stderr.contains("already stored"), "{}", run.stderr);
    let (all, distinct) = place.rows(COUNTS)[0].split_once(',').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(all, distinct);
    let stored = segments(&place, "db");
    assert!(south.iter().all(|segment| stored.contains(segment)), "all of the clip");
}

#[test]
fn a_temporarily_unreadable_file_is_read_by_the_next_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    let path = file(&place, "whole");
    let Some(mut command) = place.bound_command(&["ingest", "whole"]) else { return };
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let run = Run::from(command.output().unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    has(&run, 3, &["failed: read: ", "ermission denied"]);
    assert_eq!(place.rows("SELECT state, stage FROM granules"), ["failed,read"]);
    // Its size and time are unchanged, and --retry is not given.
    has(&place.ok(&["ingest", "whole"]), 0, &["granules: 1 ingested"]);
    is_whole(&place, "readable again");
}
