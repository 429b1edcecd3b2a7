//! Snapshots return what was written up to their timestamp.

use super::*;
use crate::array::open::OpenArray;
use crate::{
    Literal, MetadataValue, consolidate_fragment_metadata, list_fragments, put_metadata, vacuum_fragment_metadata,
    write_fragment,
};
use tiledb_sys as sys;

fn now_ms() -> u64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(elapsed.as_millis()).unwrap()
}

#[test]
fn an_array_opened_at_a_timestamp_has_no_later_fragments() {
    let plain = schema(vec![]);
    let schema = Schema::new(
        plain
            .fields()
            .iter()
            .map(|f| f.as_ref().clone().with_metadata([("units".into(), f.name().clone())].into()))
            .collect::<Vec<_>>(),
    );
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let mut names = Vec::new();
    for (at, first) in [(10, 0), (20, 100), (20, 200), (30, 300)] {
        names.push(write_fragment(ctx(), &uri, at, vec![batch(&schema, first, 5, vec![])]).unwrap());
    }
    assert!(names[1].starts_with("__20_20_"), "{}", names[1]);
    for (at, rows_expected, fragments_expected) in
        [(9, 0, 0), (10, 5, 1), (19, 5, 1), (20, 15, 3), (29, 15, 3), (30, 20, 4)]
    {
        let array = Array::open_by_library(ctx(), &uri, Some(at)).unwrap();
        assert_eq!(rows(&array, &request(&["row"])).len(), rows_expected, "at {at}");
        assert_eq!(array.fragments().unwrap().len(), fragments_expected, "at {at}");
        assert_eq!(array.timestamp(), Some(at));
        assert_eq!(array.schema().field_with_name("lat").unwrap().metadata()["units"], "lat");
    }
    let mut listed: Vec<String> = list_fragments(ctx(), &uri).unwrap().into_iter().map(|f| f.name).collect();
    listed.sort();
    names.sort();
    assert_eq!(listed, names);
}

#[test]
fn fragments_have_their_extent_and_size() {
    let schema = schema(vec![]);
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 1_000, vec![])]);
    let fragments = array.fragments().unwrap();
    let [fragment] = fragments.as_slice() else { panic!("{fragments:?}") };
    let latitudes = || (0..1_000).map(latitude);
    let (low, high) = (latitudes().fold(f64::MAX, f64::min), latitudes().fold(f64::MIN, f64::max));
    assert_eq!((fragment.timestamps, fragment.cells), ((10, 10), 1_000));
    assert!(fragment.bytes > 1_000 && fragment.uri.ends_with(&fragment.name));
    let times = (Literal::TimestampNs(0), Literal::TimestampNs(999 * DAY_NS));
    assert_eq!(fragment.domain, [(Literal::Float(low), Literal::Float(high)), times]);
}

#[test]
fn a_fragment_ahead_of_the_clock_is_waited_for_or_an_error() {
    let schema = schema(vec![]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let soon = now_ms() + 400;
    write_fragment(ctx(), &uri, soon, vec![batch(&schema, 0, 5, vec![])]).unwrap();
    let array = Array::open_by_library(ctx(), &uri, Some(soon)).unwrap();
    assert_eq!(array.fragments().unwrap().len(), 1);
    assert_eq!(list_fragments(ctx(), &uri).unwrap().len(), 1);
    let later = now_ms() + 3_600_000;
    write_fragment(ctx(), &uri, later, vec![batch(&schema, 5, 5, vec![])]).unwrap();
    assert_eq!(rows(&Array::open_by_library(ctx(), &uri, Some(later)).unwrap(), &request(&["row"])).len(), 10);
    let failed = list_fragments(ctx(), &uri).unwrap_err();
    assert!(matches!(failed, Error::FutureFragment { ahead_ms, .. } if ahead_ms > 3_000_000), "{failed}");
    assert_eq!(array.fragments().unwrap().len(), 1);
}

#[test]
fn metadata_is_read_as_of_the_timestamp() {
    let schema = schema(vec![]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let text = |text: &str| MetadataValue::Text(text.to_owned());
    let first = [
        ("title".to_owned(), text("Wälder")),
        ("empty".to_owned(), text("")),
        ("count".to_owned(), MetadataValue::Int(-3)),
    ];
    put_metadata(ctx(), &uri, 10, &first).unwrap();
    put_metadata(
        ctx(),
        &uri,
        20,
        &[("title".to_owned(), text("new")), ("scale".to_owned(), MetadataValue::Float(0.5))],
    )
    .unwrap();
    let metadata = |at| OpenArray::new(ctx(), &uri, sys::TILEDB_READ, at).unwrap().metadata(&uri).unwrap();
    let early = metadata(Some(15));
    assert_eq!(early, first.into_iter().collect());
    let late = metadata(None);
    assert_eq!((late.len(), &late["title"], &late["scale"]), (4, &text("new"), &MetadataValue::Float(0.5)));
}

#[test]
fn consolidated_fragment_metadata_hides_no_fragment() {
    let schema = schema(vec![]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    for at in 0..4 {
        write_fragment(ctx(), &uri, 10 + at, vec![batch(&schema, usize::try_from(at).unwrap() * 5, 5, vec![])])
            .unwrap();
        consolidate_fragment_metadata(ctx(), &uri).unwrap();
    }
    vacuum_fragment_metadata(ctx(), &uri).unwrap();
    assert_eq!(rows(&Array::open_by_library(ctx(), &uri, None).unwrap(), &request(&["row"])).len(), 20);
    assert_eq!(rows(&Array::open_by_library(ctx(), &uri, Some(11)).unwrap(), &request(&["row"])).len(), 10);
    assert_eq!(list_fragments(ctx(), &uri).unwrap().len(), 4);
}
