//! `isdb search` against a CMR that pages, and one that misbehaves.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use isdb_cmr::{Cmr, Error, GranuleDescription, Query, RetryPolicy, WorkList, worklist};
use isdb_testing::real;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::nasa::cmr::{Act, Asked, FakeCmr, description, descriptions, name};
use crate::support::{Place, Run};

const RELEASE_6: &str = "ATL08_20220601000000_01001502_006_02.h5";

fn search(place: &Place, cmr: &FakeCmr, options: &[&str]) -> Run {
    let mut command = place.command(&[&["search"], options].concat());
    Run::from(command.env("ISDB_CMR_URL", &cmr.url).output().unwrap())
}

/// What a client finds whose waits are short.
fn found(cmr: &FakeCmr, page_size: usize) -> Result<Vec<GranuleDescription>, Error> {
    found_at(&cmr.url, page_size)
}

fn found_at(url: &str, page_size: usize) -> Result<Vec<GranuleDescription>, Error> {
    let milliseconds = Duration::from_millis;
    let patience = RetryPolicy {
        read_timeout: milliseconds(500),
        first_pause: milliseconds(5),
        time_limit: milliseconds(4000),
        ..RetryPolicy::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, query) = (Cmr::new(url, patience)?, Query { page_size, ..Query::default() });
        let mut pages = client.pages(&query).boxed();
        let mut list = WorkList::default();
        while let Some(page) = pages.try_next().await? {
            list.add(page);
        }
        assert_eq!(list.copies, 0, "no description is given out twice");
        Ok(list.into_granules())
    })
}

fn names(count: u64) -> Vec<String> {
    (0..count).map(name).collect()
}

#[test]
fn a_search_lists_every_granule_once_and_tells_what_it_comes_to() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(600)));
    let run = search(&place, &cmr, &["--format", "csv", "--start", "2022-06-01", "--end", "2022-06-30"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let listed: Vec<&str> = run.stdout.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(listed, names(600));
    assert!(run.stderr.contains("release: 007, the newest"), "{}", run.stderr);
    assert!(run.stderr.contains("granules: 600\ndays: 25, 2022-06-01 to 2022-06-25\n"), "{}", run.stderr);
    assert!(run.stderr.contains("download: 52.2 GB"), "{}", run.stderr);
    assert!(run.stderr.contains("database: about 5.8 GB"), "{}", run.stderr);

    let asked = cmr.asked();
    assert_eq!(asked.len(), 3, "the releases and two pages");
    assert!(asked.iter().all(|asked| asked.value("page_num").is_none() && asked.value("offset").is_none()));
    assert_eq!(asked[1].value("temporal"), Some("2022-06-01T00:00:00.000Z,2022-06-30T23:59:59.999Z"));
    assert_eq!(asked[1].form, asked[2].form, "the same parameters for every page");
    assert_eq!((asked[1].header("cmr-search-after"), asked[1].page_size()), (None, 500));
    assert!(asked[2].header("cmr-search-after").is_some());
}

#[test]
fn a_search_tells_cmr_who_asks_and_never_who_the_user_is() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(1)));
    std::fs::write(place.path("netrc"), "machine 127.0.0.1 login someone password secret\n").unwrap();
    let run = place
        .command(&["search"])
        .envs([("ISDB_CMR_URL", cmr.url.as_str()), ("EARTHDATA_TOKEN", "secret"), ("NETRC", "netrc")])
        .output()
        .unwrap();
    assert!(run.status.success());
    for asked in cmr.asked() {
        assert_eq!(asked.header("client-id"), Some(concat!("isdb/", env!("CARGO_PKG_VERSION"))));
        assert_eq!((asked.header("authorization"), asked.header("cookie")), (None, None));
        assert!(!format!("{asked:?}").contains("secret"));
    }
}

#[test]
fn a_work_list_holds_what_the_other_formats_do_and_reads_back() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(3)));
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
fn a_table_is_for_people() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(1)));
    let run = search(&place, &cmr, &[]);
    let rows: Vec<&str> = run.stdout.lines().collect();
    assert!(rows[0].starts_with("granule") && rows[0].ends_with("MB"), "{}", run.stdout);
    assert!(rows[2].contains(&name(0)) && rows[2].contains("2022-06-01T00:00:07Z") && rows[2].ends_with("87.03"));
}

#[test]
fn place_track_cycle_and_region_narrow_the_search() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(30)));
    let run = search(
        &place,
        &cmr,
        &["--release", "007", "--rgt", "107", "--cycle", "15", "--orbit-region", "2", "--bbox", "170,-20,-170,-10"],
    );
    assert_eq!(run.stdout.lines().count(), 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains(&name(7)));
    let asked = cmr.asked();
    assert_eq!(asked.len(), 1, "a release that is named is not looked up");
    let boxes: Vec<&str> =
        asked[0].form.iter().filter(|(key, _)| key == "bounding_box[]").map(|(_, value)| value.as_str()).collect();
    assert_eq!(boxes, ["170,-20,180,-10", "-180,-20,-170,-10"]);
    assert_eq!(asked[0].value("options[bounding_box][or]"), Some("true"));
    assert_eq!(asked[0].value("version"), Some("007"));
}

#[test]
fn nothing_found_is_no_failure_but_told() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(3)));
    let run = search(&place, &cmr, &["--format", "ndjson", "--release", "5"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("granules: none"), "{}", run.stderr);
}

#[test]
fn the_release_is_the_databases_else_the_newest() {
    let mut items = descriptions(2);
    items.push(description(RELEASE_6, 1, "NSIDC_CPRD"));
    let (place, cmr) = (Place::new(), FakeCmr::start(items));
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
fn of_two_revisions_and_of_two_providers_one_is_listed_and_the_rest_counted() {
    let second = name(0).replace("_01.h5", "_02.h5");
    let items = vec![
        description(&name(0), 1, "NSIDC_CPRD"),
        description(&second, 2, "NSIDC_CPRD"),
        description(&name(0), 3, "NSIDC_ECS"),
        description(&name(1), 4, "NSIDC_ECS"),
        description(&name(1), 5, "NSIDC_CPRD"),
    ];
    let (place, cmr) = (Place::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--format", "ndjson"]);
    let ids: Vec<String> = worklist::read(run.stdout.as_bytes()).map(|granule| granule.unwrap().concept_id).collect();
    assert_eq!(ids, ["G2-NSIDC_CPRD", "G5-NSIDC_CPRD"]);
    assert!(run.stderr.contains("left out: 2 of an older revision"), "{}", run.stderr);
    assert!(run.stderr.contains("left out: 1 listed twice"), "{}", run.stderr);
}

#[test]
fn a_granule_that_cannot_be_fetched_is_told_and_the_others_are_listed() {
    let mut items = descriptions(3);
    items[0]["umm"]["RelatedUrls"] = json!([]);
    items[1]["umm"] = json!({"CollectionReference": {"Version": "007"}});
    let (place, cmr) = (Place::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--format", "csv"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(3), 3), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("warning: {}: CMR gives no URL for its file", name(0))), "{}", run.stderr);
    let native = format!("{}_KOiFgTqo", name(1));
    let told = format!(
        "warning: {native} (G1001-NSIDC_CPRD): umm.DataGranule.Identifiers and umm.RelatedUrls contain no file name"
    );
    assert!(run.stderr.contains(&told), "{}", run.stderr);
}

#[test]
fn fields_that_are_null_or_of_another_type_cost_no_granule() {
    let mut items = descriptions(3);
    items[0]["umm"]["DataGranule"]["Identifiers"] = json!(null);
    items[1]["umm"]["DataGranule"]["ArchiveAndDistributionInformation"][0]["SizeInBytes"] = json!("3102265");
    items[2]["umm"]["RelatedUrls"][2]["Type"] = json!(null);
    let (place, cmr) = (Place::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--format", "ndjson"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 3), "{}", run.stderr);
    let bytes: Vec<Option<u64>> = worklist::read(run.stdout.as_bytes()).map(|granule| granule.unwrap().bytes).collect();
    assert_eq!(bytes, [Some(87_031_808), Some(3_102_265), Some(87_031_808)]);
}

#[test]
fn a_cmr_that_has_moved_gets_the_same_search() {
    for status in [301, 302, 307, 308] {
        let cmr = FakeCmr::start(descriptions(30));
        cmr.script(&[Act::Serve, Act::Moved(status)]);
        let listed: Vec<String> = found(&cmr, 20).unwrap().iter().map(GranuleDescription::file_name).collect();
        assert_eq!(listed, names(30), "{status}");
        let asked = cmr.asked();
        assert!(asked[2].path.starts_with("/moved") && asked[2].form == asked[1].form, "{status}");
        assert_eq!(asked[2].header("cmr-search-after"), asked[1].header("cmr-search-after"), "{status}");
    }
    let cmr = FakeCmr::start(descriptions(3));
    for (acts, told) in [(vec![Act::Moved(303)], "without a form"), (vec![Act::Moved(302); 9], "more than 3 redirects")]
    {
        let error = found(cmr.script(&acts), 20).unwrap_err();
        assert!(matches!(error, Error::InvalidAddress { .. }) && error.to_string().contains(told), "{error}");
    }
}

#[test]
fn an_answer_without_end_ends_in_an_error() {
    let cmr = FakeCmr::start(descriptions(3));
    cmr.script(&[Act::Endless]);
    let error = found(&cmr, 10).unwrap_err();
    assert!(error.to_string().contains("too large for search results"), "{error}");
}

#[test]
fn what_cmr_says_neither_moves_the_cursor_nor_gives_a_password_away() {
    let mut items = descriptions(2);
    items[0]["umm"] = json!({"GranuleUR": "G1\u{1b}]0;owned\u{7}"});
    let (place, cmr) = (Place::new(), FakeCmr::start(items));
    let run = search(&place, &cmr, &["--release", "7"]);
    assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", run.stderr);
    cmr.script(&[Act::Refuse("bad \u{1b}[2J")]);
    let secret = cmr.url.replace("http://", "http://ann:hunter2@");
    let refused = place.command(&["search", "--release", "7"]).env("ISDB_CMR_URL", secret).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("(status 400): bad \\u{1b}[2J") && !told.contains('\u{1b}'), "{told:?}");
    assert!(!told.contains("hunter2") && told.contains("127.0.0.1"), "{told}");
    let wrong = place.command(&["search"]).env("ISDB_CMR_URL", "ann:hunter2@cmr.example").output().unwrap();
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(!told.contains("hunter2") && told.contains("cmr.example"), "{told}");
}

#[test]
fn real_descriptions_are_listed() {
    let read = |name: &str| -> Option<Vec<Value>> {
        let reply: Value = serde_json::from_slice(&std::fs::read(real(&format!("cmr/{name}"))?).unwrap()).unwrap();
        reply["items"].as_array().cloned()
    };
    let replies = ["atl08_005_granules_umm_json_real.json", "atl08_005_ECS_granules_umm_json_real.json"].map(read);
    let [Some(cloud), Some(on_premise)] = replies else { return };
    let cmr = FakeCmr::start([cloud, on_premise].concat());
    let list = found(&cmr, 1).unwrap();
    let listed: Vec<(String, Option<u64>)> = list.iter().map(|granule| (granule.file_name(), granule.bytes)).collect();
    assert_eq!(
        listed,
        [
            ("ATL08_20181105083647_05760107_005_01.h5".to_owned(), Some(15_568_981)),
            ("ATL08_20190221121851_08410203_005_01.h5".to_owned(), Some(104_423_178)),
        ]
    );
}

#[test]
fn trouble_on_the_way_costs_time_but_no_granule() {
    let cmr = FakeCmr::start(descriptions(100));
    for trouble in [
        Act::Throttle(0),
        Act::GatewayTimeout,
        Act::Partial("CMR-Timed-Out"),
        Act::Partial("CMR-Time-Out"),
        Act::Cut,
        Act::Truncated,
        Act::Overlap,
        Act::Late(Duration::from_millis(1500)),
    ] {
        let told = format!("{trouble:?}");
        cmr.script(&[Act::Serve, trouble.clone(), trouble, Act::Serve]);
        let listed: Vec<String> = found(&cmr, 40).unwrap().iter().map(GranuleDescription::file_name).collect();
        assert_eq!(listed, names(100), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(isdb_testing::times(24, 300)))]
    #[test]
    fn whatever_happens_on_the_way_every_granule_is_found_once(
        count in 0_u64..60,
        page_size in 1_usize..25,
        script in prop::collection::vec(prop::sample::select(vec![
            Act::Serve,
            Act::Throttle(0),
            Act::GatewayTimeout,
            Act::Partial("CMR-Timed-Out"),
            Act::Cut,
            Act::Truncated,
            Act::Overlap,
        ]), 0..6),
    ) {
        let cmr = FakeCmr::start(descriptions(count));
        cmr.script(&script);
        let listed: Vec<String> = found(&cmr, page_size).unwrap().iter().map(GranuleDescription::file_name).collect();
        prop_assert_eq!(listed, names(count));
    }
}

#[test]
fn pages_that_are_too_large_become_smaller_and_nothing_is_asked_for_twice() {
    let cmr = FakeCmr::start(descriptions(100));
    cmr.cut_pages_above(25);
    assert_eq!(found(&cmr, 100).unwrap().len(), 100);
    let asked = cmr.asked();
    let sizes: Vec<usize> = asked.iter().map(Asked::page_size).collect();
    assert_eq!(sizes, [100, 50, 25, 25, 25, 25, 25], "halved until they come, and an empty one at the end");
    let places: std::collections::HashSet<_> =
        asked.iter().skip(3).map(|asked| asked.header("cmr-search-after")).collect();
    assert_eq!(places.len(), 4);
}

#[test]
fn pages_that_became_smaller_grow_again() {
    let cmr = FakeCmr::start(descriptions(300));
    cmr.cut_pages_above(25);
    assert_eq!(found(&cmr, 100).unwrap().len(), 300);
    let sizes: Vec<usize> = cmr.asked().iter().map(Asked::page_size).collect();
    assert_eq!(sizes[..13], [100, 50, 25, 25, 25, 25, 25, 25, 25, 25, 50, 25, 25], "{sizes:?}");
}

#[test]
fn pages_that_never_come_end_the_search_with_what_was_wrong() {
    let cmr = FakeCmr::start(descriptions(100));
    cmr.cut_pages_above(0);
    let error = found(&cmr, 40).unwrap_err();
    assert!(matches!(error, Error::CmrUnreachable { attempts: 3.., .. }), "{error}");
    assert!(error.to_string().contains("was interrupted"), "{error}");
    assert_eq!(cmr.asked().last().unwrap().page_size(), 10, "the smallest page");
}

#[test]
fn a_wait_longer_than_patience_is_not_begun_but_told() {
    let cmr = FakeCmr::start(descriptions(1));
    cmr.script(&[Act::Throttle(3600)]);
    let error = found(&cmr, 40).unwrap_err();
    assert!(matches!(error, Error::CmrUnreachable { attempts: 1, .. }), "{error}");
    assert!(error.to_string().contains("status 429, with a requested pause of 3600 s"), "{error}");
}

#[test]
fn who_is_offline_is_told_soon() {
    let cmr = FakeCmr::start(Vec::new());
    let url = cmr.url.clone();
    drop(cmr);
    let error = found_at(&url, 40).unwrap_err();
    assert!(matches!(error, Error::CmrUnreachable { attempts: 3, .. }), "{error}");
    assert!(error.to_string().contains("no connection"), "{error}");
}

#[test]
fn an_address_that_is_none_is_told_at_once() {
    for url in ["cmr.example", "ftp://cmr.example", "http://"] {
        let error = found_at(url, 40).unwrap_err();
        assert!(matches!(error, Error::InvalidAddress { .. }), "{url}: {error:?}");
    }
}

#[test]
fn fewer_granules_than_counted_are_an_error_and_more_are_not() {
    let cmr = FakeCmr::start(descriptions(30));
    // One was deleted while we read.
    cmr.script(&[Act::Hits(31)]);
    assert_eq!(found(&cmr, 10).unwrap().len(), 30);
    cmr.script(&vec![Act::Hits(31); 9]);
    let error = found(&cmr, 10).unwrap_err();
    assert!(matches!(error, Error::CmrIncomplete { hits: 31, received: 30 }), "{error}");
    cmr.script(&[Act::Hits(29)]);
    assert_eq!(found(&cmr, 10).unwrap().len(), 30);

    let place = Place::new();
    cmr.script(&[vec![Act::Serve], vec![Act::Hits(31); 9]].concat());
    let run = search(&place, &cmr, &["-o", "list.ndjson"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("error: CMR counts 31 granules, but sent 30"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0, "no file of a search that failed");
}

#[test]
fn a_refusal_is_final_and_told_in_cmrs_words() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(1)));
    cmr.script(&[Act::Refuse("temporal start datetime is invalid")]);
    let run = search(&place, &cmr, &["--release", "7"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("(status 400): temporal start datetime is invalid"), "{}", run.stderr);
    assert_eq!(cmr.asked().len(), 1);

    cmr.script(&[Act::Html]);
    let run = search(&place, &cmr, &["--release", "7"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("expected search results, found another response"), "{}", run.stderr);
}

#[test]
fn a_throttled_search_waits_as_it_is_told_and_goes_on() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(2)));
    cmr.script(&[Act::Throttle(1), Act::GatewayTimeout]);
    let run = search(&place, &cmr, &["--release", "7", "--format", "ndjson"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 2), "{}", run.stderr);
    assert_eq!(cmr.asked().len(), 3);
}

#[test]
fn a_mistake_on_the_command_line_is_told_before_anything_is_asked() {
    let (place, cmr) = (Place::new(), FakeCmr::start(descriptions(1)));
    for (options, told) in [
        (["--bbox", "10,20,30"], "invalid region"),
        (["--start", "2022-02-30"], "invalid time \"2022-02-30\""),
        (["--output", "list.h5"], "list.h5: the file name does not determine the format"),
        (["--rgt", "1388"], "1388 is not in 1..=1387"),
    ] {
        let run = search(&place, &cmr, &options);
        assert_ne!(run.code, Some(0));
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    assert!(cmr.asked().is_empty());
}
