//! The config of an ingest: variables, and the path of the database.

use crate::support::TestFolder;

const SMALL: &str = "product: ATL08\ndatabase: small\nvariables: [h_canopy, rgt]\nwindow: {granules: 1}\n";

#[test]
fn a_config_chooses_variables_and_names_the_database() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 40);
    std::fs::write(place.path("mine.yml"), SMALL).unwrap();
    let ingested =
        place.command(&["--config", "mine.yml", "ingest", "granules"]).env_remove("ISDB_DB").output().unwrap();
    assert!(ingested.status.success(), "{}", String::from_utf8_lossy(&ingested.stderr));
    assert!(place.path("small").is_dir());
    let columns = place.ok(&["--db", "small", "query", "--format", "csv", "SELECT * FROM atl08 LIMIT 0"]).stdout;
    let expected = "latitude,longitude,time,ingest_id,fragment_id,beam,beam_strength,sc_orient,spot,n_geosegments,\
                    segment_id_beg,rgt,h_canopy,canopy_h,granule,cycle,region,release,revision,\
                    qa_granule_pass_fail\n";
    assert_eq!(columns, expected);
}

#[test]
fn an_existing_database_keeps_its_variables_and_a_config_that_differs_is_an_error() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 40);
    std::fs::write(place.path("mine.yml"), SMALL).unwrap();
    place.ok(&["--config", "mine.yml", "ingest", "granules"]);
    std::fs::write(place.path("other.yml"), SMALL.replace("rgt", "night_flag")).unwrap();
    let run = place.run(&["--config", "other.yml", "ingest", "granules"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("only requested: night_flag; only stored: rgt"), "{}", run.stderr);
    place.ok(&["ingest", "granules"]);
}

#[test]
fn an_invalid_config_is_reported_with_line_and_column() {
    let place = TestFolder::new();
    std::fs::write(place.path("mine.yml"), "product: ATL08\nvariables:\n  - h_canopi\nwindow: {granules: 1}\n")
        .unwrap();
    let run = place.run(&["--config", "mine.yml", "ingest", "."]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("mine.yml:3:5: ATL08 has no variable \"h_canopi\""), "{}", run.stderr);
}

#[test]
fn a_config_without_variables_keeps_those_of_the_database() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 40);
    let whole = format!("{SMALL}derived: {{twice: h_canopy * 2}}\nfilters: [strong]\n");
    std::fs::write(place.path("mine.yml"), whole).unwrap();
    place.ok(&["--config", "mine.yml", "ingest", "granules"]);
    std::fs::write(place.path("silent.yml"), "product: ATL08\nwindow: {granules: 2}\n").unwrap();
    let again = place.ok(&["--config", "silent.yml", "ingest", "granules"]);
    assert!(again.stderr.contains("2 skipped"), "{}", again.stderr);
    std::fs::write(place.path("none.yml"), "product: ATL08\nderived: {}\nfilters: none\n").unwrap();
    let refused = place.run(&["--config", "none.yml", "ingest", "granules"]);
    assert!(
        refused.code == Some(1) && refused.stderr.contains("twice"),
        "an empty list is a request: {}",
        refused.stderr
    );
}
