//! The database compared with readers that share no code with isdb: h5py for granules, TileDB-Py for arrays, pyarrow for Parquet.

use std::fs;
use std::process::Stdio;

use isdb_testing::{beside_data, python, real, times};

use crate::support::TestFolder;
use crate::support::python::script;

/// Runs of the generator: release, mean segments of a beam, quirk. One granule has beams of more rows than the 10,000 of an HDF5
/// chunk; `overlap` writes two granules with common segments for each requested one.
const KINDS: [(&str, &str, Option<&str>); 14] = [
    ("004", "60", None),
    ("005", "60", None),
    ("006", "60", None),
    ("007", "60", None),
    ("007", "9000", None),
    ("004", "60", Some("missing-beam")),
    ("005", "60", Some("empty-beam")),
    ("006", "60", Some("no-land-segments")),
    ("007", "60", Some("double-deflate")),
    ("004", "60", Some("missing-variable")),
    ("005", "60", Some("nan-fill")),
    ("006", "60", Some("backward")),
    ("007", "60", Some("transition")),
    ("007", "60", Some("overlap")),
];

/// Compares every value and NULL of the database, and of its rows as Parquet, with the ingested granules.
fn compare(place: &TestFolder) {
    place.ok(&["query", "-o", "all.parquet", "SELECT * FROM atl08"]);
    let mut arguments = vec![place.path("db"), place.timestamp().into(), "--parquet".into(), place.path("all.parquet")];
    if let Some(table) = beside_data("atl08/variables.csv") {
        arguments.extend(["--fills".into(), table]);
    }
    let Some(compared) = script("compare.py", &arguments) else { return };
    assert!(compared.contains("equal: array and parquet"), "{compared}");
}

#[test]
fn every_value_and_null_of_real_granules_equals_that_of_h5py() {
    let Some(folder) = real("") else { return };
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let granules: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "h5")).collect();
    assert!(!granules.is_empty(), "no granule in {}", folder.display());
    for granule in granules {
        let place = TestFolder::new();
        place.ok(&["ingest", granule.to_str().unwrap()]);
        compare(&place);
    }
}

#[test]
fn every_value_and_null_of_synthetic_granules_equals_that_of_h5py() {
    let place = TestFolder::new();
    place.synthesise("granules", 4, 200);
    place.ok(&["ingest", "granules"]);
    compare(&place);
}

#[test]
fn an_extract_is_identified_by_its_rows_and_by_a_name_that_agrees_with_them() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--seed", "9", "--count", "3", "--segments", "60", "--extract"]);
    // These two have rows of the tracks 1277 and 1374.
    for (extract, name) in
        [(1, "ATL08_20200101000000_12770310_007_01.h5"), (2, "ATL08_20200101000000_00010310_007_01.h5")]
    {
        let granules = place.path("granules");
        fs::rename(granules.join(format!("extract_{extract}.h5")), granules.join(name)).unwrap();
    }
    place.ok(&["ingest", "granules"]);
    let sources = place.rows("SELECT rgt, identity_source, start_time IS NULL FROM granules ORDER BY rgt");
    assert_eq!(sources, ["1180,rows,false", "1277,file_name,false", "1374,rows,false"]);
    compare(&place);
}

#[test]
fn every_value_and_null_of_all_releases_and_quirks_equals_that_of_h5py() {
    let Some(generator) = beside_data("tools/make_granules.py") else { return };
    let place = TestFolder::new();
    let count = times(1, 3);
    let mut running = Vec::new();
    for (seed, (release, segments, quirk)) in KINDS.into_iter().enumerate() {
        let Some(mut command) = python() else { return };
        command.arg(&generator).arg(place.path("granules")).args(["--release", release, "--count", &count.to_string()]);
        command.args(["--segments", segments, "--seed", &(seed + 1).to_string()]);
        command.args(quirk.map(|quirk| ["--quirk", quirk]).into_iter().flatten());
        running.push(command.stdout(Stdio::null()).spawn().unwrap());
    }
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    // `overlap` counts twice.
    let made = fs::read_dir(place.path("granules")).unwrap().count();
    assert_eq!(made, (KINDS.len() + 1) * count as usize);
    place.ok(&["ingest", "--replace-release", "granules"]);
    compare(&place);
}

/// Runs the functions that the documentation shows, and returns count, sum of canopy heights and segments of a beam.
fn read_as_documented(place: &TestFolder) -> Option<String> {
    let page = include_str!("../../docs/reference/other-programs.md");
    let functions = page.split_once("```python\n").unwrap().1.split_once("```").unwrap().0;
    let uses = "import sys\n\
                rows = read(sys.argv[1], ['h_canopy'])\n\
                one = read(sys.argv[1], ['h_canopy', 'beam'], \"h_canopy > 5 and beam == 'gt1l'\")\n\
                print(len(rows['h_canopy']), rows['h_canopy'].sum(), len(one['beam']), sep=',')\n";
    let script = place.path("documented.py");
    fs::write(&script, format!("{functions}\n{uses}")).unwrap();
    let run = python()?.arg(script).arg(place.path("db")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(String::from_utf8(run.stdout).unwrap().trim().to_owned())
}

/// A person without isdb must not count segments twice.
#[test]
fn the_documented_functions_read_visible_segments_only() {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 60);
    for step in ["ingest", "refilter", "remove", "consolidate"] {
        match step {
            "refilter" => place.ok(&["ingest", "--refilter", "--filters", "strong", "granules"]),
            "remove" => place.ok(&["remove", &place.rows("SELECT min(granule) FROM granules_current")[0]]),
            "ingest" => place.ok(&["ingest", "granules"]),
            other => place.ok(&[other]),
        };
        let expected = place.rows(
            "SELECT count(*), sum(CAST(h_canopy AS DOUBLE)), \
             count(*) FILTER (WHERE h_canopy > 5 AND beam = 'gt1l') FROM segments",
        );
        let Some(found) = read_as_documented(&place) else { return };
        let [(count, sum, of_beam), (found_count, found_sum, found_of_beam)] = [&expected[0], &found].map(|row| {
            let mut parts = row.split(',').map(str::to_owned);
            (parts.next().unwrap(), parts.next().unwrap().parse::<f64>().unwrap(), parts.next().unwrap())
        });
        assert_eq!((count, of_beam), (found_count, found_of_beam), "{step}");
        assert!((sum - found_sum).abs() <= 1e-4 * sum.abs(), "{step}: {sum} {found_sum}");
    }
}
