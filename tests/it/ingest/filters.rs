//! Quality filters and derived columns: removed segments, their counts, and what is refused before a row is lost.

use std::fs;

use crate::support::TestFolder;

fn prepared(options: &[&str]) -> TestFolder {
    let place = TestFolder::new();
    place.make_granules("granules", &[&["--count", "3", "--segments", "200"], options].concat());
    place
}

/// Number of segments of the database `db` in a query with `filters`.
fn counted(place: &TestFolder, db: &str, filters: &str) -> u64 {
    place.rows_with(&["--db", db, "--filters", filters], "SELECT count(*) FROM atl08")[0].parse().unwrap()
}

#[test]
fn an_ingest_without_filters_lists_the_available_ones() {
    let place = prepared(&[]);
    let message = place.ok(&["ingest", "granules"]).stderr;
    assert!(message.contains("filters: none; a new database can have strong, night, "), "{message}");
    let listed = place.ok(&["filters", "--format", "csv"]).stdout;
    assert!(listed.contains("\nquality_007,since 007,\"terrain=50, canopy=50\","), "{listed}");
    assert!(place.ok(&["filters", "boreal"]).stdout.contains("h_canopy_uncertainty < 5"));
}

#[test]
fn filters_mean_the_same_at_ingest_and_in_a_query() {
    let place = prepared(&["--release", "007"]);
    place.ok(&["--db", "all", "ingest", "granules"]);
    let all = counted(&place, "all", "none");
    for (db, filters) in [
        ("a", "strong,night"),
        ("b", "low_sun,snow_free,not_urban"),
        ("c", "terrain,canopy,clear"),
        ("d", "quality_007(terrain=30, canopy=20)"),
        ("e", "icesat2db"),
    ] {
        place.ok(&["--db", db, "ingest", "--filters", filters, "granules"]);
        let kept = counted(&place, "all", filters);
        assert_eq!(counted(&place, db, "none"), kept, "{filters}");
        assert!(0 < kept && kept < all, "{filters} removes some of {all} segments and not all: {kept}");
    }
}

#[test]
fn every_segment_read_is_kept_or_counted_as_removed_by_one_filter() {
    let place = prepared(&[]);
    let message = place.ok(&["ingest", "--filters", "strong,night,canopy", "granules"]).stderr;
    assert!(message.contains("filters: strong, night, canopy\n"), "{message}");
    let sums = "SELECT bool_and(rows_read = rows_kept + rows_rejected + rows_removed), sum(rows_removed) > 0, \
                sum(rows_kept) = (SELECT count(*) FROM segments) FROM granules";
    assert_eq!(place.rows(sums), ["true,true,true"]);
    // Columns of the report: filter, removed, of them NULL, by itself.
    let charged = |filter: &str| -> Vec<u64> {
        let line = message.lines().rfind(|line| line.starts_with(&format!("{filter} "))).unwrap();
        line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
    };
    let [strong, night, canopy] = ["strong", "night", "canopy"].map(charged);
    let removed: u64 = place.rows("SELECT sum(rows_removed) FROM granules")[0].parse().unwrap();
    assert_eq!(strong[0] + night[0] + canopy[0], removed);
    assert_eq!(strong[0], strong[2], "the first filter removes what it would remove by itself");
    assert!(night[2] >= night[0] && canopy[2] > canopy[0], "{message}");
}

#[test]
fn a_segment_with_a_null_value_is_removed_and_counted_separately() {
    let place = prepared(&["--release", "006"]);
    fs::write(place.path("c.yml"), "product: ATL08\nfilters:\n  - tall: canopy_h > 5\n").unwrap();
    let message = place.ok(&["--config", "c.yml", "ingest", "granules"]).stderr;
    place.ok(&["--db", "all", "ingest", "granules"]);
    let null = place.rows_with(&["--db", "all"], "SELECT count(*) FROM atl08 WHERE canopy_h IS NULL");
    let line: Vec<&str> = message.lines().rfind(|line| line.starts_with("tall")).unwrap().split_whitespace().collect();
    assert_eq!(line[2], null[0], "{message}");
    assert_eq!(place.rows("SELECT count(*) FROM atl08 WHERE canopy_h IS NULL OR canopy_h <= 5"), ["0"]);
}

#[test]
fn a_filter_for_another_release_is_an_error_and_never_an_empty_result() {
    let place = prepared(&["--release", "006"]);
    let refused = place.run(&["ingest", "--filters", "strong,quality_007", "granules"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("quality_007.terrain is for releases since 007 of ATL08, and ATL08_"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("release 006") && refused.stderr.contains("hint: "), "{}", refused.stderr);
    assert!(!place.path("db").exists(), "nothing is created for what cannot be filled");

    place.ok(&["ingest", "granules"]);
    let refused = place.run(&["query", "--filters", "quality_007", "SELECT count(*) FROM atl08"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("release 006"), "{}", refused.stderr);
}

#[test]
fn a_granule_without_the_variable_of_a_filter_fails_instead_of_being_empty() {
    let place = prepared(&["--release", "006"]);
    fs::write(place.path("c.yml"), "product: ATL08\nfilters:\n  - good: te_quality_score > 50\n").unwrap();
    let run = place.run(&["--config", "c.yml", "ingest", "granules"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(
        run.stderr.contains("the filter good needs te_quality_score, which the granule does not have"),
        "{}",
        run.stderr
    );
    assert_eq!(place.rows("SELECT DISTINCT state FROM granules"), ["failed"]);
}

#[test]
fn a_derived_column_that_fails_for_a_granule_fails_that_granule_alone() {
    let place = prepared(&[]);
    let config = "product: ATL08\nderived:\n  ratio: div(n_te_photons, n_ca_photons - n_ca_photons)\n";
    fs::write(place.path("c.yml"), config).unwrap();
    let run = place.run(&["--config", "c.yml", "ingest", "granules"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("the derived column ratio cannot be computed"), "{}", run.stderr);
    assert_eq!(place.rows("SELECT count(*) FROM segments"), ["0"]);
}

#[test]
fn derived_columns_are_stored_like_variables_and_their_inputs_need_not_be() {
    let place = prepared(&[]);
    let config = "product: ATL08\nvariables: [h_te_best_fit, dem_h]\nderived:\n  above_dem: terrain_h - dem_h\n  \
                  is_tall: canopy_h > 10\n  origin: concat(granule, '/', beam)\nfilters:\n  - night\n";
    fs::write(place.path("c.yml"), config).unwrap();
    place.ok(&["config", "check", "c.yml"]);
    place.ok(&["--config", "c.yml", "ingest", "granules"]);
    let differing = "SELECT count(*) FROM atl08 WHERE (above_dem IS DISTINCT FROM h_te_best_fit - dem_h) \
                     OR origin <> concat(granule, '/', beam)";
    assert_eq!(place.rows(differing), ["0"]);
    assert_eq!(place.rows("SELECT count(DISTINCT is_tall) FROM atl08"), ["2"]);
    let unknown = place.run(&["query", "SELECT night_flag FROM atl08"]);
    assert!(unknown.stderr.contains("isdb add-variable night_flag"), "{}", unknown.stderr);
    let info = place.ok(&["info"]).stdout;
    assert!(info.contains("derived    above_dem, is_tall, origin\nfilters    night\n"), "{info}");
    place.ok(&["ingest", "granules"]);
}

#[test]
fn a_database_has_one_set_of_filters_derived_columns_and_layout() {
    let place = prepared(&[]);
    let config = "product: ATL08\nderived:\n  above_dem: h_te_best_fit - dem_h\nlayout:\n  capacity: 5000\n";
    fs::write(place.path("c.yml"), config).unwrap();
    place.ok(&["--config", "c.yml", "ingest", "--filters", "night", "granules"]);
    for (config, flag, message) in [
        (config.to_owned(), "strong", "has other filters: night; requested: strong"),
        (
            config.replace("dem_h", "h_te_mean"),
            "night",
            "above_dem = h_te_best_fit - dem_h; requested: above_dem = h_te_best_fit - h_te_mean",
        ),
        (config.replace("5000", "9000"), "night", "has other layout.capacity: 5000; requested: 9000"),
    ] {
        fs::write(place.path("c.yml"), config).unwrap();
        let refused = place.run(&["--config", "c.yml", "ingest", "--filters", flag, "granules"]);
        assert_eq!(refused.code, Some(1), "{message}");
        assert!(refused.stderr.contains(message), "{}", refused.stderr);
    }
    let again = place.ok(&["ingest", "granules"]).stderr;
    assert!(again.contains("filters: night\n"), "the filters of the database apply: {again}");
}

#[test]
fn an_invalid_filter_is_reported_with_line_and_column_before_anything_is_created() {
    let place = prepared(&[]);
    for (sql, message) in [
        ("sensitivity > 0.9", "c.yml:3:11: mine: ATL08 has no sensitivity"),
        ("degrade = 0", "c.yml:3:11: mine: "),
        (
            "canopy_h > 5 AND nigth_flag = 1",
            "c.yml:3:28: mine: no column is called nigth_flag; did you mean night_flag",
        ),
        ("canopy_h >> 5 5", "c.yml:3:"),
        ("canopy_h", "a filter must be TRUE or FALSE"),
        ("canopy_h > '5'", "one is a number, the other a text"),
        ("time > 'summer'", "c.yml:3:"),
        ("time > now()", "now does not give the same result every time"),
    ] {
        fs::write(place.path("c.yml"), format!("product: ATL08\nfilters:\n  - mine: {sql}\n")).unwrap();
        for arguments in [&["config", "check", "c.yml"][..], &["--config", "c.yml", "ingest", "granules"]] {
            let refused = place.run(arguments);
            assert_eq!(refused.code, Some(1), "{sql}");
            assert!(refused.stderr.contains(message), "{sql}: {}", refused.stderr);
        }
        assert!(!place.path("db").exists());
    }
    let unknown = place.run(&["ingest", "--filters", "nite", "granules"]);
    assert!(unknown.stderr.contains("unknown filter \"nite\"; "), "{}", unknown.stderr);
}

#[test]
fn init_writes_a_valid_config_and_never_over_another() {
    let place = TestFolder::new();
    place.ok(&["init"]);
    place.ok(&["config", "check", "atl08.yml"]);
    let again = place.run(&["init"]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(place.ok(&["config", "schema"]).stdout.contains("\"h_canopy\""));
}

#[test]
fn an_ingest_warns_of_missing_variables_but_not_of_those_that_a_release_never_had() {
    let place = prepared(&["--release", "006"]);
    let message = place.ok(&["ingest", "granules"]).stderr;
    assert!(!message.contains("warning: "), "{message}");
    assert!(message.contains("beams ") && message.contains(" without segments "), "{message}");
    assert_eq!(place.rows("SELECT count(*) FROM granules WHERE missing_variables IS NOT NULL"), ["0"]);

    let Some(extract) = isdb_testing::real("nsidc_test_atl08_r007_6beams_217d0236.h5") else { return };
    let place = TestFolder::new();
    let message = place.ok(&["ingest", extract.to_str().unwrap()]).stderr;
    assert!(
        message.contains("warning: ")
            && message.contains("missing variables, stored as NULL: ")
            && message.contains(" asr "),
        "{message}"
    );
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("beams read 6 without segments 0 not in their granule 0"), "{message}");
}

#[test]
fn a_filter_on_a_variable_that_a_file_lacks_is_an_error_instead_of_no_rows() {
    let Some(extract) = isdb_testing::real("nsidc_test_atl08_r007_6beams_217d0236.h5") else { return };
    let place = TestFolder::new();
    for (db, filter) in [("a", "night"), ("b", "terrain"), ("c", "strong")] {
        let run = place.run(&["--db", db, "ingest", "--filters", filter, extract.to_str().unwrap()]);
        assert_eq!(run.code, Some(3), "{filter}: {}", run.stderr);
        assert!(run.stderr.contains("which the granule does not have"), "{filter}: {}", run.stderr);
    }
    place.ok(&["ingest", extract.to_str().unwrap()]);
    let run = place.run(&["query", "--filters", "night", "SELECT count(*) FROM atl08"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("needs night_flag, which no granule of the database has"), "{}", run.stderr);
}

#[test]
fn a_query_warns_when_its_filters_do_not_apply() {
    let place = prepared(&[]);
    place.ok(&["ingest", "granules"]);
    let filtered = place.ok(&["query", "--filters", "night", "SELECT count(*) FROM atl08 AS a"]).stderr;
    assert!(filtered.contains("filters: night (in atl08)\n") && !filtered.contains("warning: "), "{filtered}");
    let other = place.ok(&["query", "--filters", "night", "SELECT count(*) FROM segments"]).stderr;
    assert!(
        other.contains(
            "warning: the filters apply to atl08, atl08_20m and atl08_unique, which this statement does not read"
        ),
        "{other}"
    );
}
