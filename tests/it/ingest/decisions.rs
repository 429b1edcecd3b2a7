//! Which granules an ingest adds, replaces, skips or refuses, and removed granules.

use std::fs;
use std::path::PathBuf;

use crate::support::{Run, TestFolder, release_004};

const DISTINCT: &str = "SELECT count(*), count(DISTINCT concat(granule, beam, segment_id_beg)) FROM atl08";
const CURRENT: &str = "SELECT revision, subset, state FROM granules_current ORDER BY revision, subset";

/// A folder with one granule in `granules`.
fn place() -> TestFolder {
    let place = TestFolder::new();
    make(&place, "granules", &[]);
    place
}

/// Writes one granule into `folder`; always the same one, unless `options` differ.
fn make(place: &TestFolder, folder: &str, options: &[&str]) {
    place.make_granules(folder, &[&["--count", "1", "--segments", "60"], options].concat());
}

/// The one file in `folder`.
fn file(place: &TestFolder, folder: &str) -> PathBuf {
    fs::read_dir(place.path(folder)).unwrap().next().unwrap().unwrap().path()
}

fn count(place: &TestFolder) -> u64 {
    place.rows("SELECT count(*) FROM atl08")[0].parse().unwrap()
}

/// The standard error of an ingest that must succeed.
fn ingested(place: &TestFolder, arguments: &[&str]) -> String {
    place.ok(&[&["ingest"], arguments].concat()).stderr
}

fn has(run: &Run, code: i32, message: &[&str]) {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    for part in message {
        assert!(run.stderr.contains(part), "no {part:?} in\n{}", run.stderr);
    }
}

/// Damages the rows of a granule, but not its identity.
fn damage(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    let piece = bytes.len() / 4;
    for byte in &mut bytes[middle - piece..middle + piece] {
        *byte = 0x5a;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_newer_revision_is_stored_whichever_comes_first() {
    for together in [true, false] {
        for newer_first in [true, false] {
            let place = place();
            make(&place, "newer", &["--revision", "2"]);
            let mut folders = ["granules", "newer"];
            if newer_first {
                folders.reverse();
            }
            let message = if together {
                ingested(&place, &folders)
            } else {
                folders.map(|folder| ingested(&place, &[folder])).concat()
            };
            assert_eq!(place.rows(CURRENT), ["02,false,ingested"], "{message}");
            let left_out = together || newer_first;
            assert_eq!(message.contains("1 older than the stored file"), left_out, "{message}");
            assert_eq!(message.contains("granules: 1 replaced"), !left_out, "{message}");
            let rows = place.rows(DISTINCT);
            let (all, distinct) = rows[0].split_once(',').unwrap();
            assert_eq!(all, distinct);
        }
    }
}

#[test]
fn the_older_revision_is_stored_when_the_newer_cannot_be_read() {
    let place = place();
    make(&place, "newer", &["--revision", "2"]);
    damage(&file(&place, "newer"));
    for folders in [["granules", "newer"], ["newer", "granules"]] {
        let _ = fs::remove_dir_all(place.path("db"));
        let run = place.run(&[&["ingest"], &folders[..]].concat());
        has(&run, 3, &["1 ingested", "1 failed"]);
        assert_eq!(place.rows(CURRENT), ["01,false,ingested"]);
    }
    // A stored granule stays when its newer revision fails.
    has(&place.run(&["ingest", "--retry", "newer"]), 3, &["1 failed"]);
    assert_eq!(place.rows(CURRENT), ["01,false,ingested"]);
    assert!(count(&place) > 0);
}

#[test]
fn a_database_holds_one_release_unless_it_is_replaced() {
    let place = TestFolder::new();
    place.make_granules("six", &["--count", "2", "--segments", "60", "--release", "006"]);
    place.make_granules("seven", &["--count", "2", "--segments", "60", "--release", "007"]);
    let mixed = place.run(&["ingest", "six", "seven"]);
    has(&mixed, 1, &["is of release 006, and ATL08_", " is of release 007\n", "hint: keep each release"]);
    assert!(!place.path("db").exists());
    ingested(&place, &["six"]);
    let rows = count(&place);
    has(
        &place.run(&["ingest", "seven"]),
        1,
        &["is of release 007, and the database is of release 006", "--replace-release"],
    );
    assert_eq!(count(&place), rows);

    let first = file(&place, "seven");
    ingested(&place, &["--replace-release", first.to_str().unwrap()]);
    let both = "more than one release";
    assert!(place.ok(&["info"]).stdout.contains("more than one release: 006 (1 granules), 007 (1 granules)"));
    let warned = |sql: &str| place.ok(&["query", sql]).stderr.contains(both);
    assert!(warned("SELECT count(*) FROM atl08") && !warned("SELECT 1"));
    let message = ingested(&place, &["--replace-release", "six", "seven"]);
    assert!(message.contains("granules: 1 replaced, 3 skipped"), "{message}");
    assert_eq!(place.rows("SELECT DISTINCT release FROM atl08"), ["007"]);
    assert!(!warned("SELECT count(*) FROM atl08"));
    assert!(!place.ok(&["info"]).stdout.contains(both));
}

#[test]
fn a_release_is_replaced_in_whole_windows_or_not_at_all() {
    let place = TestFolder::new();
    // Both granules are of one calendar quarter, and so in one window.
    place.make_granules("six", &["--count", "2", "--segments", "60", "--release", "006"]);
    place.make_granules("seven", &["--count", "2", "--segments", "60", "--release", "007"]);
    make(&place, "new", &["--seed", "2", "--release", "007"]);
    // The derived column fails for track 132 of release 007.
    let config = "product: ATL08\nderived:\n  odd: div(1, CAST(release AS INT) * 10000 + rgt - 70132)\n";
    fs::write(place.path("c.yml"), config).unwrap();
    ingested(&place, &["--config", "c.yml", "six"]);
    let rows = count(&place);
    let run = place.run(&["ingest", "--replace-release", "seven", "new"]);
    has(&run, 3, &["1 ingested, 2 failed", "not replaced because ATL08_", " of the same window failed"]);
    let releases = "SELECT release, count(DISTINCT granule) FROM atl08 GROUP BY release ORDER BY release";
    assert_eq!(place.rows(releases), ["006,2", "007,1"], "what is new goes in");
    assert_eq!(place.rows("SELECT count(*) FROM atl08 WHERE release = '006'"), [rows.to_string()]);

    let mut seven = fs::read_dir(place.path("seven")).unwrap().map(|entry| entry.unwrap().path());
    let good = seven.find(|path| !path.to_str().unwrap().contains("_0132")).unwrap();
    let message = ingested(&place, &["--replace-release", "--retry", good.to_str().unwrap()]);
    assert!(message.contains("granules: 1 replaced"), "{message}");
    assert_eq!(place.rows(releases), ["006,1", "007,2"]);
}

#[test]
fn subsets_merge_and_the_whole_granule_replaces_them() {
    let place = place();
    make(&place, "north", &["--segments", "40", "--subset", "0"]);
    make(&place, "south", &["--subset", "20"]);
    for folders in [["north", "south"], ["south", "north"]] {
        let _ = fs::remove_dir_all(place.path("db"));
        ingested(&place, &[folders[0]]);
        let message = ingested(&place, &[folders[1]]);
        assert!(message.contains("already stored"), "{message}");
        let rows = place.rows(DISTINCT);
        let (all, distinct) = rows[0].split_once(',').unwrap();
        assert_eq!(all, distinct, "no segment twice");
        let sums = "SELECT bool_and(rows_read = rows_kept + rows_rejected + rows_removed), sum(rows_removed) > 0, \
                    bool_and(subset) FROM granules";
        assert_eq!(place.rows(sums), ["true,true,true"]);
        let again = ingested(&place, &folders);
        assert!(again.contains("granules: 2 skipped"), "{again}");
    }
    let merged = count(&place);
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 replaced"), "{message}");
    assert_eq!(place.rows(CURRENT), ["01,false,ingested"]);
    assert_eq!(count(&place), merged, "the two subsets were the whole");
    let message = ingested(&place, &["north"]);
    assert!(message.contains("1 a subset of a stored granule"), "{message}");
    assert_eq!(count(&place), merged);
}

#[test]
fn subsets_of_one_request_merge_too() {
    let place = TestFolder::new();
    make(&place, "north", &["--segments", "40", "--subset", "0"]);
    make(&place, "south", &["--subset", "20"]);
    let message = ingested(&place, &["north", "south"]);
    assert!(message.contains("granules: 2 ingested") && message.contains("already stored"), "{message}");
    make(&place, "whole", &[]);
    place.ok(&["--db", "all", "ingest", "whole"]);
    assert_eq!(place.rows(DISTINCT), place.rows_with(&["--db", "all"], DISTINCT));
}

#[test]
fn a_real_subset_is_marked_and_skipped_the_second_time() {
    let Some(granule) = release_004() else { return };
    let place = TestFolder::new();
    let granule = granule.to_str().unwrap();
    ingested(&place, &[granule]);
    assert_eq!(place.rows(CURRENT), ["01,true,ingested"]);
    fs::copy(granule, place.path("processed_copy.h5")).unwrap();
    let message = ingested(&place, &[granule, "processed_copy.h5"]);
    assert!(message.contains("granules: 2 skipped"), "{message}");
    assert_eq!(count(&place), 35);
}

#[test]
fn a_changed_file_is_ingested_again_and_a_touched_one_is_not() {
    let place = place();
    ingested(&place, &["granules"]);
    let path = file(&place, "granules");
    let content = fs::read(&path).unwrap();
    fs::write(&path, &content).unwrap();
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 skipped"), "written again with the same bytes: {message}");
    let checksums =
        "SELECT count(*) FROM granules WHERE checksum LIKE 'xxh64:________________' AND modified_at IS NOT NULL";
    assert_eq!(place.rows(checksums), ["1"]);

    make(&place, "granules", &["--segments", "40"]);
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 replaced") && message.contains("warning: "), "{message}");
    assert!(message.contains("the file has changed since it was ingested"), "{message}");
    let sums = "SELECT sum(rows_kept) = (SELECT count(*) FROM segments) FROM granules_current";
    assert_eq!(place.rows(sums), ["true"]);
}

#[test]
fn a_failed_file_is_tried_again_with_retry_or_when_changed() {
    let place = place();
    let path = file(&place, "granules");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    has(&place.run(&["ingest", "granules"]), 3, &["1 failed\n", "truncated"]);
    has(&place.run(&["ingest", "granules"]), 3, &["1 failed before", "hint: ", "--retry"]);
    assert_eq!(place.rows("SELECT count(*), max(stage) FROM granules"), ["1,identify"]);
    has(&place.run(&["ingest", "--retry", "granules"]), 3, &["1 failed\n"]);
    fs::write(&path, whole).unwrap();
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 ingested"), "{message}");
}

#[test]
fn an_empty_granule_is_a_success_and_not_ingested_again() {
    let place = place();
    fs::write(place.path("c.yml"), "product: ATL08\nfilters:\n  - none_passes: latitude > 89\n").unwrap();
    let message = ingested(&place, &["--config", "c.yml", "granules"]);
    assert!(message.contains("granules: 1 empty"), "{message}");
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 skipped"), "{message}");
    // No segment has passed the old filters, so that --refilter is not needed.
    let message = ingested(&place, &["--filters", "strong", "granules"]);
    assert!(message.contains("granules: 1 replaced"), "{message}");
    assert!(count(&place) > 0);
}

#[test]
fn other_filters_need_refilter_and_replace_the_named_granules() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "2", "--segments", "60"]);
    ingested(&place, &["--filters", "strong", "granules"]);
    let refused = place.run(&["ingest", "--filters", "none", "granules"]);
    has(&refused, 1, &["has other filters: strong; requested: none", "--refilter"]);
    let one = file(&place, "granules");
    let message = ingested(&place, &["--filters", "none", "--refilter", one.to_str().unwrap()]);
    assert!(message.contains("granules: 1 replaced"), "{message}");
    let info = place.ok(&["info"]).stdout;
    assert!(info.contains("filters    none\n           1 granules were ingested with: strong\n"), "{info}");
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 replaced, 1 skipped"), "the database's filters for the rest: {message}");
    place.ok(&["--db", "all", "ingest", "granules"]);
    assert_eq!(place.rows(DISTINCT), place.rows_with(&["--db", "all"], DISTINCT));
    assert!(place.ok(&["info"]).stdout.contains("granules   2 ingested; release 007"));
}

#[test]
fn an_added_variable_is_filled_by_the_next_ingest() {
    let place = place();
    fs::write(place.path("small.yml"), "product: ATL08\nvariables: [h_canopy]\n").unwrap();
    ingested(&place, &["--config", "small.yml", "granules"]);
    let rows = count(&place);
    place.ok(&["add-variable", "night_flag"]);
    assert_eq!(place.rows("SELECT count(night_flag) FROM atl08"), ["0"]);
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 replaced") && !message.contains("warning: "), "{message}");
    assert_eq!(place.rows("SELECT count(*), count(night_flag) FROM atl08"), [format!("{rows},{rows}")]);
    let message = ingested(&place, &["granules"]);
    assert!(message.contains("granules: 1 skipped"), "{message}");
}

#[test]
fn a_removed_granule_stays_removed_until_its_file_is_named() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "2", "--segments", "60"]);
    ingested(&place, &["granules"]);
    let path = file(&place, "granules");
    let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let rows = count(&place);
    let of_granule = place.rows(&format!("SELECT count(*) FROM atl08 WHERE granule = '{id}'"))[0].clone();

    let dry = place.ok(&["remove", "--dry-run", "ATL08_*"]).stderr;
    assert!(dry.contains(&format!("would be removed: 2 granules, {rows} segments")), "{dry}");
    has(
        &place.run(&["remove", &id[..id.len() - 1]]),
        1,
        &["the database holds no granule", &format!("did you mean {id}")],
    );
    assert_eq!(count(&place), rows);

    fs::write(place.path("list.txt"), format!("# withdrawn\n\n{id}\n")).unwrap();
    let message = place.ok(&["remove", "@list.txt"]).stderr;
    assert!(message.contains(&format!("removed: 1 granules, {of_granule} segments")), "{message}");
    assert_eq!(place.rows(&format!("SELECT count(*) FROM atl08 WHERE granule = '{id}'")), ["0"]);
    assert_eq!(count(&place), rows - of_granule.parse::<u64>().unwrap());
    assert!(place.ok(&["info"]).stdout.contains("granules   1 ingested, 1 removed; release 007"));

    let message = ingested(&place, &["granules"]);
    assert!(message.contains("1 removed on purpose"), "{message}");
    let message = ingested(&place, &[path.to_str().unwrap()]);
    assert!(message.contains("granules: 1 ingested"), "{message}");
    assert_eq!(count(&place), rows);
}

#[test]
fn segments_of_adjacent_regions_are_kept_and_shown_once_by_a_view() {
    let place = TestFolder::new();
    make(&place, "granules", &["--region", "10"]);
    make(&place, "granules", &["--region", "11", "--segments", "40"]);
    ingested(&place, &["granules"]);
    let (all, overlap) = (count(&place), place.rows("SELECT count(*) FROM atl08 WHERE region = 11")[0].clone());
    let unique = place.rows("SELECT count(*), max(region) FROM atl08_unique");
    assert_eq!(unique, [format!("{},10", all - overlap.parse::<u64>().unwrap())]);
    let recipe = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/queries/overlaps.sql");
    let counted = place.ok(&["query", "--format", "csv", "-f", recipe]).stdout;
    assert_eq!(counted.lines().nth(1).unwrap(), format!("{overlap},{overlap}"));

    let filtered = |view: &str| place.rows_with(&["--filters", "strong"], &format!("SELECT count(*) FROM {view}"));
    let strong = place.rows("SELECT count(*) FROM atl08_unique WHERE beam_strength = 'strong'");
    assert_eq!(filtered("atl08_unique"), strong, "filters are on both views");
    assert_ne!(filtered("atl08"), strong);
}

#[test]
fn a_larger_area_replaces_a_smaller_one_and_never_the_reverse() {
    let place = place();
    let bounds = "SELECT min(latitude), max(latitude), min(longitude) - 1, max(longitude) + 1 FROM atl08";
    place.ok(&["--db", "whole", "ingest", "granules"]);
    let whole = place.rows_with(&["--db", "whole"], bounds);
    let bounds: Vec<f64> = whole[0].split(',').map(|number| number.parse().unwrap()).collect();
    let [south, north, west, east] = bounds[..] else { panic!("{bounds:?}") };
    let third = (north - south) / 3.0;
    // The southern third, a part of it, the northern third, and the whole of the box by a polygon.
    let (first, within) =
        (format!("{west},{south},{east},{}", south + third), format!("{west},{south},{east},{}", south + third / 2.0));
    let last = format!("{west},{},{east},{north}", north - third);
    let segments = |condition: &str| -> u64 {
        place.rows_with(&["--db", "whole"], &format!("SELECT count(*) FROM atl08 WHERE {condition}"))[0]
            .parse()
            .unwrap()
    };
    let of_first = segments(&format!("in_region(latitude, longitude, '{first}')"));
    let of_both = of_first + segments(&format!("in_region(latitude, longitude, '{last}')"));

    let message = ingested(&place, &["granules", "--region", &first]);
    assert!(message.contains("region") && message.contains("granules: 1 ingested"), "{message}");
    assert_eq!(count(&place), of_first);
    let message = ingested(&place, &["granules", "--add-region", &within]);
    assert!(message.contains("granules: 1 skipped"), "{message}");
    let message = ingested(&place, &["granules", "--add-region", &last]);
    assert!(message.contains("granules: 1 replaced"), "{message}");
    assert_eq!(count(&place), of_both, "what was there is not lost");
    assert_eq!(place.rows(DISTINCT)[0], format!("{of_both},{of_both}"));
    let message = ingested(&place, &["granules", "--whole-granules"]);
    assert!(message.contains("granules: 1 replaced"), "{message}");
    assert_eq!(count(&place), segments("true"));
    assert!(ingested(&place, &["granules"]).contains("granules: 1 skipped"));
    let columns = "rows_read = rows_kept + rows_rejected + rows_removed";
    assert_eq!(place.rows(&format!("SELECT count(*) FROM granules WHERE NOT ({columns})")), ["0"]);
}
