//! Invalid batches are refused before anything is written.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float64Array, Int16Array, LargeStringArray};
use proptest::prelude::*;

use super::*;
use crate::{Error, Vfs, list_fragments, write_fragment};

/// Counts folders and files of fragments, committed or not.
fn left_behind(uri: &str) -> usize {
    let vfs = Vfs::new(ctx()).unwrap();
    let count = |part: &str| vfs.list(&format!("{uri}/{part}")).unwrap().len();
    count("__fragments") + count("__commits")
}

fn with_latitudes(schema: &Schema, latitudes: Vec<Option<f64>>) -> RecordBatch {
    let rows = latitudes.len();
    let good = batch(schema, 0, rows, vec![]);
    let nullable: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let columns: Vec<ArrayRef> =
        vec![Arc::clone(good.column(0)), Arc::new(Float64Array::from(latitudes)), Arc::clone(good.column(2))];
    RecordBatch::try_new(Arc::new(Schema::new(nullable)), columns).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(isdb_testing::times(16, 300)))]

    #[test]
    fn an_invalid_coordinate_leaves_no_fragment(
        before in 0_usize..100,
        after in 0_usize..100,
        bad in prop::sample::select(vec![None, Some(f64::NAN), Some(90.000_1), Some(f64::NEG_INFINITY), Some(f64::MAX)]),
    ) {
        let schema = schema(vec![]);
        let (_folder, uri) = new_uri();
        Array::create(ctx(), &uri, &layout(), &schema).unwrap();
        let mut latitudes = vec![Some(1.0); before];
        latitudes.push(bad);
        latitudes.extend(vec![Some(2.0); after]);
        let first = batch(&schema, 0, 3, vec![]);
        let failed = write_fragment(ctx(), &uri, 10, vec![first, with_latitudes(&schema, latitudes)]).unwrap_err();
        prop_assert!(matches!(failed, Error::Coordinate { ref column, row, .. } if column == "lat" && row == 3 + before), "{failed}");
        prop_assert_eq!(left_behind(&uri), 0);
        prop_assert!(list_fragments(ctx(), &uri).unwrap().is_empty());
    }
}

fn list(values: Vec<Option<i16>>, valid: Vec<bool>) -> ArrayRef {
    let item = Arc::new(Field::new_list_field(DataType::Int16, true));
    Arc::new(FixedSizeListArray::new(item, 2, Arc::new(Int16Array::from(values)), Some(valid.into())))
}

#[test]
fn an_element_equal_to_the_null_marker_is_refused_unless_its_list_is_null() {
    let item = Arc::new(Field::new_list_field(DataType::Int16, true));
    let field = Field::new("counts", DataType::FixedSizeList(item, 2), true);
    let bare = schema(vec![field.clone()]);
    let schema = schema(vec![field.with_metadata([("element_null".into(), "-1".into())].into())]);
    let (_folder, uri) = new_uri();
    let failed = Array::create(ctx(), &uri, &layout(), &bare).unwrap_err();
    assert!(matches!(failed, Error::Unsupported { column, .. } if column == "counts"));
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let write = |values, valid| write_fragment(ctx(), &uri, 10, vec![batch(&schema, 0, 2, vec![list(values, valid)])]);
    let failed = write(vec![Some(1), None, Some(2), Some(-1)], vec![true, true]).unwrap_err();
    assert!(matches!(failed, Error::ElementNull { column, row: 1, .. } if column == "counts"));
    assert_eq!(left_behind(&uri), 0);
    write(vec![Some(1), None, Some(2), Some(-1)], vec![true, false]).unwrap();
}

#[test]
fn mismatched_batches_are_refused_with_a_reason() {
    let schema = schema(vec![Field::new("name", DataType::LargeUtf8, false)]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let names = |names: Vec<Option<&str>>| Arc::new(LargeStringArray::from(names)) as ArrayRef;
    let good = batch(&schema, 0, 1, vec![names(vec![Some("x")])]);
    let reason_for = |batch: RecordBatch| match write_fragment(ctx(), &uri, 10, vec![batch]) {
        Err(Error::Batch { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(reason_for(good.project(&[0, 1, 2]).unwrap()).contains("expected batches of 4 columns, found 3"));
    assert!(reason_for(good.slice(0, 0)).contains("no rows"));
    let loose: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let mut columns = good.columns().to_vec();
    columns[3] = names(vec![None]);
    let with_null = RecordBatch::try_new(Arc::new(Schema::new(loose)), columns).unwrap();
    assert!(reason_for(with_null).contains("column name contains NULL"));
    assert_eq!(left_behind(&uri), 0);
    // Columns may have any order.
    write_fragment(ctx(), &uri, 10, vec![good.project(&[3, 1, 0, 2]).unwrap()]).unwrap();
    assert_eq!(rows(&Array::open_by_library(ctx(), &uri, None).unwrap(), &request(&["row"])), [0]);
}

#[test]
fn a_constant_column_compresses_to_almost_nothing() {
    let count = 50_000;
    let layout = ArrayLayout { capacity: 10_000, ..layout() };
    let bytes = |more: Vec<Field>, values: Vec<ArrayRef>| {
        let schema = schema(more);
        let (_folder, uri) = new_uri();
        Array::create(ctx(), &uri, &layout, &schema).unwrap();
        write_fragment(ctx(), &uri, 10, vec![batch(&schema, 0, count, values)]).unwrap();
        list_fragments(ctx(), &uri).unwrap()[0].bytes
    };
    let without = bytes(vec![], vec![]);
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![77_i64 << 32 | 5; count]));
    let with = bytes(vec![Field::new("fragment_id", DataType::Int64, false)], vec![ids]);
    assert!(with - without < 4_000, "{count} equal ids cost {} bytes", with - without);
}
