//! Tests of duplicates, and of writing and reading work lists.

use chrono::{DateTime, Utc};
use isdb_schema::granule_name::GranuleName;
use proptest::option::of as optional;
use proptest::prelude::*;

use super::*;
use crate::error::Error;
use crate::search::granule::Checksum;

fn described(concept_id: &str, name: &str, https: Option<&str>) -> GranuleDescription {
    let name: GranuleName = name.parse().unwrap();
    GranuleDescription {
        name,
        concept_id: concept_id.to_owned(),
        revision_id: Some(1),
        start: DateTime::from_timestamp(name.start, 0).unwrap(),
        end: None,
        bytes: Some(1),
        has_exact_size: true,
        checksum: None,
        https: https.map(str::to_owned),
        s3: None,
    }
}

fn work_list(granules: &[GranuleDescription]) -> WorkList {
    let mut list = WorkList::default();
    for granule in granules {
        list.add(Page { granules: vec![granule.clone()], ..Page::default() });
    }
    list
}

/// Adds both in either order, which must not matter, and returns the id of the kept one and the counts.
fn kept_of(first: &GranuleDescription, second: &GranuleDescription) -> (String, u64, u64) {
    let results = [[first, second], [second, first]].map(|pair| {
        let list = work_list(&pair.map(GranuleDescription::clone));
        let counts = (list.older_revisions, list.copies);
        let granules = list.into_granules();
        assert_eq!(granules.len(), 1);
        (granules[0].concept_id.clone(), counts.0, counts.1)
    });
    assert_eq!(results[0], results[1]);
    results[0].clone()
}

const FIRST: &str = "ATL08_20220601000000_10891502_007_01.h5";
const SECOND: &str = "ATL08_20220601000000_10891502_007_02.h5";

#[test]
fn the_newest_revision_is_kept_and_older_ones_are_counted() {
    let (first, second) =
        (described("G1-NSIDC_CPRD", FIRST, Some("https://a")), described("G2-NSIDC_ECS", SECOND, None));
    assert_eq!(kept_of(&first, &second), ("G2-NSIDC_ECS".to_owned(), 1, 0));
}

#[test]
fn the_cloud_is_preferred_if_the_file_can_be_downloaded_there() {
    let on_premise = described("G1-NSIDC_ECS", FIRST, Some("https://a"));
    let cloud = described("G2-NSIDC_CPRD", FIRST, Some("https://b"));
    assert_eq!(kept_of(&on_premise, &cloud), ("G2-NSIDC_CPRD".to_owned(), 0, 1));
    let without_url = GranuleDescription { https: None, ..cloud };
    assert_eq!(kept_of(&on_premise, &without_url), ("G1-NSIDC_ECS".to_owned(), 0, 1));
}

#[test]
fn releases_and_orbit_regions_are_different_granules() {
    let names = [FIRST, "ATL08_20220601000000_10891502_006_01.h5", "ATL08_20220601000300_10891503_007_01.h5"];
    let list = work_list(&names.map(|name| described(name, name, None)));
    assert_eq!((list.len(), list.copies, list.older_revisions), (3, 0, 0));
    let names: Vec<String> = list.into_granules().iter().map(GranuleDescription::file_name).collect();
    assert_eq!(names[2], "ATL08_20220601000300_10891503_007_01.h5", "by start");
}

#[test]
fn an_invalid_line_is_reported_with_its_number_and_the_others_are_read() {
    let mut text = Vec::new();
    write(&mut text, [&described("G1-A", FIRST, None), &described("G2-A", SECOND, Some("https://b"))]).unwrap();
    let text = String::from_utf8(text).unwrap().replacen('\n', "\n\n{\"granule\":\"a.h5\"}\nnonsense\n", 1);
    let read: Vec<_> = read(text.as_bytes()).collect();
    assert_eq!(read.len(), 4);
    for (index, line) in [(1, 3), (2, 4)] {
        match &read[index] {
            Err(Error::WorkListLine { line: number, .. }) => assert_eq!(*number, line),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read[3].as_ref().unwrap().file_name(), SECOND);
}

#[test]
fn a_line_needs_only_name_start_and_id() {
    let text = format!(r#"{{"granule":"{FIRST}","start":"2022-06-01T02:00:00+02:00","concept_id":"G1-A"}}"#);
    let granule = read(text.as_bytes()).next().unwrap().unwrap();
    assert_eq!(
        granule,
        GranuleDescription { revision_id: None, bytes: None, has_exact_size: false, ..described("G1-A", FIRST, None) }
    );
    let bad = text.replace("2022-06", "2022-66");
    let error = read(bad.as_bytes()).next().unwrap().unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("2022-66"), "{error}");
}

prop_compose! {
    fn granule()(
        start in -62_162_208_000_i64..=253_402_300_799,
        numbers in (1_u16..=1387, 1_u8..=99, 1_u8..=14, 0_u16..=999, 0_u8..=99),
        marks: (bool, bool, bool),
        concept_id in "\\PC*",
        revision_id: Option<u64>,
        // 1900 to 2100, in milliseconds
        begin in -2_208_988_800_000_i64..4_102_444_800_000,
        end in optional(-2_208_988_800_000_i64..4_102_444_800_000),
        bytes: Option<u64>,
        checksum in optional(("[A-Z0-9-]{1,8}", "[0-9a-f]{1,64}")),
        https in optional("\\PC*"),
        s3 in optional("\\PC*"),
    ) -> GranuleDescription {
        let (rgt, cycle, region, release, revision) = numbers;
        let (processed, subsetted, has_exact_size) = marks;
        let instant = |milliseconds| DateTime::<Utc>::from_timestamp_millis(milliseconds).unwrap();
        GranuleDescription {
            name: GranuleName { start, rgt, cycle, region, release, revision, processed, subsetted },
            concept_id,
            revision_id,
            start: instant(begin),
            end: end.map(instant),
            bytes,
            has_exact_size,
            checksum: checksum.map(|(algorithm, value)| Checksum { algorithm, value }),
            https,
            s3,
        }
    }
}

proptest! {
    #[test]
    fn a_work_list_is_read_back_unchanged(granules in prop::collection::vec(granule(), 0..5)) {
        let mut text = Vec::new();
        write(&mut text, &granules).unwrap();
        prop_assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), granules.len());
        let read: Vec<GranuleDescription> = read(text.as_slice()).map(Result::unwrap).collect();
        prop_assert_eq!(read, granules);
    }

    #[test]
    fn reading_never_panics(text in "\\PC*") {
        for line in read(text.as_bytes()) {
            let _ = line;
        }
    }
}
