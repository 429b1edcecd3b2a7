//! SQL and regions that would silently give a wrong result are refused or give a warning; integers, NULLs and functions behave as
//! users of DuckDB, R and Python expect.

use std::fs;

use crate::fake_nasa::cmr::{FakeCmr, descriptions};
use crate::support::{Run, TestFolder, release_004};

fn with_granule() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    place
}

/// The lines of `run` on standard error, without the count of rows.
fn said(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter(|line| !line.starts_with("rows: ")).collect()
}

#[test]
fn sql_with_a_silently_wrong_result_is_an_error_with_the_right_form() {
    let place = with_granule();
    fs::write(place.path("plots.csv"), "beam,height\nGT1L,NA\nGT2L,5\n").unwrap();
    for (sql, error, hint) in [
        (
            "SELECT avg(canopy_h^2.1) FROM atl08",
            "canopy_h ^ 2.1 is not a power: ^ would flip bits",
            "write power(canopy_h, 2.1)",
        ),
        (
            "SELECT count(*) FROM atl08 TABLESAMPLE (1 PERCENT)",
            "TABLESAMPLE is not supported",
            "write WHERE random() < 0.01",
        ),
        ("SELECT 1 FROM atl08 WHERE canopy_h = NULL", "a comparison with NULL is never true", "write canopy_h IS NULL"),
        (
            "SELECT canopy_h_metrics[98] FROM atl08",
            "canopy_h_metrics has no element 98: expected 1 to 18",
            "the first is canopy_h_metrics[1]",
        ),
        (
            "SELECT canopy_h_metrics[0] FROM atl08_unique",
            "canopy_h_metrics has no element 0",
            "the first is canopy_h_metrics[1]",
        ),
        ("SELECT 1 FROM atl08_unique WHERE beam = 'GT1L'", "beam has no value 'GT1L'", "write 'gt1l'"),
        (
            "SELECT 1 FROM atl08 WHERE landcover IN (20, 999)",
            "landcover has no value 999",
            "`isdb variables landcover`",
        ),
        ("SELECT sum(canopy_h > 5) FROM atl08", "sum adds numbers", "write count(*) FILTER (WHERE canopy_h > 5)"),
        ("SELECT avg(height) FROM 'plots.csv'", "an aggregate of numbers has a text as argument", "write TRY_CAST("),
        ("SELECT TOP 10 * FROM atl08", "SELECT TOP is not supported", "write LIMIT 10"),
        ("SELECT month(time) FROM atl08", "Invalid function 'month'", "write date_part("),
        ("SELECT 1 FROM atl08 WHERE canopy_h > 5 && rgt > 1", "&& is not an operator", "write AND"),
    ] {
        let run = place.run(&["query", sql]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{sql}");
        let said = said(&run);
        assert!(said.len() == 2 && said[0].starts_with(&format!("error: {error}")), "{sql}: {}", run.stderr);
        assert!(said[1].starts_with(&format!("hint: {hint}")), "{sql}: {}", run.stderr);
    }
    // A column of the user's file may have any value.
    assert_eq!(place.rows("SELECT count(*) FROM 'plots.csv' WHERE beam = 'GT1L'"), ["1"]);
}

#[test]
fn suspicious_sql_runs_with_a_warning_on_standard_error() {
    let place = with_granule();
    let day = place.rows("SELECT CAST(CAST(max(time) AS DATE) AS STRING) FROM atl08")[0].clone();
    for (sql, warning, hint) in [
        (
            format!("SELECT count(*) AS n FROM atl08 WHERE time <= '{day}'"),
            format!("time <= '{day}' ends at the first moment of that day, and leaves the day itself out"),
            "write time < '",
        ),
        (
            "SELECT count(*) AS n FROM atl08 WHERE latitude BETWEEN 80 AND -80".to_owned(),
            "latitude BETWEEN 80 AND -80 is true for no value: the lower end comes first".to_owned(),
            "write latitude BETWEEN -80 AND 80",
        ),
        (
            "SELECT count(*) AS n FROM atl08 WHERE rgt = 1387 AND cycle > 0".to_owned(),
            "no granule in this database has rgt 1387".to_owned(),
            "it has ",
        ),
        (
            "SELECT count(*) AS n FROM atl08 WHERE landcover = 5".to_owned(),
            "landcover = 5 finds nothing: that is a code of release 004".to_owned(),
            "this database has release 007",
        ),
        (
            "SELECT count(*) AS n FROM atl08_unique WHERE release = '7'".to_owned(),
            "release = '7' compares texts, and a release is written with 3 digits".to_owned(),
            "write release = '007'",
        ),
    ] {
        let run = place.ok(&["query", "--format", "csv", &sql]);
        assert_eq!(run.stdout, "n\n0\n", "{sql}");
        assert!(run.stderr.starts_with(&format!("warning: {warning}\nhint: {hint}")), "{sql}: {}", run.stderr);
    }
    let all = place.rows("SELECT count(*) FROM atl08");
    let right = place.ok(&[
        "query",
        "--format",
        "csv",
        &format!("SELECT count(*) FROM atl08 WHERE time < DATE '{day}' + INTERVAL '1 day'"),
    ]);
    assert_eq!(right.stdout.lines().nth(1), Some(all[0].as_str()));
    assert_eq!(said(&right), Vec::<&str>::new());
}

#[test]
fn integers_divide_with_a_fraction_in_queries_filters_and_derived_columns() {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 40);
    let config = "product: ATL08\nderived:\n  share: n_ca_photons / n_seg_ph\n  hundreds: div(n_seg_ph, 100)\nfilters:\n  - some: n_ca_photons / n_seg_ph > 0.25\n";
    fs::write(place.path("c.yml"), config).unwrap();
    place.ok(&["--db", "filtered", "--config", "c.yml", "ingest", "granules"]);
    place.ok(&["ingest", "granules"]);
    let kept = |sql: &str| place.rows_with(&["--db", "filtered"], sql);
    let share = "CAST(n_ca_photons AS DOUBLE) / CAST(n_seg_ph AS DOUBLE)";
    let expected = place.rows(&format!("SELECT count(*), round(sum({share}), 6) FROM atl08 WHERE {share} > 0.25"));
    assert!(!expected[0].starts_with("0,"), "{expected:?}");
    assert_eq!(kept("SELECT count(*), round(sum(share), 6) FROM atl08"), expected);
    assert_eq!(
        place.rows(
            "SELECT count(*), round(sum(n_ca_photons / n_seg_ph), 6) FROM atl08 WHERE n_ca_photons / n_seg_ph > 0.25"
        ),
        expected
    );
    assert_eq!(kept("SELECT count(*) FROM atl08 WHERE hundreds <> floor(n_seg_ph / 100)"), ["0"]);
    let heading = place.ok(&["query", "--format", "csv", "SELECT canopy_cover / 100 FROM atl08 LIMIT 1"]).stdout;
    assert!(heading.starts_with("canopy_cover / 100\n"), "{heading}");
    assert_eq!(place.rows("SELECT count(*) FILTER (WHERE canopy_h > -1) / count(*) > 0.0 FROM atl08"), ["true"]);
}

#[test]
fn a_suspicious_filter_in_the_config_gives_a_warning_with_line_and_column() {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 40);
    fs::write(
        place.path("c.yml"),
        "product: ATL08\nfilters:\n  - july: time >= '2019-07-01' AND time <= '2019-07-31'\n",
    )
    .unwrap();
    for arguments in [&["config", "check", "c.yml"][..], &["--config", "c.yml", "ingest", "--dry-run", "granules"]] {
        let run = place.ok(arguments);
        let warning = "warning: c.yml:3:11: july: time <= '2019-07-31' ends at the first moment of that day, and leaves the day \
                       itself out\nhint: write time < '2019-08-01' to include it";
        assert!(run.stderr.starts_with(warning), "{}", run.stderr);
    }
    place.ok(&["init", "mine.yml"]);
    assert_eq!(place.ok(&["config", "check", "mine.yml"]).stderr, "", "the shipped config is right");
}

#[test]
fn descending_order_puts_nulls_last() {
    let place = with_granule();
    let tallest = place.rows("SELECT max(canopy_h) FROM atl08");
    assert_eq!(place.rows("SELECT canopy_h FROM atl08 ORDER BY canopy_h DESC LIMIT 1"), tallest);
    let window = "SELECT DISTINCT first_value(canopy_h) OVER (ORDER BY canopy_h DESC) FROM atl08";
    assert_eq!(place.rows(window), tallest);
    assert_eq!(place.rows("SELECT (array_agg(canopy_h ORDER BY canopy_h DESC))[1] FROM atl08"), tallest);
}

#[test]
fn a_region_in_projected_coordinates_is_refused_by_every_command() {
    let place = with_granule();
    let cmr = FakeCmr::start(descriptions(1));
    // Near the origin, metres have the magnitude of degrees.
    let square = |crs: &str| {
        format!(
            r#"{{"type":"FeatureCollection","crs":{{"type":"name","properties":{{"name":"{crs}"}}}},"features":[{{"type":"Feature",
            "properties":{{}},"geometry":{{"type":"Polygon","coordinates":[[[-66,-8],[-60,-8],[-60,-4.5],[-66,-4.5],[-66,-8]]]}}}}]}}"#
        )
    };
    fs::write(place.path("metres.geojson"), square("urn:ogc:def:crs:EPSG::3857")).unwrap();
    fs::write(place.path("degrees.geojson"), square("urn:ogc:def:crs:EPSG::4674")).unwrap();
    let refused = "expected longitude and latitude on WGS 84 (EPSG:4326), found coordinates of EPSG:3857\n\
                   hint: `ogr2ogr -t_srs EPSG:4326 degrees.geojson FILE` converts it\n";
    let in_sql = |crs| format!("SELECT count(*) FROM atl08 WHERE in_region(latitude, longitude, '{}')", square(crs));
    for arguments in [
        &["query", "--region", "metres.geojson", "SELECT count(*) FROM atl08"][..],
        &["ingest", "--region", "metres.geojson", "granules"],
        &["search", "--region", "metres.geojson"],
        &["query", &in_sql("EPSG:3857")],
    ] {
        let run = Run::from(place.command(arguments).env("ISDB_CMR_URL", &cmr.url).output().unwrap());
        assert!(run.code == Some(1) && run.stderr.ends_with(refused), "{arguments:?}: {}", run.stderr);
    }
    let boxed =
        place.rows("SELECT count(*) FROM atl08 WHERE latitude BETWEEN -8 AND -4.5 AND longitude BETWEEN -66 AND -60");
    assert_eq!(place.rows_with(&["--region", "degrees.geojson"], "SELECT count(*) FROM atl08"), boxed);
    assert_eq!(place.rows(&in_sql("EPSG:4674")), boxed);
    let projected = place.run(&["query", "--bbox", "-6895468,-893463,-6679169,-501000", "SELECT 1"]);
    assert!(projected.stderr.contains("these look like projected coordinates\nhint: `ogr2ogr"), "{}", projected.stderr);
}

#[test]
fn exchanged_west_and_east_are_noticed_in_query_ingest_and_search() {
    let place = with_granule();
    let cmr = FakeCmr::start(descriptions(1));
    let warning = "warning: the box crosses the dateline and is 357.5° wide, because west is greater than east\n\
                   hint: the order is west,south,east,north; did you mean -62.5,-8,-60,-6?\n";
    for arguments in [
        &["query", "--bbox", "-60,-8,-62.5,-6", "SELECT count(*) FROM atl08"][..],
        &["query", "--region", "-60,-8,-62.5,-6", "SELECT count(*) FROM atl08"],
        &["--db", "new", "ingest", "--dry-run", "--region", "-60,-8,-62.5,-6", "granules"],
        &["search", "--bbox", "-60,-8,-62.5,-6"],
    ] {
        let run = Run::from(place.command(arguments).env("ISDB_CMR_URL", &cmr.url).output().unwrap());
        assert!(run.code == Some(0) && run.stderr.starts_with(warning), "{arguments:?}: {}", run.stderr);
    }
    let meant = place.ok(&["query", "--bbox", "170,-20,-170,-10", "SELECT count(*) FROM atl08"]);
    assert!(!meant.stderr.contains("warning: the box"), "20° over the dateline are meant: {}", meant.stderr);
}

#[test]
fn suggested_columns_of_a_file_are_quoted_where_sql_needs_it() {
    let place = with_granule();
    fs::write(place.path("plots.csv"), "Plot,site name,Lat,date\nA,east,-5.0,2019-07-01\n").unwrap();
    for (sql, hint) in [
        ("SELECT Plot FROM 'plots.csv'", "capitals need double quotes: write \"Plot\""),
        ("SELECT p.Lat FROM 'plots.csv' p", "capitals need double quotes: write \"Lat\""),
        ("SELECT site name FROM 'plots.csv'", "did you mean \"site name\""),
        ("SELECT height FROM 'plots.csv'", "the columns are \"Plot\", \"site name\", \"Lat\", date"),
        ("SELECT p.Plot FROM 'plots.csv' p, atl08 a", "capitals need double quotes: write \"Plot\""),
        ("SELECT 1 FROM atl08 WHERE beam = gt1l", "text belongs in single quotes: 'gt1l'"),
        ("SELECT 1 FROM atl08 WHERE beam_strength = \"Strong\"", "text belongs in single quotes: 'strong'"),
        ("SELECT atl08.canopy_h FROM atl08 a", "the statement's alias of atl08 is a: write a.canopy_h"),
    ] {
        let run = place.run(&["query", sql]);
        assert!(run.code == Some(1) && run.stderr.starts_with("error: unknown column "), "{sql}: {}", run.stderr);
        let message = run.stderr.lines().last().unwrap();
        assert!(message.starts_with("hint: ") && message.contains(hint), "{sql}: {message}");
    }
    assert_eq!(place.rows("SELECT \"Plot\", \"site name\" FROM 'plots.csv'"), ["A,east"]);
}

#[test]
fn codes_of_real_granules_are_not_refused() {
    let extracts = [
        "nsidc_test_atl08_r007_6beams_217d0236.h5",
        "ICESat2VegR_atl08_clip_r006.h5",
        "ICESat2VegR_atl08_clip_r005_d32a3678.h5",
    ];
    let granules = extracts.into_iter().map(isdb_testing::real).chain([release_004()]);
    for granule in granules.flatten() {
        let place = TestFolder::in_memory();
        place.ok(&["ingest", granule.to_str().unwrap()]);
        let columns = place.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'atl08'");
        let coded: Vec<&String> = columns.iter().filter(|column| isdb_schema::codes::codes(column).is_some()).collect();
        assert!(coded.len() > 20, "{coded:?}");
        let lists: Vec<String> =
            coded.iter().map(|column| format!("array_agg(DISTINCT {column}) AS {column}")).collect();
        let held = place.ok(&["query", "--format", "json", &format!("SELECT {} FROM atl08", lists.join(", "))]).stdout;
        let held: serde_json::Value = serde_json::from_str(&held).unwrap();
        let mut conditions = Vec::new();
        for column in coded {
            let values = held[0][column].as_array().cloned().unwrap_or_default();
            let values: Vec<String> = values
                .iter()
                .filter(|value| !value.is_null())
                .map(|value| value.to_string().replace('"', "'"))
                .collect();
            if !values.is_empty() {
                conditions.push(format!("{column} IN ({})", values.join(", ")));
            }
        }
        assert!(!conditions.is_empty(), "{}", granule.display());
        let run = place.ok(&["query", &format!("SELECT count(*) FROM atl08 WHERE {}", conditions.join(" OR "))]);
        assert_eq!(said(&run), Vec::<&str>::new(), "{}", granule.display());
    }
}
