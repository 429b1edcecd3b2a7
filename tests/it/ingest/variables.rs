//! The catalogue as a user sees it, and variables added to an existing database.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::support::TestFolder;
use crate::support::python::script;
use crate::support::random::random;

/// Signals of a process that called abort(), and of a killed one.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

const SMALL: &str = "product: ATL08\nvariables: [h_canopy]\nwindow: {granules: 8}\n";

/// A database of `h_canopy` with one granule, then three added variables, then a second granule.
fn grown() -> TestFolder {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 60);
    std::fs::write(place.path("small.yml"), SMALL).unwrap();
    let files = granules(&place);
    place.ok(&["--config", "small.yml", "ingest", files[0].to_str().unwrap()]);
    place.ok(&["add-variable", "night_flag", "canopy_h_metrics", "h_te_mean"]);
    place.ok(&["ingest", files[1].to_str().unwrap()]);
    place
}

fn granules(place: &TestFolder) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(place.path("granules")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_variables_of_the_product_are_shown_without_any_database() {
    let place = TestFolder::new();
    let bare = |arguments: &[&str]| {
        let run = place.command(arguments).env_remove("ISDB_DB").output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    let all = bare(&["variables", "--format", "csv"]);
    assert!(all.starts_with("name,path,type,units,vertical_reference,releases,description\n"), "{all}");
    let listed = all.lines().find(|line| line.starts_with("canopy_h_metrics,")).unwrap();
    assert!(listed.contains(",list of 18 float32,meters,ground,004 005 006 007,"), "{listed}");
    let of_004 = bare(&["variables", "--release", "004", "--format", "csv"]);
    assert_eq!(of_004.lines().count(), 84, "release 004 holds 83");
    let some: serde_json::Value = serde_json::from_str(&bare(&["variables", "sigma", "--format", "json"])).unwrap();
    assert!(some.as_array().unwrap().iter().all(|row| row["units"] == "meters"), "{some}");
    assert!(!place.path("db").exists());
}

#[test]
fn a_variable_is_shown_in_full_by_product_or_plain_name() {
    let place = TestFolder::new();
    let block = place.ok(&["variables", "landcover"]).stdout;
    for part in ["segment_landcover: ", "111  closed_forest_evergreen_needleleaf", "flags of 004", "5  mixed_forest"] {
        assert!(block.contains(part), "no {part:?} in\n{block}");
    }
    let block = place.ok(&["variables", "h_canopy"]).stdout;
    assert!(block.contains("canopy_h\n") && block.contains("ground\n"), "{block}");
    assert!(!block.contains("stored"), "without a database");
}

#[test]
fn columns_of_every_database_are_described_like_variables() {
    let place = TestFolder::new();
    for (name, message) in [
        ("sc_orient", "  flags     0  backward\n"),
        ("beam_strength", "strong or weak"),
        ("spot", "laser spot"),
        ("n_geosegments", "20 m geolocation segments"),
        ("time", "timestamp in UTC"),
    ] {
        let block = place.ok(&["variables", name]).stdout;
        assert!(block.starts_with(&format!("{name}: ")) && block.contains(message), "{block}");
    }
    let row = place.ok(&["variables", "spot", "--format", "csv"]).stdout;
    assert!(row.contains("\nspot,") && row.lines().count() == 2, "{row}");
}

#[test]
fn a_variable_lists_the_releases_that_have_it() {
    let run = TestFolder::new().run(&["variables", "--release", "007", "canopy_flag"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), "error: canopy_flag is of release 004 only\n"));
}

#[test]
fn variables_are_added_once_and_by_their_plain_names_too() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    std::fs::write(place.path("small.yml"), SMALL).unwrap();
    place.ok(&["--config", "small.yml", "ingest", "granules"]);
    let run = place.ok(&["add-variable", "asr", "terrain_h", "asr", "h_te_best_fit"]);
    assert!(run.stderr.starts_with("added: asr, h_te_best_fit\n"), "{}", run.stderr);
}

#[test]
fn an_unknown_variable_suggests_similar_ones() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    for arguments in [&["variables", "h_canopi"], &["add-variable", "h_canopi"]] {
        let run = place.run(arguments);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("unknown ATL08 variable \"h_canopi\"; did you mean h_canopy"), "{}", run.stderr);
    }
}

#[test]
fn an_added_variable_is_null_in_old_segments_and_has_values_in_new_ones() {
    let place = grown();
    let whole = TestFolder::new();
    whole.synthesise("granules", 2, 60);
    whole.ok(&["ingest", "granules"]);
    // A database that had every variable from the beginning, with the second granule only.
    let sums = "SELECT count(*), count(night_flag), round(sum(h_te_mean), 2), count(canopy_h_metrics[1]), max(canopy_h_metrics[18]) \
                FROM atl08 WHERE granule = (SELECT max(granule) FROM granules)";
    assert_eq!(place.rows(sums), whole.rows(sums));
    let old = "SELECT count(*) > 0, count(night_flag), count(h_te_mean), count(canopy_h_metrics), count(h_canopy) > 0 \
               FROM atl08 WHERE granule = (SELECT min(granule) FROM granules)";
    assert_eq!(place.rows(old), ["true,0,0,0,true"]);
}

#[test]
fn predicates_on_an_added_variable_find_the_same_rows_without_pushdown() {
    let place = grown();
    for condition in [
        "h_te_mean IS NULL",
        "h_te_mean IS NOT NULL",
        "NOT (h_te_mean IS NOT NULL)",
        "h_canopy > 5 OR h_te_mean > 100",
        "h_te_mean > 100 OR h_canopy > 5",
        "night_flag = 0 OR h_te_mean IS NULL",
        "night_flag IN (0, 1) AND h_canopy < 100",
        "night_flag NOT IN (0, 2147483647)",
    ] {
        let pushed = place.rows(&format!("SELECT count(*) FROM segments WHERE {condition}"));
        let counted = place.rows(&format!("SELECT count(*) FILTER (WHERE {condition}) FROM segments"));
        assert_eq!(pushed, counted, "{condition}");
        assert_ne!(counted, ["0"], "{condition} finds something");
    }
}

#[test]
fn a_state_from_before_an_addition_does_not_have_the_variable() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    std::fs::write(place.path("small.yml"), SMALL).unwrap();
    place.ok(&["--config", "small.yml", "ingest", "granules"]);
    let at = place.timestamp();
    place.ok(&["add-variable", "night_flag"]);
    let columns =
        |at: &str| place.ok(&["query", "--at", at, "--format", "csv", "SELECT * FROM segments LIMIT 0"]).stdout;
    assert!(!columns(&at).contains("night_flag"));
    assert!(columns(&place.timestamp()).contains("night_flag"));
}

#[test]
fn a_killed_add_variable_loses_no_segment_and_blocks_no_writer() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 40);
    std::fs::write(place.path("small.yml"), SMALL).unwrap();
    place.ok(&["--config", "small.yml", "ingest", granules(&place)[0].to_str().unwrap()]);
    let before = place.rows("SELECT count(*), max(h_canopy) FROM segments");
    // The first commit of the command is its fence, the second adds the variable.
    for (point, name, is_added) in
        [("take-over-swept", "asr", false), ("before-commit:2", "snr", false), ("after-commit:2", "dem_h", true)]
    {
        let died = place.command(&["add-variable", name]).env("ISDB_TEST_DIE_AT", point).output().unwrap();
        assert_eq!(died.status.signal(), Some(SIGABRT), "{point}: {}", String::from_utf8_lossy(&died.stderr));
        assert_eq!(place.rows("SELECT count(*), max(h_canopy) FROM segments"), before, "{point}");
        let found = place.run(&["query", "--format", "csv", &format!("SELECT count({name}) FROM segments")]);
        let message = (found.code, found.stdout.lines().nth(1));
        assert_eq!(message, if is_added { (Some(0), Some("0")) } else { (Some(1), None) }, "{point}: {}", found.stderr);
    }
    // At other moments the commit exists or does not exist, both are correct. A kill that comes too late does not count.
    let mut random = random();
    place.ok(&["add-variable", "h_te_mean"]);
    let (mut killed, wanted) = (0, isdb_testing::times(2, 20));
    for run in 0.. {
        assert!(run < 20 * wanted, "{killed} of {run} kills came while a variable was being added");
        if killed == wanted {
            break;
        }
        std::fs::rename(place.path("db"), place.path("kept")).unwrap();
        place.copy("kept", "db");
        let mut adding = place.command(&["add-variable", "h_canopy_20m"]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(random.below(60)));
        adding.kill().unwrap();
        killed += u32::from(adding.wait().unwrap().signal() == Some(SIGKILL));
        assert_eq!(place.rows("SELECT count(*), max(h_canopy) FROM segments"), before, "run {run}");
        std::fs::remove_dir_all(place.path("db")).unwrap();
        std::fs::rename(place.path("kept"), place.path("db")).unwrap();
    }
    place.ok(&["add-variable", "asr", "snr", "dem_h", "h_te_mean", "h_canopy_20m"]);
    place.ok(&["ingest", "granules"]);
    let sums = "SELECT count(*), count(asr), count(h_canopy_20m), round(sum(h_te_mean), 2) FROM atl08 \
                WHERE granule = (SELECT max(granule) FROM granules)";
    let whole = TestFolder::new();
    whole.synthesise("granules", 2, 40);
    whole.ok(&["ingest", "granules"]);
    assert_eq!(place.rows(sums), whole.rows(sums));
}

#[test]
fn stored_variables_are_marked_and_not_added_twice() {
    let place = grown();
    let again = place.ok(&["add-variable", "h_canopy", "night_flag", "latitude"]);
    assert!(again.stderr.contains("stored already: h_canopy, night_flag, latitude"), "{}", again.stderr);
    let shown = place.ok(&["variables", "--format", "csv"]).stdout;
    let stored = |name: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{name},"))).unwrap();
        line.split(',').nth(6).unwrap().to_owned()
    };
    assert_eq!([stored("night_flag"), stored("h_canopy"), stored("delta_time")], ["yes"; 3]);
    assert_eq!(stored("asr"), "no");
}

#[test]
fn tiledb_py_reads_values_nulls_and_units_of_an_added_variable() {
    let place = grown();
    let arguments = [place.path("db/segments"), place.timestamp().into(), "h_te_mean".into()];
    let Some(read) = script("added.py", &arguments) else { return };
    let counted = place.rows("SELECT count(*), count(h_te_mean) FROM segments");
    assert_eq!(read.trim(), format!("{},meters,ellipsoid", counted[0]));
}
