//! `isdb copy`: a database at another place gives the same answers, and one that was interrupted is continued.

use isdb_testing::s3::{Fault, S3Server};

use crate::support::{Content, TestFolder};

const BUCKET: &str = "s3://bucket/lab/atl08";
const OTHER: &str = "s3://bucket/lab/other";

/// A folder with the database `db`, which has a tag and replaced rows, and the variables of a server with an empty bucket.
fn prepared() -> (S3Server, TestFolder) {
    let (server, mut place) = (S3Server::start(), TestFolder::in_memory());
    place.set_variables(server.variables());
    // No profile of whoever runs the tests.
    let missing = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let (config, credentials) = (missing("no config"), missing("no credentials"));
    place.set_variables([("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", credentials)]);
    place.synthesise("granules", 3, 60);
    place.ok(&["ingest", "--filters", "strong", "granules"]);
    place.ok(&["tag", "paper"]);
    place.ok(&["ingest", "--refilter", "--filters", "none", "granules"]);
    (server, place)
}

fn rows(place: &TestFolder, database: &str, at: &[&str]) -> [Vec<String>; 2] {
    let ledger = "SELECT * FROM granules ORDER BY ingest_id";
    [Content::SEGMENTS, ledger].map(|sql| place.rows_with(&[&["--db", database], at].concat(), sql))
}

#[test]
fn a_copy_of_a_copy_of_a_copy_has_the_rows_of_the_original_and_can_be_written_to() {
    let (_server, place) = prepared();
    let (now, paper) = (rows(&place, "db", &[]), rows(&place, "db", &["--at", "paper"]));
    for [from, to] in [["db", "second"], ["second", BUCKET], [BUCKET, OTHER], [OTHER, "back"]] {
        let run = place.ok(&["copy", from, to]);
        assert!(
            run.stdout.is_empty() && run.stderr.contains("copied: ") && run.stderr.contains("commit "),
            "{}",
            run.stderr
        );
        assert_eq!(rows(&place, to, &[]), now, "{to}");
        assert_eq!(rows(&place, to, &["--at", "paper"]), paper, "{to}");
        assert!(place.ok(&["--db", to, "check"]).stdout.ends_with("damaged: nothing\n"), "{to}");
    }
    for database in ["back", BUCKET] {
        place.ok(&["--db", database, "ingest", "--refilter", "--filters", "night", "granules"]);
        place.ok(&["--db", database, "vacuum", "--older-than", "0s"]);
        place.ok(&["--db", database, "check"]);
        assert_eq!(rows(&place, database, &["--at", "paper"]), paper);
    }
    assert_eq!(rows(&place, "db", &[]), now, "the original is not changed");
}

#[test]
fn an_interrupted_copy_is_no_database_and_is_continued() {
    let (server, place) = prepared();
    let mut puts = 0;
    server.set_faults(move |request| {
        puts += usize::from(request.method == "PUT" && request.key.contains("__fragments"));
        if puts > 40 { Fault::Refuse(403, "AccessDenied") } else { Fault::None }
    });
    let failed = place.run(&["copy", "db", BUCKET]);
    assert!(failed.code == Some(1) && failed.stderr.contains("AccessDenied"), "{}", failed.stderr);
    server.clear_faults();
    for command in [&["info"][..], &["ingest", "granules"], &["check"], &["query", "SELECT count(*) FROM atl08"]] {
        let refused = place.run(&[&["--db", BUCKET], command].concat());
        let expected =
            format!("error: {BUCKET} is an unfinished copy of {}\nhint: `isdb copy", place.path("db").display());
        assert!(refused.code == Some(1) && refused.stderr.contains(&expected), "{command:?}: {}", refused.stderr);
    }
    let continued = place.ok(&["copy", "db", BUCKET]).stderr;
    assert!(continued.contains("already there: "), "{continued}");
    assert_eq!(rows(&place, BUCKET, &[]), rows(&place, "db", &[]));
    assert!(!server.keys().iter().any(|key| key.ends_with("copy.json")));
}

#[test]
fn a_place_that_is_in_use_or_within_the_database_is_refused_and_left_alone() {
    let (server, place) = prepared();
    std::fs::create_dir(place.path("thesis")).unwrap();
    std::fs::write(place.path("thesis/chapter.tex"), "x").unwrap();
    server.put("lab/atl08/notes.txt", b"x");
    let keys = server.keys();
    for (from, to, problem) in [
        ("db", "thesis", "expected an empty place"),
        ("db", BUCKET, "expected an empty place"),
        ("db", "db", "outside of the database"),
        ("db", "db/copy", "outside of the database"),
        ("nothing", "new", "no isdb database at"),
    ] {
        let refused = place.run(&["copy", from, to]);
        let is_refused =
            refused.code == Some(1) && refused.stderr.contains(problem) && refused.stderr.contains("hint: ");
        assert!(is_refused, "{from} {to}: {}", refused.stderr);
    }
    assert_eq!(server.keys(), keys);
    assert_eq!(std::fs::read_dir(place.path("thesis")).unwrap().count(), 1);
    assert!(!place.path("new").exists() && !place.path("db/copy").exists());
    place.ok(&["copy", "db", "copy"]);
    let again = place.run(&["copy", "db", "copy"]);
    assert!(again.stderr.contains("expected an empty place"), "{}", again.stderr);
}
