//! The pages of a search: every granule arrives once, whatever CMR answers in between.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use isdb_cmr::{Cmr, Error, GranuleDescription, Query, RetryPolicy, WorkList};
use isdb_testing::real;
use proptest::prelude::*;
use serde_json::Value;

use super::names;
use crate::fake_nasa::cmr::{Act, CmrRequest, FakeCmr, descriptions};

/// Granules that a client with short waits finds.
pub(super) fn found(cmr: &FakeCmr, page_size: usize) -> Result<Vec<GranuleDescription>, Error> {
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

#[test]
fn a_redirected_search_keeps_its_parameters() {
    for status in [301, 302, 307, 308] {
        let cmr = FakeCmr::start(descriptions(30));
        cmr.script(&[Act::Serve, Act::Moved(status)]);
        let listed: Vec<String> = found(&cmr, 20).unwrap().iter().map(GranuleDescription::file_name).collect();
        assert_eq!(listed, names(30), "{status}");
        let requests = cmr.requests();
        assert!(requests[2].path.starts_with("/moved") && requests[2].form == requests[1].form, "{status}");
        assert_eq!(requests[2].header("cmr-search-after"), requests[1].header("cmr-search-after"), "{status}");
    }
    let cmr = FakeCmr::start(descriptions(3));
    for (acts, message) in
        [(vec![Act::Moved(303)], "without a form"), (vec![Act::Moved(302); 9], "more than 3 redirects")]
    {
        let error = found(cmr.script(&acts), 20).unwrap_err();
        assert!(matches!(error, Error::InvalidAddress { .. }) && error.to_string().contains(message), "{error}");
    }
}

#[test]
fn an_endless_response_is_an_error() {
    let cmr = FakeCmr::start(descriptions(3));
    cmr.script(&[Act::Endless]);
    let error = found(&cmr, 10).unwrap_err();
    assert!(error.to_string().contains("too large for search results"), "{error}");
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
fn transient_errors_lose_no_granule() {
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
        let message = format!("{trouble:?}");
        cmr.script(&[Act::Serve, trouble.clone(), trouble, Act::Serve]);
        let listed: Vec<String> = found(&cmr, 40).unwrap().iter().map(GranuleDescription::file_name).collect();
        assert_eq!(listed, names(100), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(isdb_testing::times(24, 300)))]
    #[test]
    fn any_sequence_of_transient_errors_finds_every_granule_once(
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
fn pages_too_large_for_cmr_are_halved_without_repeated_requests() {
    let cmr = FakeCmr::start(descriptions(100));
    cmr.cut_pages_above(25);
    assert_eq!(found(&cmr, 100).unwrap().len(), 100);
    let requests = cmr.requests();
    let sizes: Vec<usize> = requests.iter().map(CmrRequest::page_size).collect();
    assert_eq!(sizes, [100, 50, 25, 25, 25, 25, 25], "halved until they come, and an empty one at the end");
    let places: std::collections::HashSet<_> =
        requests.iter().skip(3).map(|request| request.header("cmr-search-after")).collect();
    assert_eq!(places.len(), 4);
}

#[test]
fn halved_pages_grow_again() {
    let cmr = FakeCmr::start(descriptions(300));
    cmr.cut_pages_above(25);
    assert_eq!(found(&cmr, 100).unwrap().len(), 300);
    let sizes: Vec<usize> = cmr.requests().iter().map(CmrRequest::page_size).collect();
    assert_eq!(sizes[..13], [100, 50, 25, 25, 25, 25, 25, 25, 25, 25, 50, 25, 25], "{sizes:?}");
}

#[test]
fn pages_that_never_arrive_end_the_search_with_the_cause() {
    let cmr = FakeCmr::start(descriptions(100));
    cmr.cut_pages_above(0);
    let error = found(&cmr, 40).unwrap_err();
    assert!(matches!(error, Error::CmrUnreachable { attempts: 3.., .. }), "{error}");
    assert!(error.to_string().contains("was interrupted"), "{error}");
    assert_eq!(cmr.requests().last().unwrap().page_size(), 10, "the smallest page");
}

#[test]
fn a_requested_pause_beyond_the_time_limit_is_an_error_at_once() {
    let cmr = FakeCmr::start(descriptions(1));
    cmr.script(&[Act::Throttle(3600)]);
    let error = found(&cmr, 40).unwrap_err();
    assert!(matches!(error, Error::CmrUnreachable { attempts: 1, .. }), "{error}");
    assert!(error.to_string().contains("status 429, with a requested pause of 3600 s"), "{error}");
}

#[test]
fn a_missing_connection_is_reported_after_three_attempts() {
    let cmr = FakeCmr::start(Vec::new());
    let url = cmr.url.clone();
    drop(cmr);
    let error = found_at(&url, 40).unwrap_err();
    assert!(matches!(error, Error::CmrUnreachable { attempts: 3, .. }), "{error}");
    assert!(error.to_string().contains("no connection"), "{error}");
}

#[test]
fn an_invalid_cmr_url_is_refused() {
    for url in ["cmr.example", "ftp://cmr.example", "http://"] {
        let error = found_at(url, 40).unwrap_err();
        assert!(matches!(error, Error::InvalidAddress { .. }), "{url}: {error:?}");
    }
}
