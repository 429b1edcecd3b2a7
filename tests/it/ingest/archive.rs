//! Ingest from NASA's archive, from the search to the committed database.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fake_nasa::archive::{PASSWORD, TOKEN, Trick, USER};
use crate::fake_nasa::cmr::Act;
use crate::fake_nasa::s3::S3;
use crate::fake_nasa::setup::{FakeNasa, SEGMENTS, YEARS};
use crate::support::TestFolder;
use crate::support::preload::shim;
use crate::support::random::random;

/// The bounds of the southern segments of one granule, as the option --region.
fn bounds_of_granule(place: &TestFolder, granule: usize) -> String {
    let whole = ["--config", "c.yml", "--db", "whole", "ingest", "theirs"];
    place.ok(&whole);
    let sql = format!(
        "SELECT concat_ws(',', min(longitude) - 0.01, min(latitude), max(longitude) + 0.01, avg(latitude)) FROM atl08 \
         GROUP BY granule ORDER BY granule LIMIT 1 OFFSET {granule}"
    );
    place.rows_with(&["--db", "whole"], &sql)[0].trim_matches('"').to_owned()
}

#[test]
fn a_region_and_dates_fill_a_database_and_a_second_run_fetches_nothing() {
    let nasa = FakeNasa::six();
    let region = bounds_of_granule(&nasa.place, 2);
    let arguments = ["ingest", "--region", &region, "--start", "2018-01-01", "--end", "2030-12-31"];
    let run = nasa.ok(&arguments);
    assert!(run.stderr.contains("granules: 6\n"), "the search reports its granules\n{}", run.stderr);
    assert!(run.stderr.contains("to download: 6 granules, "), "{}", run.stderr);
    assert!(!nasa.place.path("db.granules").exists(), "what was fetched is gone");
    let form = &nasa.cmr.requests()[1];
    assert_eq!(form.value("temporal"), Some("2018-01-01T00:00:00.000Z,2030-12-31T23:59:59.999Z"));
    assert_eq!((form.value("version"), form.value("bounding_box[]").is_some()), (Some("007"), true));
    nasa.equals_an_ingest_from_disk(&["--region", &region]);
    let empty: usize = nasa.place.rows("SELECT count(*) FROM granules WHERE state = 'empty'")[0].parse().unwrap();
    assert!((1..6).contains(&empty), "some only touch the region by their footprints: {empty}");
    assert!(run.stderr.contains(&format!("{empty} empty")), "{}", run.stderr);
    let urls = nasa.place.rows("SELECT source FROM granules ORDER BY source");
    assert!(urls.iter().all(|url| url.starts_with("http://127.0.0.1")), "{urls:?}");

    let before = nasa.archive.seen().len();
    // A later search uses the region of the database.
    let searches = nasa.cmr.requests().len();
    let again = nasa.ok(&["ingest", "--start", "2018-01-01", "--end", "2030-12-31"]);
    assert!(again.stderr.contains("granules: 6 skipped"), "{}", again.stderr);
    let boxes: Vec<_> = nasa.cmr.requests()[searches..]
        .iter()
        .filter_map(|form| form.value("bounding_box[]").map(str::to_owned))
        .collect();
    assert!(
        !boxes.is_empty()
            && boxes.iter().all(|other| Some(other.as_str()) == nasa.cmr.requests()[1].value("bounding_box[]")),
        "{boxes:?}"
    );
    let again = nasa.ok(&arguments);
    assert!(again.stderr.contains("granules: 6 skipped"), "{}", again.stderr);
    assert_eq!(nasa.archive.seen().len(), before, "no request is sent");
    // Whole granules are fetched again, and replace the attempts of the region.
    nasa.ok(&[&arguments[..], &["--whole-granules"]].concat());
    assert_eq!(nasa.place.rows(SEGMENTS), nasa.place.rows_with(&["--db", "whole"], SEGMENTS));
}

#[test]
fn fetched_files_are_kept_on_request_and_earlier_ones_always() {
    let nasa = FakeNasa::with(&["--count", "3", "--every", "2", "--segments", "10"]);
    let names = nasa.names();
    let file = |folder: &str, name: &str| isdb_cmr::download_path(&nasa.place.path(folder), name).unwrap();
    nasa.ok(&["download", &nasa.archive.url(&names[0]), "--to", "data"]);
    nasa.ok(&[&YEARS[..], &["--data", "data"]].concat());
    assert_eq!(nasa.all_sent(), 3);
    assert_eq!(names.iter().map(|name| file("data", name).exists()).collect::<Vec<_>>(), [true, false, false]);
    nasa.ok(&[&["--db", "other"], &YEARS[..], &["--keep"]].concat());
    assert!(names.iter().all(|name| file("other.granules", name).exists()));
    let run = nasa.ok(&["--db", "other", "ingest", "other.granules"]);
    assert!(run.stderr.contains("granules: 3 skipped"), "they are known from disk, too\n{}", run.stderr);
}

#[test]
fn another_release_is_refused_before_any_download_and_replaces_on_request() {
    let nasa = FakeNasa::with(&["--count", "4", "--every", "2", "--segments", "10", "--release", "006"]);
    nasa.ok(&YEARS);
    nasa.place.make_granules("theirs", &["--count", "4", "--every", "2", "--segments", "10"]);
    nasa.publish();
    let before = nasa.all_sent();
    let stays = nasa.ok(&YEARS);
    assert!(stays.stderr.contains("release: 006, from the database"), "{}", stays.stderr);
    let refused = nasa.run(&[&YEARS[..], &["--release", "7"]].concat());
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("hint: ") && refused.stderr.contains("--replace-release"), "{}", refused.stderr);
    assert_eq!(nasa.all_sent(), before);
    let run = nasa.ok(&[&YEARS[..], &["--release", "7", "--replace-release"]].concat());
    assert!(run.stderr.contains("granules: 4 replaced"), "{}", run.stderr);
    assert_eq!(nasa.place.rows("SELECT release, count(*) FROM granules_current GROUP BY release"), ["007,4"]);
}

#[test]
fn transient_errors_are_retried_and_permanent_ones_recorded_for_the_next_run() {
    let nasa = FakeNasa::six();
    let names = nasa.names();
    nasa.cmr.script(&[Act::Serve, Act::Throttle(1), Act::GatewayTimeout]);
    nasa.archive.play(&names[0], [Trick::Cut(3000), Trick::Store(403)]);
    nasa.archive.play(&names[1], [Trick::Archive(503, vec![("retry-after", "0".to_owned())])]);
    nasa.archive.play(&names[3], [Trick::Archive(404, vec![])]);
    let run = nasa.run(&YEARS);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let message = format!("/{} responded with 404 Not Found", names[3]);
    assert!(run.stderr.lines().any(|line| line.starts_with("failed: ") && line.ends_with(&message)), "{}", run.stderr);
    assert!(run.stderr.contains("granules: 5 ingested, 1 failed"), "{}", run.stderr);
    assert_eq!(nasa.states(), ["failed,download,1", "ingested,,5"]);
    let commits = || std::fs::read_dir(nasa.place.path("db/commits")).unwrap().count();
    let before = commits();
    let run = nasa.ok(&YEARS);
    assert!(run.stderr.contains("granules: 1 ingested, 5 skipped"), "{}", run.stderr);
    assert!(commits() > before);
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn a_granule_without_url_is_recorded_as_failed_in_its_window() {
    let nasa = FakeNasa::with(&["--count", "3", "--every", "2", "--segments", "10"]);
    let mut items = nasa.publish();
    items[0]["umm"]["RelatedUrls"] = json!([]);
    nasa.cmr.know(items);
    let run = nasa.run(&YEARS);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(nasa.states(), ["failed,search,1", "ingested,,2"]);
    let times = nasa.place.rows("SELECT finished_at, state FROM granules ORDER BY ingest_id");
    assert!(times[0].ends_with("failed"), "{times:?}");
    let again = nasa.run(&YEARS);
    assert!(again.stderr.contains("2 skipped, 1 failed before"), "{}", again.stderr);
    assert_eq!(nasa.states(), ["failed,search,1", "ingested,,2"]);
}

#[test]
fn a_refused_login_ends_the_run_and_committed_windows_stay() {
    let nasa = FakeNasa::six();
    let names = nasa.names();
    nasa.archive.play(&names[4], [Trick::Revoke]);
    let run = nasa.run(&YEARS);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("error: Earthdata refused the token"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: ") && !run.stderr.contains(TOKEN), "{}", run.stderr);
    assert_eq!(nasa.states(), ["ingested,,4"]);
    nasa.archive.accept_tokens();
    nasa.ok(&YEARS);
    for name in &names[..4] {
        assert_eq!(nasa.sent(name), 1, "{name}");
    }
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn a_work_list_is_ingested_and_restores_a_removed_granule() {
    let nasa = FakeNasa::six();
    let names = nasa.names();
    nasa.ok(&["search", "-o", "list.ndjson"]);
    nasa.ok(&["ingest", "list.ndjson"]);
    nasa.equals_an_ingest_from_disk(&[]);
    nasa.place.ok(&["remove", names[1].trim_end_matches(".h5")]);
    assert!(nasa.ok(&YEARS).stderr.contains("1 removed on purpose"));
    assert_eq!(nasa.sent(&names[1]), 1);
    let run = nasa.ok(&["ingest", "list.ndjson"]);
    assert!(run.stderr.contains("granules: 1 ingested, 5 skipped"), "{}", run.stderr);
    let mixed = nasa.run(&["ingest", "list.ndjson", "theirs"]);
    assert!(mixed.code == Some(1) && mixed.stderr.contains("a command each"), "{}", mixed.stderr);
    let late = nasa.ok(&["--db", "late", "ingest", "list.ndjson", "--start", "2100"]);
    assert!(late.stderr.contains("6 outside the requested period"), "{}", late.stderr);
}

#[test]
fn start_and_end_select_files_on_disk() {
    let nasa = FakeNasa::six();
    let names = nasa.names();
    let day = |name: &str| format!("{}-{}-{}", &name[6..10], &name[10..12], &name[12..14]);
    let until = day(&names[2]);
    let expected = names.iter().filter(|name| day(name) <= until).count();
    let run = nasa.ok(&["ingest", "theirs", "--end", &until]);
    assert!(run.stderr.contains(&format!("granules: {expected} ingested, {} skipped", 6 - expected)), "{}", run.stderr);
}

/// The files that are complete on disk or ingested, and the number of responses with each so far.
fn done(nasa: &FakeNasa) -> BTreeMap<String, usize> {
    let stored = match nasa.place.path("db").exists() {
        true => nasa.place.run(&["query", "--format", "csv", "SELECT granule FROM granules"]).stdout,
        false => String::new(),
    };
    let is_whole = |name: &str| Path::exists(&isdb_cmr::download_path(&nasa.place.path("db.granules"), name).unwrap());
    let names = nasa.names().into_iter();
    let done = names.filter(|name| is_whole(name) || stored.contains(name.trim_end_matches(".h5")));
    done.map(|name| (name.clone(), nasa.sent(&name))).collect()
}

#[test]
fn an_ingest_killed_at_random_moments_resumes_and_fetches_no_complete_file_twice() {
    let nasa = FakeNasa::with(&["--count", "10", "--every", "2", "--segments", "20"]);
    nasa.archive.slow_down(Duration::from_millis(4));
    let mut random = random();
    let wanted = isdb_testing::times(12, 60);
    // A run that ended before its kill does not count, and the next one starts with a new database.
    let (mut killed, mut runs) = (0, 0);
    while killed < wanted {
        runs += 1;
        assert!(runs <= 4 * wanted, "{killed} of {runs} kills came while an ingest was at work");
        killed += u32::from(nasa.killed_after(150 + random.below(500)));
        // Time to record its last requests.
        std::thread::sleep(Duration::from_millis(50));
        let before = done(&nasa);
        // A short run, which could repeat requests.
        nasa.killed_after(150 + random.below(300));
        for (name, sent) in before {
            assert_eq!(nasa.sent(&name), sent, "{name} was there already");
        }
        if done(&nasa).len() == nasa.names().len() && killed < wanted {
            for left in ["db", "db.granules"] {
                let _ = std::fs::remove_dir_all(nasa.place.path(left));
            }
        }
    }
    let before = done(&nasa);
    nasa.ok(&YEARS);
    for (name, sent) in before {
        assert_eq!(nasa.sent(&name), sent, "{name} was there already");
    }
    assert!(!nasa.place.path("db.granules").exists(), "nothing is left, not even of interrupted runs");
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn granules_are_fetched_to_file_systems_without_locks_links_and_synced_folders() {
    let Some(library) = shim("filesystem") else { return };
    let nasa = FakeNasa::six();
    let mut command = nasa.command(&YEARS);
    let ended =
        command.env("LD_PRELOAD", library).env("ISDB_TEST_LACKS", "link=1 dirsync=22 flock=37").output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(!nasa.place.path("db.granules").exists());
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn granules_read_in_place_are_stored_like_downloaded_ones() {
    let (nasa, s3) = (FakeNasa::six(), S3::new());
    let names = nasa.names();
    let items = (1..).zip(&names).map(|(number, name)| {
        let mut item = nasa.item(number, name);
        let urls = item["umm"]["RelatedUrls"].as_array_mut().unwrap();
        let direct = urls.iter_mut().find(|url| url["Type"] == "GET DATA VIA DIRECT ACCESS").unwrap();
        direct["URL"] = json!(format!("s3://nsidc/ATLAS/{name}"));
        let content = std::fs::read(nasa.place.path("theirs").join(name)).unwrap();
        s3.put(&format!("/nsidc/ATLAS/{name}"), Bytes::from(content));
        item
    });
    nasa.cmr.know(items.collect());
    let ingest = |database: &str, more: &[&str]| {
        let mut command = nasa.command(&[&["--db", database, "ingest", "--release", "7"], more].concat());
        // The archive issues S3 credentials for user and password only.
        command.env_remove("EARTHDATA_TOKEN").env("EARTHDATA_USERNAME", USER).env("EARTHDATA_PASSWORD", PASSWORD);
        let ended = command.env("ISDB_S3_ENDPOINT", s3.endpoint()).output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    let (code, message) = ingest("direct", &["--direct"]);
    assert_eq!(code, Some(0), "{message}");
    let (requests, bytes) = s3.answered();
    println!("6 granules read in place: {requests} requests, {bytes} bytes");
    assert!(requests >= names.len() && !nasa.place.path("direct.granules").exists(), "nothing is fetched to disk");
    let (code, message) = ingest("fetched", &[]);
    assert_eq!(code, Some(0), "{message}");
    let of = |database| nasa.place.rows_with(&["--db", database], SEGMENTS);
    let direct = of("direct");
    assert!(!direct.is_empty() && direct == of("fetched"));

    s3.refuse();
    let (code, message) = ingest("outside", &["--direct"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("us-west-2") && message.contains("a download works from everywhere"), "{message}");
    assert!(message.contains("6 read\n"), "the stage: {message}");
    // This is not a failure of the granules: the same command completes once S3 serves them.
    s3.accept();
    let (code, message) = ingest("outside", &["--direct"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(of("outside") == direct);
}

#[test]
fn a_wrong_file_fails_its_granule_and_the_others_are_ingested() {
    // Of another release, and of another granule.
    for (case, options) in [("release", &["--release", "6"][..]), ("granule", &["--seed", "2"])] {
        let nasa = FakeNasa::six();
        let names = nasa.names();
        nasa.place.make_granules("wrong", &[&["--count", "1", "--segments", "20"], options].concat());
        std::fs::copy(nasa.place.path(&nasa.place.files("wrong")[0]), nasa.place.path("theirs").join(&names[1]))
            .unwrap();
        nasa.publish();
        let arguments = [&YEARS[..], &["--release", "7"]].concat();
        let run = nasa.run(&arguments);
        assert_eq!(run.code, Some(3), "{case}: {}", run.stderr);
        let (id, _) = names[1].split_once('.').unwrap();
        let message = format!("is not what the catalogue describes: expected {id}, found ATL08_");
        assert!(run.stderr.contains(&message), "{case}: {}", run.stderr);
        assert!(run.stderr.contains("5 ingested, 1 failed"), "{case}: {}", run.stderr);
        // The failure is in the ledger, and the file is not fetched again.
        let sent = nasa.all_sent();
        let again = nasa.run(&arguments);
        assert_eq!(again.code, Some(3), "{case}: {}", again.stderr);
        assert!(again.stderr.contains("5 skipped, 1 failed before"), "{case}: {}", again.stderr);
        assert_eq!(nasa.all_sent(), sent);
    }
}

#[test]
fn an_absurd_size_in_a_work_list_fails_its_granule_and_the_others_are_ingested() {
    let nasa = FakeNasa::six();
    nasa.ok(&["search", "-o", "list.ndjson"]);
    let list = std::fs::read_to_string(nasa.place.path("list.ndjson")).unwrap();
    let absurd = |(index, line): (usize, &str)| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if index < 2 {
            line["bytes"] = json!(u64::MAX);
        }
        format!("{line}\n")
    };
    let list: String = list.lines().enumerate().map(absurd).collect();
    std::fs::write(nasa.place.path("list.ndjson"), list).unwrap();
    let run = nasa.run(&["ingest", "list.ndjson"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    for name in &nasa.names()[..2] {
        let message = format!("failed: search: {name}: expected a size of at most ");
        assert!(run.stderr.contains(&message) && run.stderr.contains("found 18446744073709551615"), "{}", run.stderr);
    }
    assert!(run.stderr.contains("4 ingested, 2 failed"), "{}", run.stderr);
}
