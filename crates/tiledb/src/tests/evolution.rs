//! Attributes added later: NULL in older cells, and absent from earlier snapshots.

use arrow::array::{AsArray, FixedSizeListArray, Float32Array, Int8Array, LargeStringArray};
use arrow::datatypes::{Float32Type, Int8Type};

use super::*;
use crate::{ADDED_LATER, Error, write_fragment};

/// A timestamp after that of the first schema.
const T: u64 = 1_700_000_000_000;

fn list(name: &str, element: DataType, metadata: &[(&str, &str)]) -> Field {
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let data_type = DataType::FixedSizeList(Arc::new(Field::new_list_field(element, true)), 2);
    Field::new(name, data_type, true).with_metadata(metadata)
}

fn later() -> Vec<Field> {
    let units = [("units".to_owned(), "meters".to_owned())];
    vec![
        Field::new("height", DataType::Float32, true).with_metadata(units.into()),
        Field::new("name", DataType::LargeUtf8, true),
        list("profile", DataType::Float32, &[]),
        list("flags", DataType::Int8, &[("element_null", "127")]),
    ]
}

/// An array with two rows older than the attributes of [`later`], and two newer.
fn evolved() -> (TempDir, String) {
    let (folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema(vec![])).unwrap();
    write_fragment(ctx(), &uri, T + 10, vec![batch(&schema(vec![]), 0, 2, vec![])]).unwrap();
    Array::add_attributes(ctx(), &uri, T + 20, &later()).unwrap();
    let item = |field: &Field| match field.data_type() {
        DataType::FixedSizeList(item, _) => Arc::clone(item),
        other => panic!("{other}"),
    };
    let [_, _, profile, flags] = later().try_into().unwrap();
    let profiles = Float32Array::from(vec![Some(1.0), None, Some(3.0), Some(4.0)]);
    let flag_values = Int8Array::from(vec![Some(0), Some(1), None, Some(-1)]);
    let more: Vec<ArrayRef> = vec![
        Arc::new(Float32Array::from(vec![Some(7.5), None])),
        Arc::new(LargeStringArray::from(vec![Some("oak"), Some("")])),
        Arc::new(FixedSizeListArray::new(item(&profile), 2, Arc::new(profiles), None)),
        Arc::new(FixedSizeListArray::new(item(&flags), 2, Arc::new(flag_values), None)),
    ];
    write_fragment(ctx(), &uri, T + 20, vec![batch(&schema(later()), 2, 2, more)]).unwrap();
    (folder, uri)
}

#[test]
fn older_cells_are_null_and_newer_ones_have_values() {
    let (_folder, uri) = evolved();
    let array = Array::open_by_library(ctx(), &uri, Some(T + 20)).unwrap();
    let read = sorted(&array, &request(&["row", "height", "name", "profile", "flags"]));
    for name in ["height", "name", "profile", "flags"] {
        let column = read.column_by_name(name).unwrap();
        assert!(column.is_null(0) && column.is_null(1), "{name}");
    }
    let height = read.column_by_name("height").unwrap().as_primitive::<Float32Type>();
    assert_eq!(height.iter().collect::<Vec<_>>(), [None, None, Some(7.5), None]);
    let name = read.column_by_name("name").unwrap().as_string::<i64>();
    assert_eq!(name.iter().collect::<Vec<_>>(), [None, None, Some("oak"), Some("")]);
    let element = |name: &str, row: usize| read.column_by_name(name).unwrap().as_fixed_size_list().value(row);
    let profile = element("profile", 2).as_primitive::<Float32Type>().iter().collect::<Vec<_>>();
    assert_eq!(profile, [Some(1.0), None], "an element may be NULL in a valid list");
    let flags = element("flags", 3).as_primitive::<Int8Type>().iter().collect::<Vec<_>>();
    assert_eq!(flags, [None, Some(-1)]);
}

#[test]
fn snapshots_have_the_attributes_and_metadata_of_their_timestamp() {
    let (_folder, uri) = evolved();
    let before = Array::open_by_library(ctx(), &uri, Some(T + 19)).unwrap();
    assert_eq!(names(&before.schema()), ["lat", "time", "row"]);
    assert_eq!(rows(&before, &request(&["row"])).len(), 2);
    let after = Array::open_by_library(ctx(), &uri, Some(T + 20)).unwrap();
    assert_eq!(names(&after.schema()), ["lat", "time", "row", "height", "name", "profile", "flags"]);
    let schema = after.schema();
    let metadata = |name: &str| schema.field_with_name(name).unwrap().metadata().clone();
    assert_eq!(metadata("height")["units"], "meters");
    assert_eq!(metadata("height")[ADDED_LATER], "true");
    assert!(!metadata("row").contains_key(ADDED_LATER));
}

#[test]
fn a_batch_without_the_new_attributes_is_refused() {
    let (_folder, uri) = evolved();
    let refused = write_fragment(ctx(), &uri, T + 30, vec![batch(&schema(vec![]), 9, 1, vec![])]);
    assert!(matches!(refused, Err(Error::Batch { .. })), "{refused:?}");
}

#[test]
fn a_fragment_older_than_the_newest_schema_is_refused() {
    let (_folder, uri) = evolved();
    let files = || crate::Vfs::new(ctx()).unwrap().list(&format!("{uri}/__fragments")).unwrap();
    let before = files();
    let refused = write_fragment(ctx(), &uri, T + 19, vec![batch(&schema(vec![]), 9, 1, vec![])]);
    let Err(Error::Batch { reason, .. }) = &refused else { panic!("{refused:?}") };
    assert!(reason.contains("newest schema"), "{reason}");
    assert_eq!(files(), before);
}

/// Replaces the footers of all fragments by text, so that no open can read them.
fn break_footers(uri: &str) {
    let vfs = crate::Vfs::new(ctx()).unwrap();
    for fragment in vfs.list(&format!("{uri}/__fragments")).unwrap() {
        vfs.write(&format!("{fragment}/__fragment_metadata.tdb"), b"not a footer").unwrap();
    }
    assert!(Array::open_by_library(ctx(), uri, Some(T + 100)).is_err(), "an open for reading reads every footer");
}

#[test]
fn the_schema_at_a_timestamp_is_that_of_an_open_array_and_needs_no_fragment() {
    let (_folder, uri) = evolved();
    let opened = [T + 19, T + 20].map(|at| Array::open_by_library(ctx(), &uri, Some(at)).unwrap());
    break_footers(&uri);
    for array in opened {
        let (schema, layout) = Array::schema_at(ctx(), &uri, array.timestamp().unwrap()).unwrap();
        assert_eq!((&schema, &layout), (&array.schema(), array.layout()));
    }
    let missing = Array::schema_at(ctx(), &format!("{uri}-missing"), T).unwrap_err();
    assert!(missing.to_string().contains("array-missing"), "{missing}");
}

#[test]
fn writing_and_adding_attributes_read_no_fragment() {
    let (_folder, uri) = evolved();
    let array = Array::open_by_library(ctx(), &uri, Some(T + 20)).unwrap();
    let stored = sorted(&array, &request(&names(&array.schema())));
    drop(array);
    break_footers(&uri);
    write_fragment(ctx(), &uri, T + 30, vec![stored.slice(2, 2)]).unwrap();
    // 127 marks a NULL element of `flags`, which only the metadata say.
    let item = Arc::new(Field::new_list_field(DataType::Int8, true));
    let collides = FixedSizeListArray::new(item, 2, Arc::new(Int8Array::from(vec![127, 1])), None);
    let mut columns = stored.slice(2, 1).columns().to_vec();
    columns[stored.schema().index_of("flags").unwrap()] = Arc::new(collides);
    let collides = RecordBatch::try_new(stored.schema(), columns).unwrap();
    let refused = write_fragment(ctx(), &uri, T + 30, vec![collides]);
    assert!(matches!(refused, Err(Error::ElementNull { .. })), "{refused:?}");
    Array::add_attributes(ctx(), &uri, T + 40, &[Field::new("more", DataType::Int32, true)]).unwrap();
    assert_eq!(Array::schema_at(ctx(), &uri, T + 40).unwrap().0.fields().len(), 8);
}

#[test]
fn only_new_nullable_attributes_are_added() {
    let (_folder, uri) = evolved();
    for (field, reason) in [
        (Field::new("count", DataType::Int32, false), "must be nullable"),
        (Field::new("height", DataType::Int32, true), "already has this column"),
    ] {
        let refused = Array::add_attributes(ctx(), &uri, T + 30, &[field]).unwrap_err();
        assert!(refused.to_string().contains(reason), "{refused}");
    }
    let too_early = Array::add_attributes(ctx(), &uri, T + 20, &[Field::new("more", DataType::Int32, true)]);
    assert!(matches!(too_early, Err(Error::Library { .. })), "a schema must not be hidden by an older one");
    assert_eq!(Array::open_by_library(ctx(), &uri, Some(T + 30)).unwrap().schema().fields().len(), 7);
}
