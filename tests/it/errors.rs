//! Invalid input: one clear line, a hint, an exit code, and no loss.

use crate::support::TestFolder;

#[test]
fn a_damaged_file_is_reported_and_the_others_are_ingested() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 60);
    let mut files: Vec<_> = std::fs::read_dir(place.path("granules")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let whole = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], &whole[..whole.len() / 2]).unwrap();
    std::fs::write(place.path("granules/login.h5"), "<!DOCTYPE html><html>Earthdata Login</html>").unwrap();
    let run = place.run(&["ingest", "granules"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("truncated") && run.stderr.contains("login.h5"), "{}", run.stderr);
    assert!(run.stderr.contains("granules: 1 ingested, 2 failed"), "{}", run.stderr);
    let states = place.rows("SELECT state, count(*), count(error) FROM granules GROUP BY state ORDER BY state");
    assert_eq!(states, ["failed,2,2", "ingested,1,0"]);

    std::fs::write(&files[0], whole).unwrap();
    std::fs::remove_file(place.path("granules/login.h5")).unwrap();
    let again = place.ok(&["ingest", "granules"]);
    assert!(again.stderr.contains("1 ingested, 1 skipped"), "a failed granule is tried again: {}", again.stderr);
}

#[test]
fn a_missing_database_is_reported_with_a_hint() {
    let place = TestFolder::new();
    for arguments in [&["info"][..], &["query", "SELECT 1"]] {
        let run = place.run(arguments);
        assert_eq!(run.code, Some(1));
        assert!(
            run.stderr.starts_with("error: no isdb database at ") && run.stderr.contains("hint: "),
            "{}",
            run.stderr
        );
    }
    let unnamed = place.command(&["info"]).env_remove("ISDB_DB").output().unwrap();
    let stderr = String::from_utf8(unnamed.stderr).unwrap();
    assert!(stderr.contains("no database specified") && stderr.contains("--db"), "{stderr}");
}

#[test]
fn a_mistyped_path_creates_no_database() {
    let place = TestFolder::new();
    let run = place.run(&["ingest", "granuels"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("granuels: no such file or folder"), "{}", run.stderr);
    assert!(!place.path("db").exists());
}

#[test]
fn a_folder_without_a_database_is_left_unchanged() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    std::fs::create_dir(place.path("db")).unwrap();
    std::fs::write(place.path("db/thesis.txt"), "precious").unwrap();
    let run = place.run(&["ingest", "granules"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("is not an isdb database"), "{}", run.stderr);
    assert_eq!(std::fs::read_dir(place.path("db")).unwrap().count(), 1);
}

#[test]
fn an_unknown_column_is_reported_with_a_hint() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    let run = place.run(&["query", "SELECT canopy_tall FROM atl08"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("canopy_tall") && run.stderr.contains("DESCRIBE atl08"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    assert_eq!(TestFolder::new().run(&["ingest"]).code, Some(2));
    assert_eq!(TestFolder::new().run(&["query", "-f", "q.sql", "SELECT 1"]).code, Some(2));
}

#[test]
fn errors_of_the_engine_take_one_line() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    for (sql, problem) in [
        ("SELECT abs() FROM atl08", "'abs' does not support zero arguments"),
        ("SELECT flor(h_canopy) FROM atl08", "Invalid function 'flor'; did you mean 'floor'?"),
        ("SELECT CAST('tall' AS INT) FROM atl08", "Cast error: Cannot cast string 'tall'"),
        ("SELECT div(1, rgt - rgt) FROM atl08", "Divide by zero"),
    ] {
        let run = place.run(&["query", sql]);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1), "{sql}: {}", run.stderr);
        assert!(run.stderr.starts_with(&format!("error: {problem}")), "{sql}: {}", run.stderr);
    }
}

#[test]
fn a_filter_is_shown_in_full_and_an_unknown_one_suggests_another() {
    let place = TestFolder::new();
    let both = place.ok(&["filters", "night,quality_007(terrain=60)"]).stdout;
    assert!(both.contains("\nnight_flag = 1\n") && both.contains("\nte_quality_score >= 60\n"), "{both}");
    for (list, message) in [
        ("none", "none keeps every segment"),
        ("sensitivity", "ATL08 has no sensitivity; its counterparts are snr"),
        ("degrade", "ATL08 has no degrade flag; its counterparts are msw_flag"),
        ("nigth", "did you mean night"),
    ] {
        let run = place.run(&["filters", list]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{list}");
        assert!(run.stderr.contains(message), "{list}: {}", run.stderr);
    }
}

#[test]
fn a_filter_on_a_variable_that_is_not_stored_names_its_file_and_add_variable() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    std::fs::write(place.path("small.yml"), "product: ATL08\nvariables: [h_canopy]\n").unwrap();
    place.ok(&["--config", "small.yml", "ingest", "granules"]);
    let run = place.run(&["query", "--filters", "snow_free", "SELECT 1 FROM atl08"]);
    let message = "\nerror: sql/filters/snow_free.sql: snow_free: the product has segment_snowcover, but this database does not \
                store it: `isdb add-variable segment_snowcover`\n";
    assert!(run.code == Some(1) && run.stderr.contains(message), "{}", run.stderr);
    let twice = place.run(&["query", "--filters", "strong,strong", "SELECT 1"]);
    assert!(twice.stderr.starts_with("error: the filter strong is listed twice\n"), "{}", twice.stderr);
}
