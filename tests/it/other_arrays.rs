//! Arrays that icesat2db made, on a local disk and in an object store, compared with what TileDB-Py reads of them.

use std::path::Path;

use isdb_testing::s3::{S3Server, SECRET};
use serde_json::Value;

use crate::support::TestFolder;
use crate::support::python::script;

/// The questions of `arrays.py`, as a user of isdb asks them.
const QUESTIONS: [(&str, &[&str], &str); 7] = [
    (
        "all",
        &[],
        "SELECT segment_id, latitude, canopy_h, night_flag, beam, CAST(time AS BIGINT) AS at, h_canopy_20m FROM atl08",
    ),
    ("tall", &[], "SELECT segment_id, canopy_h FROM atl08 WHERE canopy_h > 5"),
    ("missing", &[], "SELECT segment_id FROM atl08 WHERE canopy_h IS NULL"),
    (
        "box",
        &[],
        "SELECT segment_id, canopy_h, terrain_h FROM atl08 \
         WHERE latitude > 0 AND latitude < 40 AND longitude > -60 AND canopy_h > 20",
    ),
    ("year", &["--start", "2021", "--end", "2021"], "SELECT segment_id FROM atl08"),
    ("forest", &[], "SELECT segment_id, landcover FROM atl08 WHERE landcover > 100"),
    ("strong", &["--filters", "strong"], "SELECT segment_id FROM atl08"),
];

/// A folder with the array of the script in `theirs`; `None`, counted as a skipped test, without Python's packages.
fn prepared() -> Option<TestFolder> {
    let place = TestFolder::in_memory();
    std::fs::create_dir(place.path("theirs")).unwrap();
    script("arrays.py", &[place.path("theirs")])?;
    Some(place)
}

/// Compares the answers to all questions of `array` with those of TileDB-Py.
fn compare(place: &TestFolder, array: &str) {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("theirs/expected.json")).unwrap()).unwrap();
    for (name, options, sql) in QUESTIONS {
        let sql = format!("{sql} ORDER BY segment_id");
        let run = place.ok(&[&["query", "--array", array, "--format", "json"], options, &[&sql]].concat());
        let found: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&run.stdout).unwrap();
        let columns: Vec<&str> = sql["SELECT ".len()..sql.find(" FROM").unwrap()].split(", ").collect();
        let columns: Vec<&str> = columns.iter().map(|column| column.rsplit(' ').next().unwrap()).collect();
        // A list of theirs is as many columns.
        let cells = |row: &serde_json::Map<String, Value>| -> Vec<Value> {
            let values = columns.iter().map(|column| row.get(*column).cloned().unwrap_or_default());
            values.flat_map(|value| if let Value::Array(list) = value { list } else { vec![value] }).collect()
        };
        let expected = expected[name].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (row, theirs) in found.iter().zip(expected) {
            let (ours, theirs) = (cells(row), theirs.as_array().unwrap());
            assert_eq!(ours.len(), theirs.len(), "{name}: {ours:?}");
            assert!(
                ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs)),
                "{name}: {ours:?}, {theirs:?}"
            );
        }
    }
}

/// Whether two values are equal; floats as singles, which the two programs print with other digits.
#[expect(clippy::cast_possible_truncation, reason = "singles")]
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours.as_i64(), theirs.as_i64()) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => match (ours.as_f64(), theirs.as_f64()) {
            (Some(ours), Some(theirs)) => (ours as f32).to_bits() == (theirs as f32).to_bits(),
            _ => ours == theirs,
        },
    }
}

/// Uploads the files below `folder` under the prefix `prefix`.
fn upload(server: &S3Server, folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let key = format!("{prefix}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() { upload(server, &path, &key) } else { server.put(&key, &std::fs::read(&path).unwrap()) }
    }
}

#[test]
fn an_array_of_icesat2db_gives_the_rows_of_its_own_library() {
    let Some(place) = prepared() else { return };
    compare(&place, "theirs");
    compare(&place, "theirs/array_uri");
    let run = place.ok(&[
        "query",
        "--array",
        "theirs",
        "EXPLAIN SELECT rgt FROM atl08 WHERE canopy_h > 5 AND time >= '2021-03-01'",
    ]);
    for pushed in ["time in [18687, 24106]", "h_canopy > 5", "timestamp_ns >= 2021-03-01"] {
        assert!(run.stdout.contains(pushed), "{pushed}: {}", run.stdout);
    }
    let described = place.ok(&["query", "--array", "theirs", "--format", "csv", "SHOW TABLES"]).stdout;
    assert!(described.contains("atl08") && described.contains("cells"), "{described}");
    place.ok(&["query", "--array", "theirs", "-o", "rows.parquet", "SELECT * FROM atl08"]);
    let rows =
        place.rows_with(&["--array", "theirs"], "SELECT count(*), count(canopy_h), sum(cycle) FROM 'rows.parquet'");
    assert_eq!(rows, ["1200,969,10800"]);
}

#[test]
fn an_array_in_a_bucket_gives_the_same_rows_with_and_without_a_key() {
    let Some(mut place) = prepared() else { return };
    let server = S3Server::start();
    upload(&server, &place.path("theirs/array_uri"), "data/array_uri");
    let missing = place.path("none").to_str().unwrap().to_owned();
    place.set_variables(server.variables());
    place.set_variables([("AWS_CONFIG_FILE", missing.clone()), ("AWS_SHARED_CREDENTIALS_FILE", missing)]);
    compare(&place, "s3://bucket/data");
    let requests = |sql: &str| {
        let _ = server.take_requests();
        let run = place.ok(&["--log", "trace", "query", "--array", "s3://bucket/data/array_uri", sql]);
        assert!(!run.stderr.contains(SECRET) && !run.stdout.contains(SECRET));
        server.take_requests().iter().filter(|request| request.key.ends_with(".tdb")).count()
    };
    let (all, few) =
        (requests("SELECT sum(canopy_h) FROM atl08"), requests("SELECT count(*) FROM atl08 WHERE canopy_h < -1000"));
    assert!(few < all, "statistics of tiles skip all of them: {few} requests, and {all} for a scan");
    server.set_public();
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        place.set_variables([(variable, String::new())]);
    }
    place.set_variables([("AWS_SKIP_SIGNATURE", "true".to_owned())]);
    compare(&place, "s3://bucket/data");
    let refused = place.run(&["query", "--array", "s3://bucket/nothing", "SELECT 1"]).stderr;
    assert!(refused.contains("expected a TileDB array at s3://bucket/nothing, found nothing"), "{refused}");
}

#[test]
fn what_is_not_such_an_array_is_refused_with_what_to_write_instead() {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 20);
    place.ok(&["ingest", "granules"]);
    for (array, expected) in [
        ("db", "hint: --db opens a database"),
        ("granules", "found other files"),
        ("missing", "found nothing"),
        ("", "hint: write --array PATH"),
        ("gs://bucket/x", "expected a local folder or s3://bucket/prefix"),
    ] {
        let refused = place.run(&["query", "--array", array, "SELECT 1"]);
        assert!(refused.code != Some(0) && refused.stderr.contains(expected), "{array}: {}", refused.stderr);
    }
    // Any sparse array is a table.
    let cells = ["query", "--array", "db/segments", "--format", "csv", "SELECT count(*) > 0 FROM cells"];
    assert!(place.ok(&cells).stdout.contains("true"));
    let restricted = place.run(&["query", "--array", "db/segments", "--filters", "night", "SELECT 1"]).stderr;
    assert!(restricted.contains("do not apply to"), "{restricted}");
}
