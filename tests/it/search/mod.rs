//! `isdb search`: what it lists, and what it sends to CMR.

mod paging;

use isdb_cmr::{Error, GranuleDescription, worklist};
use paging::found;
use serde_json::{Value, json};

use crate::fake_nasa::cmr::{Act, FakeCmr, description, descriptions, name};
use crate::support::{Run, TestFolder};

const RELEASE_6: &str = "ATL08_20220601000000_01001502_006_02.h5";

fn search(place: &TestFolder, cmr: &FakeCmr, options: &[&str]) -> Run {
    let mut command = place.command(&[&["search"], options].concat());
    Run::from(command.env("ISDB_CMR_URL", &cmr.url).output().unwrap())
}

fn names(count: u64) -> Vec<String> {
    (0..count).map(name).collect()
}

#[test]
fn a_search_lists_every_granule_once_and_reports_count_days_and_sizes() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(600)));
    let run = search(&place, &cmr, &["--format", "csv", "--start", "2022-06-01", "--end", "2022-06-30"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let listed: Vec<&str> = run.stdout.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(listed, names(600));
    assert!(run.stderr.contains("release: 007, the newest"), "{}", run.stderr);
    assert!(run.stderr.contains("granules: 600\ndays: 25, 2022-06-01 to 2022-06-25\n"), "{}", run.stderr);
    assert!(run.stderr.contains("download: 52.2 GB"), "{}", run.stderr);
    assert!(run.stderr.contains("database: about 5.8 GB"), "{}", run.stderr);

    let requests = cmr.requests();
    assert_eq!(requests.len(), 3, "the releases and two pages");
    assert!(requests.iter().all(|request| request.value("page_num").is_none() && request.value("offset").is_none()));
    assert_eq!(requests[1].value("temporal"), Some("2022-06-01T00:00:00.000Z,2022-06-30T23:59:59.999Z"));
    assert_eq!(requests[1].form, requests[2].form, "the same parameters for every page");
    assert_eq!((requests[1].header("cmr-search-after"), requests[1].page_size()), (None, 500));
    assert!(requests[2].header("cmr-search-after").is_some());
}

#[test]
fn a_search_sends_the_program_name_to_cmr_and_no_credentials() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(1)));
    std::fs::write(place.path("netrc"), "machine 127.0.0.1 login someone password secret\n").unwrap();
    let run = place
        .command(&["search"])
        .envs([("ISDB_CMR_URL", cmr.url.as_str()), ("EARTHDATA_TOKEN", "secret"), ("NETRC", "netrc")])
        .output()
        .unwrap();
    assert!(run.status.success());
    for request in cmr.requests() {
        assert_eq!(request.header("client-id"), Some(concat!("isdb/", env!("CARGO_PKG_VERSION"))));
        assert_eq!((request.header("authorization"), request.header("cookie")), (None, None));
        assert!(!format!("{request:?}").contains("secret"));
    }
}

#[test]
fn a_work_list_has_the_fields_of_the_other_formats_and_reads_back() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(3)));
    for file in ["list.ndjson", "list.json", "list.csv"] {
        let run = search(&place, &cmr, &["-o", file]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{}", run.stderr);
    }
    let list = std::fs::read(place.path("list.ndjson")).unwrap();
    let granules: Vec<GranuleDescription> = worklist::read(list.as_slice()).map(Result::unwrap).collect();
    assert_eq!(granules, found(&cmr, 500).unwrap());
    assert_eq!(granules[2].checksum.as_ref().unwrap().value, format!("{:032x}", 1002));

    let lines: Vec<Value> =
        list.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let json: Vec<Value> = serde_json::from_slice(&std::fs::read(place.path("list.json")).unwrap()).unwrap();
    assert_eq!(lines, json);
    let csv = std::fs::read_to_string(place.path("list.csv")).unwrap();
    let columns: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(columns.len(), lines[0].as_object().unwrap().len());
    assert!(columns.iter().all(|column| lines[0].get(column).is_some()), "{columns:?}");
}

#[test]
fn a_table_shows_name_time_and_size() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(1)));
    let run = search(&place, &cmr, &[]);
    let rows: Vec<&str> = run.stdout.lines().collect();
    assert!(rows[0].starts_with("granule") && rows[0].ends_with("MB"), "{}", run.stdout);
    assert!(rows[2].contains(&name(0)) && rows[2].contains("2022-06-01T00:00:07Z") && rows[2].ends_with("87.03"));
}

#[test]
fn box_track_cycle_and_orbit_region_narrow_the_search() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(30)));
    let run = search(
        &place,
        &cmr,
        &["--release", "007", "--rgt", "107", "--cycle", "15", "--orbit-region", "2", "--bbox", "170,-20,-170,-10"],
    );
    assert_eq!(run.stdout.lines().count(), 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains(&name(7)));
    let requests = cmr.requests();
    assert_eq!(requests.len(), 1, "a release that is named is not looked up");
    let boxes: Vec<&str> =
        requests[0].form.iter().filter(|(key, _)| key == "bounding_box[]").map(|(_, value)| value.as_str()).collect();
    assert_eq!(boxes, ["170,-20,180,-10", "-180,-20,-170,-10"]);
    assert_eq!(requests[0].value("options[bounding_box][or]"), Some("true"));
    assert_eq!(requests[0].value("version"), Some("007"));
}

#[test]
fn a_search_that_finds_nothing_succeeds_and_says_so() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(3)));
    let run = search(&place, &cmr, &["--format", "ndjson", "--release", "5"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("granules: none"), "{}", run.stderr);
}

#[test]
fn the_release_defaults_to_that_of_the_database_then_to_the_newest() {
    let mut items = descriptions(2);
    items.push(description(RELEASE_6, 1, "NSIDC_CPRD"));
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(items));
    let sixth = search(&place, &cmr, &["--release", "006"]).stdout;
    assert!(sixth.contains(RELEASE_6) && !sixth.contains("_007_"), "{sixth}");
    let newest = search(&place, &cmr, &[]).stdout;
    assert!(newest.contains("_007_") && !newest.contains("_006_"), "{newest}");

    place.make_granules("granules", &["--count", "1", "--segments", "5", "--release", "006"]);
    place.ok(&["ingest", "granules"]);
    let run = search(&place, &cmr, &[]);
    assert!(run.stderr.contains("release: 006, from the database"), "{}", run.stderr);
    assert_eq!(run.stdout, sixth);
}

#[test]
fn a_granule_with_two_revisions_or_providers_is_listed_once_and_the_rest_counted() {
    let second = name(0).replace("_01.h5", "_02.h5");
    let items = vec![
        description(&name(0), 1, "NSIDC_CPRD"),
        description(&second, 2, "NSIDC_CPRD"),
        description(&name(0), 3, "NSIDC_ECS"),
        description(&name(1), 4, "NSIDC_ECS"),
        description(&name(1), 5, "NSIDC_CPRD"),
    ];
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--format", "ndjson"]);
    let ids: Vec<String> = worklist::read(run.stdout.as_bytes()).map(|granule| granule.unwrap().concept_id).collect();
    assert_eq!(ids, ["G2-NSIDC_CPRD", "G5-NSIDC_CPRD"]);
    assert!(run.stderr.contains("left out: 2 of an older revision"), "{}", run.stderr);
    assert!(run.stderr.contains("left out: 1 listed twice"), "{}", run.stderr);
}

#[test]
fn a_granule_without_url_gives_a_warning_and_the_others_are_listed() {
    let mut items = descriptions(3);
    items[0]["umm"]["RelatedUrls"] = json!([]);
    items[1]["umm"] = json!({"CollectionReference": {"Version": "007"}});
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--format", "csv"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(3), 3), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("warning: {}: CMR gives no URL for its file", name(0))), "{}", run.stderr);
    let native = format!("{}_KOiFgTqo", name(1));
    let message = format!(
        "warning: {native} (G1001-NSIDC_CPRD): umm.DataGranule.Identifiers and umm.RelatedUrls contain no file name"
    );
    assert!(run.stderr.contains(&message), "{}", run.stderr);
}

#[test]
fn null_or_mistyped_fields_lose_no_granule() {
    let mut items = descriptions(3);
    items[0]["umm"]["DataGranule"]["Identifiers"] = json!(null);
    items[1]["umm"]["DataGranule"]["ArchiveAndDistributionInformation"][0]["SizeInBytes"] = json!("3102265");
    items[2]["umm"]["RelatedUrls"][2]["Type"] = json!(null);
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--format", "ndjson"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 3), "{}", run.stderr);
    let bytes: Vec<Option<u64>> = worklist::read(run.stdout.as_bytes()).map(|granule| granule.unwrap().bytes).collect();
    assert_eq!(bytes, [Some(87_031_808), Some(3_102_265), Some(87_031_808)]);
}

#[test]
fn messages_of_cmr_are_escaped_and_a_password_in_its_url_is_hidden() {
    let mut items = descriptions(2);
    items[0]["umm"] = json!({"GranuleUR": "G1\u{1b}]0;owned\u{7}"});
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--release", "7"]);
    assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", run.stderr);
    cmr.script(&[Act::Refuse("bad \u{1b}[2J")]);
    let secret = cmr.url.replace("http://", "http://ann:hunter2@");
    let refused = place.command(&["search", "--release", "7"]).env("ISDB_CMR_URL", secret).output().unwrap();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("(status 400): bad \\u{1b}[2J") && !message.contains('\u{1b}'), "{message:?}");
    assert!(!message.contains("hunter2") && message.contains("127.0.0.1"), "{message}");
    let wrong = place.command(&["search"]).env("ISDB_CMR_URL", "ann:hunter2@cmr.example").output().unwrap();
    let message = String::from_utf8(wrong.stderr).unwrap();
    assert!(!message.contains("hunter2") && message.contains("cmr.example"), "{message}");
}

#[test]
fn fewer_granules_than_cmr_counts_are_an_error_and_more_are_not() {
    let cmr = FakeCmr::start(descriptions(30));
    // One granule was deleted during the search.
    cmr.script(&[Act::Hits(31)]);
    assert_eq!(found(&cmr, 10).unwrap().len(), 30);
    cmr.script(&vec![Act::Hits(31); 9]);
    let error = found(&cmr, 10).unwrap_err();
    assert!(matches!(error, Error::CmrIncomplete { hits: 31, received: 30 }), "{error}");
    cmr.script(&[Act::Hits(29)]);
    assert_eq!(found(&cmr, 10).unwrap().len(), 30);

    let place = TestFolder::new();
    cmr.script(&[vec![Act::Serve], vec![Act::Hits(31); 9]].concat());
    let run = search(&place, &cmr, &["-o", "list.ndjson"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("error: CMR counts 31 granules, but sent 30"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0, "no file of a search that failed");
}

#[test]
fn a_refused_search_is_not_repeated_and_shows_the_message_of_cmr() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(1)));
    cmr.script(&[Act::Refuse("temporal start datetime is invalid")]);
    let run = search(&place, &cmr, &["--release", "7"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("(status 400): temporal start datetime is invalid"), "{}", run.stderr);
    assert_eq!(cmr.requests().len(), 1);

    cmr.script(&[Act::Html]);
    let run = search(&place, &cmr, &["--release", "7"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("expected search results, found another response"), "{}", run.stderr);
}

#[test]
fn a_throttled_search_waits_as_requested_and_completes() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(2)));
    cmr.script(&[Act::Throttle(1), Act::GatewayTimeout]);
    let run = search(&place, &cmr, &["--release", "7", "--format", "ndjson"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 2), "{}", run.stderr);
    assert_eq!(cmr.requests().len(), 3);
}

#[test]
fn an_invalid_search_option_is_refused_before_any_request() {
    let (place, cmr) = (TestFolder::new(), FakeCmr::start(descriptions(1)));
    for (options, message) in [
        (["--bbox", "10,20,30"], "invalid region"),
        (["--start", "2022-02-30"], "invalid time \"2022-02-30\""),
        (["--output", "list.h5"], "list.h5: the file name does not determine the format"),
        (["--rgt", "1388"], "1388 is not in 1..=1387"),
    ] {
        let run = search(&place, &cmr, &options);
        assert_ne!(run.code, Some(0));
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
    assert!(cmr.requests().is_empty());
}
