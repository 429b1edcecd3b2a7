//! A database in an object store, as a user of the program sees it.

mod costs;
mod moto;
mod stopped_writers;

use isdb_testing::s3::{Fault, KEY_ID, S3Server, SECRET};

use crate::support::random::random;
use crate::support::{Content, TestFolder};

const DATABASE: &str = "s3://bucket/lab/atl08";

/// A folder with granules and the variables of a server, whose database is in its bucket.
fn prepared() -> (S3Server, TestFolder) {
    prepared_with(3, 60)
}

/// The same with this number of granules, and of segments in a beam.
fn prepared_with(granules: usize, segments: usize) -> (S3Server, TestFolder) {
    let (server, mut place) = (S3Server::start(), TestFolder::in_memory());
    place.set_variables(server.variables());
    without_profiles(&mut place);
    place.set_variables([("ISDB_DB", DATABASE.to_owned())]);
    place.synthesise("granules", granules, segments);
    (server, place)
}

/// Hides the profiles of whoever runs the tests.
fn without_profiles(place: &mut TestFolder) {
    let missing = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let (config, credentials) = (missing("no config"), missing("no credentials"));
    place.set_variables([("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", credentials)]);
}

/// The same commands with `options`, which name a database.
fn life(place: &TestFolder, options: &[&str]) {
    let run = |arguments: &[&str]| place.ok(&[options, arguments].concat());
    let mut granules = place.files("granules");
    granules.sort();
    run(&["ingest", "--filters", "strong", &granules[0], &granules[1]]);
    run(&["tag", "paper"]);
    run(&["ingest", "--refilter", "--filters", "none", "granules"]);
    run(&["consolidate"]);
    let granule = place.rows_with(options, "SELECT granule FROM granules_current ORDER BY granule");
    run(&["remove", &granule[2]]);
    run(&["vacuum", "--older-than", "0s"]);
    run(&["vacuum", "--older-than", "0s"]);
}

#[test]
fn every_command_gives_the_same_answers_as_on_a_local_disk() {
    let (server, place) = prepared();
    life(&place, &["--db", "local"]);
    life(&place, &["--db", DATABASE]);
    let of = |database: &str, sql: &str| place.rows_with(&["--db", database], sql);
    let segments = of("local", Content::SEGMENTS);
    assert!(segments.len() > 100 && segments == of(DATABASE, Content::SEGMENTS));
    let ledger = "SELECT * EXCEPT (finished_at) FROM granules ORDER BY ingest_id";
    assert_eq!(of("local", ledger), of(DATABASE, ledger));
    let tagged = |database: &str| place.rows_with(&["--db", database, "--at", "paper"], Content::SEGMENTS);
    assert_eq!(tagged("local"), tagged(DATABASE));
    let boxed = "SELECT count(*), avg(h_canopy) FROM atl08 WHERE latitude BETWEEN 10 AND 60 AND h_canopy > 5";
    assert_eq!(of("local", boxed), of(DATABASE, boxed));
    let info = place.ok(&["info"]).stdout;
    assert!(info.contains(DATABASE), "{info}");
    place.ok(&["query", "-o", "rows.parquet", "SELECT * FROM atl08"]);
    assert!(place.path("rows.parquet").metadata().unwrap().len() > 1_000);
    let checked = place.ok(&["check"]).stdout;
    assert!(checked.ends_with("damaged: nothing\n"), "{checked}");
    let repaired = place.ok(&["repair", "--yes"]).stderr;
    assert!(repaired.contains("dropped: 0 fragments"), "{repaired}");
    assert!(server.keys().iter().all(|key| key.starts_with("lab/atl08/")));
    assert!(!place.path("s3:").exists(), "the bucket is not a folder");
}

#[test]
fn variables_are_added_and_requests_that_fail_now_and_then_are_repeated() {
    let (server, place) = prepared();
    std::fs::write(place.path("some.yml"), "product: ATL08\nvariables: [h_canopy]\n").unwrap();
    let mut count = 0;
    server.set_faults(move |_| {
        count += 1;
        match count % 40 {
            9 => Fault::Refuse(500, "InternalError"),
            19 => Fault::Refuse(503, "SlowDown"),
            29 => Fault::Reset,
            39 => Fault::LoseAnswer,
            _ => Fault::None,
        }
    });
    let run = place.ok(&["--config", "some.yml", "--log", "info", "ingest", "granules"]);
    assert!(run.stderr.contains("retry"), "{}", run.stderr);
    place.ok(&["add-variable", "h_te_best_fit"]);
    place.ok(&["ingest", "--force", "granules"]);
    assert!(place.rows("SELECT count(h_canopy), count(h_te_best_fit) FROM atl08")[0].starts_with(char::is_numeric));
}

#[test]
fn random_failures_of_a_twentieth_of_the_requests_change_nothing() {
    let (server, place) = prepared_with(3, 30);
    std::fs::write(place.path("c.yml"), "product: ATL08\nvariables: [h_canopy, night_flag]\n").unwrap();
    life(&place, &["--db", "local", "--config", "c.yml"]);
    let expected = Content::read_database(&place, "local");
    let mut random = random();
    for _ in 0..isdb_testing::times(1, 20) {
        server.clear();
        let mut random = crate::support::random::Random::new(random.below(u64::MAX));
        server.set_faults(move |_| match random.below(100) {
            0 => Fault::Refuse(500, "InternalError"),
            1 => Fault::Refuse(503, "SlowDown"),
            2 => Fault::Reset,
            3 => Fault::LoseAnswer,
            4 => Fault::Delay(std::time::Duration::from_millis(20)),
            _ => Fault::None,
        });
        life(&place, &["--db", DATABASE, "--config", "c.yml"]);
        expected.is_in_database(&place, DATABASE, "with failures");
        server.clear_faults();
    }
}

#[test]
fn no_secret_is_logged_and_a_refusal_is_one_error_with_a_hint() {
    let (server, mut place) = prepared();
    place.set_variables([("AWS_SESSION_TOKEN", "tokenOfTheTest".to_owned())]);
    let mut written = String::new();
    let commands: [&[&str]; 4] = [
        &["ingest", "granules"],
        &["query", "SELECT count(*) FROM atl08"],
        &["info"],
        &["query", "EXPLAIN ANALYZE SELECT * FROM atl08"],
    ];
    for command in commands {
        let run = place.ok(&[&["--log", "trace"], command].concat());
        written += &(run.stdout + &run.stderr);
    }
    assert!(written.contains("DEBUG"), "the log has everything");
    place.set_variables([("AWS_ACCESS_KEY_ID", "AKIDWRONG".to_owned())]);
    let refused = place.run(&["--log", "trace", "query", "SELECT 1"]);
    assert_ne!(refused.code, Some(0));
    written += &refused.stderr;
    for secret in [SECRET, "tokenOfTheTest", KEY_ID] {
        assert!(!written.contains(secret), "{secret} is in the log");
    }
    let refused = place.run(&["query", "SELECT count(*) FROM atl08"]).stderr;
    assert!(refused.contains("s3://bucket/lab/atl08") && refused.contains("InvalidAccessKeyId"), "{refused}");
    assert!(refused.contains("hint: ") && refused.lines().count() <= 4, "{refused}");
    place.set_variables([("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()), ("AWS_SESSION_TOKEN", "expired".to_owned())]);
    let keys = server.keys();
    let refused = place.run(&["ingest", "granules"]).stderr;
    assert!(refused.contains("ExpiredToken") && refused.contains("hint: "), "{refused}");
    assert_eq!(server.keys(), keys);
}

#[test]
fn a_database_that_lost_a_file_in_a_bucket_is_whole_again_after_a_repair_and_an_ingest() {
    let (server, place) = prepared();
    place.ok(&["ingest", "granules"]);
    let before = place.rows(Content::SEGMENTS);
    let lost = server.keys().into_iter().find(|key| key.ends_with("/d0.tdb")).unwrap();
    server.remove(&lost);
    let check = place.run(&["check"]);
    assert_eq!(check.code, Some(1), "{}", check.stderr);
    let named = check.stdout.contains(&format!("s3://bucket/{lost}: it does not exist\n"));
    assert!(named && check.stdout.contains("granule: ATL08_"), "{}", check.stdout);
    place.ok(&["repair", "--yes"]);
    place.ok(&["ingest", "granules"]);
    assert_eq!(place.rows(Content::SEGMENTS), before);
    place.ok(&["check"]);
}
