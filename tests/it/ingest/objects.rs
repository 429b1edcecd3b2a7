//! Granules in a bucket, which are read in place with the settings of object stores.

use isdb_testing::s3::{S3Server, SECRET};

use crate::support::TestFolder;

/// A server with the granules of `granules` below `lake/2020`, and a folder whose program uses it.
fn prepared() -> (S3Server, TestFolder) {
    let (server, mut place) = (S3Server::start(), TestFolder::in_memory());
    let missing = place.path("none").to_str().unwrap().to_owned();
    place.set_variables(server.variables());
    place.set_variables([("AWS_CONFIG_FILE", missing.clone()), ("AWS_SHARED_CREDENTIALS_FILE", missing)]);
    place.synthesise("granules", 3, 60);
    for file in place.files("granules") {
        server.put(&format!("lake/2020/{}", &file["granules/".len()..]), &std::fs::read(place.path(&file)).unwrap());
    }
    server.put("lake/notes.txt", b"no granule");
    (server, place)
}

/// The segments of a database, without what differs between runs.
fn segments(place: &TestFolder, database: &str) -> Vec<String> {
    let sql = "SELECT * EXCEPT (ingest_id, fragment_id) FROM atl08 ORDER BY granule, beam, segment_id_beg";
    place.rows_with(&["--db", database], sql)
}

#[test]
fn granules_in_a_bucket_give_the_same_database_as_their_files() {
    let (server, place) = prepared();
    place.ok(&["--db", "files", "ingest", "granules"]);
    let run = place.ok(&["--db", "objects", "--log", "trace", "ingest", "s3://bucket/lake/2020/*.h5"]);
    assert!(!run.stderr.contains(SECRET));
    assert_eq!(segments(&place, "objects"), segments(&place, "files"));
    let sources = place.rows_with(&["--db", "objects"], "SELECT source FROM granules");
    assert!(sources.iter().all(|source| source.starts_with("s3://bucket/lake/2020/ATL08_")), "{sources:?}");
    let again = place.ok(&["--db", "objects", "ingest", "s3://bucket/lake"]);
    assert!(again.stderr.contains("skipped"), "{}", again.stderr);
    // Into a database in the same bucket, one object by its key.
    let key = server.keys().into_iter().find(|key| key.ends_with(".h5")).unwrap();
    place.ok(&["--db", "s3://bucket/db", "ingest", &format!("s3://bucket/{key}")]);
    assert_eq!(place.rows_with(&["--db", "s3://bucket/db"], "SELECT count(*) FROM granules_current"), ["1"]);
}

#[test]
fn what_is_not_in_the_bucket_is_one_error() {
    let (server, place) = prepared();
    for (path, expected) in [
        ("s3://bucket/lake/2021/*.h5", "s3://bucket/lake/2021/*.h5"),
        ("s3://bucket/empty", "no .h5 file found"),
        ("s3://nobucket/x", "NoSuchBucket"),
    ] {
        let refused = place.run(&["ingest", path]);
        assert!(refused.code != Some(0) && refused.stderr.contains(expected), "{path}: {}", refused.stderr);
    }
    let mixed = place.run(&["ingest", "granules", "s3://bucket/lake"]).stderr;
    assert!(mixed.contains("need a command each"), "{mixed}");
    server.put("lake/broken/x.h5", b"no HDF5");
    let broken = place.run(&["ingest", "s3://bucket/lake"]);
    assert!(broken.code != Some(0) && broken.stderr.contains("lake/broken/x.h5"), "{}", broken.stderr);
    assert_eq!(place.rows("SELECT count(*) FROM granules_current WHERE state = 'ingested'"), ["3"]);
}
