//! The commands of the README, from granules to results.

use std::path::Path;
use std::process::Command;

use crate::support::{Run, TestFolder, release_004};

#[test]
fn the_release_004_granule_gives_its_segments_beam_by_beam() {
    let Some(granule) = release_004() else { return };
    let place = TestFolder::new();
    place.ok(&["ingest", granule.to_str().unwrap()]);
    let beams = place.rows("SELECT beam, beam_strength, count(*) FROM atl08 GROUP BY ALL ORDER BY beam");
    assert_eq!(beams, ["gt1l,strong,14", "gt1r,weak,8", "gt2l,strong,8", "gt2r,weak,5"]);
    let granules = place.rows("SELECT DISTINCT granule, rgt, cycle, region, release FROM atl08");
    assert_eq!(granules, ["ATL08_20200821122613_08730802_004_01,873,8,2,004"]);
    let first = place.rows("SELECT min(time) < '2020-08-21T12:36:00' AND min(time) > '2020-08-21T12:26:00' FROM atl08");
    assert_eq!(first, ["true"], "time is UTC from the granule's own epoch");
}

#[test]
fn the_commands_of_the_readme_work_as_typed_after_the_demo() {
    let place = TestFolder::new();
    std::fs::create_dir(place.path("demo")).unwrap();
    let makefile = include_str!("../../Makefile");
    let demo = makefile.lines().find_map(|line| line.split_once("make_granules $(DEMO)/granules")).unwrap().1;
    place.make_granules("demo/granules", &demo.split_whitespace().collect::<Vec<_>>());

    let readme = include_str!("../../README.md").split_once("\n## Use\n").unwrap().1;
    let commands = readme.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0;
    let program = Path::new(env!("CARGO_BIN_EXE_isdb")).parent().unwrap();
    let mut path = program.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let typed = Command::new("sh").args(["-e", "-c", commands]).env("PATH", path).current_dir(place.path("")).output();
    let typed = Run::from(typed.unwrap());
    assert_eq!(typed.code, Some(0), "{commands}{}", typed.stderr);

    let written = "SELECT count(*) > 0, bool_and(latitude BETWEEN -7 AND -4) FROM 'demo/region.parquet'";
    assert_eq!(place.rows_with(&["--db", "demo/amazon.isdb"], written), ["true,true"]);
}

#[test]
fn the_same_granule_a_second_time_adds_nothing() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 40);
    place.ok(&["ingest", "granules"]);
    let before = place.rows("SELECT count(*) FROM atl08");
    std::fs::create_dir(place.path("copies")).unwrap();
    for (index, entry) in std::fs::read_dir(place.path("granules")).unwrap().enumerate() {
        std::fs::copy(entry.unwrap().path(), place.path(&format!("copies/renamed_{index}.h5"))).unwrap();
    }
    let again = place.ok(&["ingest", "granules", "copies"]);
    assert!(again.stderr.contains("4 skipped"), "{}", again.stderr);
    assert_eq!(place.rows("SELECT count(*) FROM atl08"), before);
    assert_eq!(place.rows("SELECT count(*) FROM granules"), ["2"]);
}

#[test]
fn a_second_ingest_adds_to_the_first_and_the_state_before_can_still_be_queried() {
    let place = TestFolder::new();
    place.synthesise("granules", 3, 40);
    let mut files: Vec<_> = std::fs::read_dir(place.path("granules")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    place.ok(&["ingest", files[0].to_str().unwrap()]);
    let first = place.rows("SELECT count(*) FROM atl08");
    let at = place.timestamp();
    place.ok(&["ingest", "granules"]);
    assert_ne!(place.rows("SELECT count(*) FROM atl08"), first);
    assert_eq!(place.rows_with(&["--at", &at], "SELECT count(*) FROM atl08"), first);
}

#[test]
fn info_summarises_the_database() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 40);
    place.ok(&["ingest", "granules"]);
    let info = place.ok(&["info"]).stdout;
    for part in
        ["granules   2 ingested; release 007", "latitude ", "longitude ", "time ", "docs/reference/other-programs.md"]
    {
        assert!(info.contains(part), "no {part:?} in\n{info}");
    }
    let rows = &place.rows("SELECT count(*) FROM atl08")[0];
    assert!(info.contains(&format!("segments   {rows} in ")), "{info}");
}

#[test]
fn the_ledger_has_the_state_of_every_granule() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 40);
    place.ok(&["ingest", "granules"]);
    let sums = place.rows("SELECT sum(rows_read) = sum(rows_kept) + sum(rows_rejected), sum(rows_kept) FROM granules");
    let stored = place.rows("SELECT count(*) FROM segments");
    assert_eq!(sums, [format!("true,{}", stored[0])]);
}

#[test]
fn a_predicate_on_a_plain_name_is_pushed_down_without_joining_the_ledger() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    let plan =
        place.rows("EXPLAIN SELECT longitude, canopy_h FROM atl08 WHERE canopy_h > 5 AND latitude < 0").join("\n");
    assert!(plan.contains("condition=[h_canopy > 5"), "{plan}");
    assert!(plan.contains("ranges=[latitude"), "{plan}");
    assert!(!plan.contains("Join"), "{plan}");
    let joined = place.rows("EXPLAIN SELECT granule FROM atl08").join("\n");
    assert!(joined.contains("Join"), "{joined}");
}
