//! Real replies of CMR, and variants of them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;

/// A real reply; `None`, counted as a skipped test, if the file is missing.
fn real(name: &str) -> Option<Value> {
    let path = isdb_testing::real(&format!("cmr/{name}"))?;
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// The items of a real reply, which may be wrapped in a recording of its headers.
fn reply(name: &str) -> Option<Vec<Value>> {
    let reply = real(name)?;
    let body = reply.get("body").unwrap_or(&reply);
    Some(body["items"].as_array().unwrap().clone())
}

fn parse(item: Value) -> Result<GranuleDescription, UnusableDescription> {
    serde_json::from_value::<Item>(item).unwrap().granule()
}

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[test]
fn a_cloud_granule_is_parsed_completely() {
    let Some(mut items) = reply("atl08_005_granules_umm_json_real.json") else { return };
    let folder = "ATLAS/ATL08/005/2018/11/05/ATL08_20181105083647_05760107_005_01.h5";
    let granule = parse(items.remove(0)).unwrap();
    assert_eq!(
        granule,
        GranuleDescription {
            name: "ATL08_20181105083647_05760107_005_01.h5".parse().unwrap(),
            concept_id: "G2166695839-NSIDC_CPRD".to_owned(),
            revision_id: Some(1),
            start: instant("2018-11-05T08:38:40.137Z"),
            end: Some(instant("2018-11-05T08:40:18.214Z")),
            bytes: Some(15_568_981),
            has_exact_size: false,
            checksum: None,
            https: Some(format!("https://data.nsidc.earthdatacloud.nasa.gov/nsidc-cumulus-prod-protected/{folder}")),
            s3: Some(format!("s3://nsidc-cumulus-prod-protected/{folder}")),
        }
    );
    assert_eq!(granule.download_problem(), None);
}

#[test]
fn an_on_premise_granule_is_named_after_its_file_and_not_its_ur() {
    let Some(mut items) = reply("atl08_005_ECS_granules_umm_json_real.json") else { return };
    let granule = parse(items.remove(0)).unwrap();
    let host = "https://n5eil01u.ecs.nsidc.org/DP7/ATLAS/ATL08.005/2019.02.21";
    assert_eq!(
        granule,
        GranuleDescription {
            name: "ATL08_20190221121851_08410203_005_01.h5".parse().unwrap(),
            concept_id: "G2160242605-NSIDC_ECS".to_owned(),
            revision_id: Some(2),
            start: instant("2019-02-21T12:18:57.077Z"),
            end: Some(instant("2019-02-21T12:24:16.044Z")),
            bytes: Some(104_423_178),
            has_exact_size: false,
            checksum: None,
            https: Some(format!("{host}/ATL08_20190221121851_08410203_005_01.h5")),
            s3: None,
        }
    );
}

/// Another archive's granule, under the name of one of ours: its form is that of records written as UMM-G.
#[test]
fn size_and_checksum_are_read_from_the_entry_of_the_granules_own_file() {
    let Some(items) = reply("pocloud_umm_g_165_with_checksum_and_search_after.json") else { return };
    let own = "ATL08_20181105083647_05760107_007_01";
    let text = serde_json::to_string(&items[0]).unwrap();
    let mut item: Value =
        serde_json::from_str(&text.replace("ssh_grids_v2205_2020010212.nc", &format!("{own}.h5"))).unwrap();
    let files = item.pointer_mut("/umm/DataGranule/ArchiveAndDistributionInformation").unwrap().as_array_mut().unwrap();
    // The checksum's own file first.
    files.reverse();
    let granule = parse(item).unwrap();
    assert_eq!(granule.file_name(), format!("{own}.h5"));
    assert_eq!((granule.bytes, granule.has_exact_size), (Some(9_695_609), true));
    let checksum = granule.checksum.unwrap();
    assert_eq!((checksum.algorithm.as_str(), checksum.value.as_str()), ("MD5", "9002febf17632e5921eba5b8f62237e6"));
    let (https, s3) = (granule.https.unwrap(), granule.s3.unwrap());
    assert!(https.starts_with("https://archive.podaac") && https.ends_with(&format!("{own}.h5")), "{https}");
    assert!(s3.starts_with("s3://podaac-ops-cumulus-protected/") && s3.ends_with(&format!("{own}.h5")), "{s3}");
}

#[test]
fn another_archives_granule_is_unusable() {
    let Some(mut items) = reply("pocloud_umm_g_165_with_checksum_and_search_after.json") else { return };
    let unusable = parse(items.remove(0)).unwrap_err();
    assert_eq!(unusable.concept_id.as_deref(), Some("G2546526969-POCLOUD"));
    assert!(unusable.reason.starts_with("umm.DataGranule.Identifiers and umm.RelatedUrls"), "{}", unusable.reason);
}

/// The older form of replies has inherited links of the collection, which UMM-G does not.
#[test]
fn the_older_reply_format_agrees_with_umm() {
    let Some(mut items) = reply("atl08_005_ECS_granules_umm_json_real.json") else { return };
    let Some(older) = real("atl08_005_ECS_granules_json_real.json") else { return };
    let entry = &older["feed"]["entry"][0];
    let granule = parse(items.remove(0)).unwrap();
    assert_eq!(entry["id"], granule.concept_id.as_str());
    assert_eq!(entry["producer_granule_id"], granule.file_name());
    assert_eq!(entry["links"][0]["href"], granule.https.unwrap());
    let megabytes: f64 = entry["granule_size"].as_str().unwrap().parse().unwrap();
    let bytes = u32::try_from(granule.bytes.unwrap()).map(f64::from).unwrap();
    assert!((bytes / 1024_f64.powi(2) - megabytes).abs() < 1e-6);
}

const NAME: &str = "ATL08_20220601000000_10891502_007_01.h5";

fn item(umm: &Value) -> Value {
    json!({"meta": {"concept-id": "G1-NSIDC_CPRD"}, "umm": umm})
}

#[test]
fn missing_fields_become_none() {
    let bare = json!({"DataGranule": {"Identifiers": [{"IdentifierType": "ProducerGranuleId", "Identifier": NAME}]}});
    let granule = parse(item(&bare)).unwrap();
    assert_eq!(granule.start, instant("2022-06-01T00:00:00Z"), "the start in the name");
    assert_eq!((granule.end, granule.bytes, &granule.checksum, granule.revision_id), (None, None, &None, None));
    assert_eq!(granule.download_problem(), Some("CMR gives no URL for its file"));
}

#[test]
fn the_name_comes_from_the_url_if_the_producer_gives_none() {
    let url = format!("https://data/ATL08/007/{NAME}");
    let urls = json!([
        {"URL": "https://data/ATL08/007/browse.h5.png", "Type": "GET DATA"},
        {"URL": format!("{url}.dmrpp"), "Type": "GET DATA"},
        {"URL": format!("s3://bucket/{NAME}"), "Type": "GET DATA VIA DIRECT ACCESS"},
        {"Type": "GET DATA"},
        {"URL": format!("https://opendap/{NAME}"), "Type": "USE SERVICE API"},
        {"URL": format!("{url}?version=2"), "Type": "GET DATA"},
    ]);
    let producer =
        |name: &str| json!([{"IdentifierType": "ProducerGranuleId", "Identifier": name}, {"Identifier": "x"}]);
    for umm in [
        json!({"RelatedUrls": urls}),
        json!({"RelatedUrls": urls, "DataGranule": {"Identifiers": producer("SC:ATL08.007:1")}}),
    ] {
        let https = url.clone() + "?version=2";
        let granule = parse(item(&umm)).unwrap();
        assert_eq!((granule.file_name().as_str(), granule.https.as_deref()), (NAME, Some(https.as_str())));
        assert_eq!(granule.s3, Some(format!("s3://bucket/{NAME}")));
    }
}

#[test]
fn sizes_are_converted_from_every_unit_and_invalid_ones_are_none() {
    let size = |file: Value| {
        let identifiers = json!([{"IdentifierType": "ProducerGranuleId", "Identifier": NAME}]);
        let data = json!({"Identifiers": identifiers, "ArchiveAndDistributionInformation": [file]});
        let granule = parse(item(&json!({"DataGranule": data}))).unwrap();
        (granule.bytes, granule.has_exact_size)
    };
    assert_eq!(size(json!({"Size": 2, "SizeUnit": "KB"})), (Some(2048), false));
    assert_eq!(size(json!({"Size": 0.5, "SizeUnit": "GB"})), (Some(1 << 29), false));
    assert_eq!(size(json!({"Size": 2})), (Some(2 << 20), false));
    assert_eq!(size(json!({"Size": 2, "SizeUnit": "MB", "SizeInBytes": 2_000_001})), (Some(2_000_001), true));
    assert_eq!(size(json!({"Size": 2, "SizeUnit": "pages"})), (None, false));
    assert_eq!(size(json!({"Size": -1, "SizeUnit": "MB"})), (None, false));
    assert_eq!(size(json!({})), (None, false));
}

#[test]
fn the_size_of_another_file_is_ignored() {
    let size = |name: Value| {
        let identifiers = json!([{"IdentifierType": "ProducerGranuleId", "Identifier": NAME}]);
        let file = json!({"Name": name, "SizeInBytes": 7});
        let data = json!({"Identifiers": identifiers, "ArchiveAndDistributionInformation": [file]});
        parse(item(&json!({"DataGranule": data}))).unwrap().bytes
    };
    for own in [json!(null), json!("Not provided"), json!("SC:ATL08.005:213456789"), json!(NAME)] {
        assert_eq!(size(own.clone()), Some(7), "{own}");
    }
    for other in [format!("{NAME}.dmrpp"), NAME.replace(".h5", ".iso.xml"), NAME.replace("ATL08", "ATL03")] {
        assert_eq!(size(json!(other)), None, "{other}");
    }
}

#[test]
fn nulls_and_values_of_unexpected_types_do_not_make_a_granule_unusable() {
    let url = format!("https://data/{NAME}");
    let file = json!({"Name": null, "SizeInBytes": "3102265", "Checksum": null, "SizeUnit": 7});
    let granule = parse(json!({
        "meta": {"concept-id": "G1-NSIDC_CPRD", "revision-id": "3"},
        "umm": {
            "GranuleUR": null,
            "TemporalExtent": {"RangeDateTime": null},
            "DataGranule": {"Identifiers": null, "ArchiveAndDistributionInformation": [file]},
            "RelatedUrls": [{"URL": url, "Type": null}, {"URL": 7, "Type": "GET DATA"}, {"URL": url, "Type": "GET DATA"}],
        },
    }));
    let granule = granule.unwrap();
    assert_eq!((granule.file_name().as_str(), granule.https.as_deref()), (NAME, Some(url.as_str())));
    assert_eq!((granule.bytes, granule.has_exact_size, granule.revision_id), (Some(3_102_265), true, Some(3)));
    assert_eq!((granule.start, granule.checksum), (instant("2022-06-01T00:00:00Z"), None));
}

#[test]
fn an_impossible_size_is_none() {
    for size in [json!(1e300), json!("1e300"), json!(u64::MAX)] {
        let file = json!([{"SizeInBytes": size, "Size": size, "SizeUnit": "TB"}]);
        let identifiers = json!([{"IdentifierType": "ProducerGranuleId", "Identifier": NAME}]);
        let data = json!({"Identifiers": identifiers, "ArchiveAndDistributionInformation": file});
        let granule = parse(item(&json!({"DataGranule": data}))).unwrap();
        assert_eq!((granule.bytes, granule.has_exact_size), (None, false), "{size}");
    }
}

#[test]
fn an_unusable_description_names_the_field() {
    for (description, id) in [
        (json!({"meta": {"concept-id": "G7-X"}, "umm": {"RelatedUrls": 7}}), Some("G7-X")),
        (json!({"umm": {}}), None),
        (json!("granule"), None),
        (Value::Null, None),
    ] {
        let unusable = parse(description).unwrap_err();
        let reason = "umm.DataGranule.Identifiers and umm.RelatedUrls contain no file name";
        assert_eq!((unusable.concept_id.as_deref(), unusable.reason.as_str()), (id, reason));
    }
    let identifiers = |name: &str| json!([{"IdentifierType": "ProducerGranuleId", "Identifier": name}]);
    let other = "ATL03_20220601000000_10891502_007_01.h5";
    let unusable =
        parse(item(&json!({"GranuleUR": "UR\u{1b}[2J", "DataGranule": {"Identifiers": identifiers(other)}})));
    let unusable = unusable.unwrap_err();
    assert!(unusable.reason.ends_with(&format!("expected the name of an ATL08 granule, found {other}")));
    assert_eq!(unusable.name(), "UR\\u{1b}[2J (G1-NSIDC_CPRD)", "what a terminal would obey is escaped");
    let nameless = parse(json!({"umm": {"DataGranule": {"Identifiers": identifiers(NAME)}}})).unwrap_err();
    assert_eq!(nameless.reason, "meta.concept-id is missing");
}
