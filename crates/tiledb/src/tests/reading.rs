//! Batch sizes, buffer sizes, and concurrent readers.

use std::sync::Arc;

use arrow::array::LargeStringArray;

use super::*;
use crate::{DimensionRange, Error, Literal, write_fragment};

fn texts(count: usize, length: usize) -> ArrayRef {
    Arc::new(LargeStringArray::from_iter_values((0..count).map(|at| format!("{at:0length$}"))))
}

#[test]
fn a_batch_has_at_most_the_requested_number_of_rows() {
    let schema = schema(vec![Field::new("text", DataType::LargeUtf8, false)]);
    let count = 10_000;
    let written = batch(&schema, 0, count, vec![texts(count, 40)]);
    let (_folder, array) = stored(&schema, std::slice::from_ref(&written));
    for batch_rows in [0, 1, 3, 5_000, 1_000_000] {
        let request = ReadRequest { batch_rows, ..request(&["row", "text"]) };
        let batches: Vec<RecordBatch> = array.read(&request).unwrap().map(Result::unwrap).collect();
        assert!(batches.iter().all(|batch| (1..=batch_rows.max(1)).contains(&batch.num_rows())));
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), count);
        let read = by_row(&concat_batches(&batches[0].schema(), &batches).unwrap());
        assert_eq!(read.column(1), written.column_by_name("text").unwrap());
    }
}

#[test]
fn a_cell_larger_than_the_buffers_is_read() {
    let schema = schema(vec![Field::new("text", DataType::LargeUtf8, false)]);
    let long = ["a", "b", "c"].map(|letter| letter.repeat(3_000_000));
    let written = batch(&schema, 0, 3, vec![Arc::new(LargeStringArray::from_iter_values(long))]);
    let (_folder, array) = stored(&schema, std::slice::from_ref(&written));
    let read = sorted(&array, &ReadRequest { batch_rows: 1, ..request(&["row", "text"]) });
    assert_eq!(read.column(1), written.column_by_name("text").unwrap());
}

#[test]
fn an_empty_range_returns_no_batch() {
    let schema = schema(vec![]);
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 100, vec![])]);
    let range =
        |low, high| DimensionRange { dimension: "lat".into(), low: Literal::Float(low), high: Literal::Float(high) };
    for ranges in [vec![range(89.99, 90.0)], vec![range(5.0, -5.0)], vec![range(200.0, 300.0), range(7.0, 6.0)]] {
        assert_eq!(array.read(&ReadRequest { ranges, ..request(&["row"]) }).unwrap().count(), 0);
    }
    let elsewhere = DimensionRange { dimension: "row".into(), ..range(0.0, 1.0) };
    let failed = array.read(&ReadRequest { ranges: vec![elsewhere], ..request(&["row"]) }).unwrap_err();
    assert!(matches!(failed, Error::UnknownColumn { column, .. } if column == "row"));
}

#[test]
fn overlapping_ranges_return_every_cell_once() {
    let schema = schema(vec![]);
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 500, vec![])]);
    let range =
        |low, high| DimensionRange { dimension: "lat".into(), low: Literal::Int(low), high: Literal::Int(high) };
    let ranges = vec![range(-90, 10), range(0, 20), range(20, 30), range(-50, -40), range(50, 1_000)];
    let expected: Vec<i64> =
        (0..500).filter(|row| (-90.0..=30.0).contains(&latitude(*row)) || latitude(*row) >= 50.0).collect();
    assert_eq!(rows(&array, &ReadRequest { ranges, ..request(&["row"]) }), expected);
}

#[test]
fn readers_and_writers_share_a_context() {
    let schema = schema(vec![Field::new("text", DataType::LargeUtf8, false)]);
    let count = 20_000;
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, count, vec![texts(count, 9)])]);
    let (_other_folder, other) = new_uri();
    Array::create(ctx(), &other, &layout(), &schema).unwrap();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..6)
            .map(|at| {
                let array = array.clone();
                scope.spawn(move || {
                    rows(&array, &ReadRequest { batch_rows: 500 << at, ..request(&["text", "row"]) }).len()
                })
            })
            .collect();
        let writers: Vec<_> = (0..2)
            .map(|at| {
                let (schema, other) = (&schema, &other);
                scope.spawn(move || {
                    write_fragment(ctx(), other, 10, vec![batch(schema, at * 50, 50, vec![texts(50, 4)])]).unwrap()
                })
            })
            .collect();
        assert!(readers.into_iter().all(|reader| reader.join().unwrap() == count));
        assert!(writers.into_iter().all(|writer| writer.join().unwrap().starts_with("__10_10_")));
    });
    assert_eq!(rows(&Array::open_by_library(ctx(), &other, None).unwrap(), &request(&["row"])).len(), 100);
}

#[test]
fn a_reader_outlives_its_array_and_moves_between_threads() {
    let schema = schema(vec![]);
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 9_000, vec![])]);
    let mut reader = array.read(&ReadRequest { batch_rows: 100, ..request(&["row"]) }).unwrap();
    drop(array);
    let first = reader.next().unwrap().unwrap().num_rows();
    let rest = std::thread::spawn(move || reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>());
    assert_eq!(first + rest.join().unwrap(), 9_000);
}

#[test]
fn without_duplicates_the_newest_cell_of_a_key_is_read() {
    let schema = schema(vec![]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &ArrayLayout { allows_duplicates: false, ..layout() }, &schema).unwrap();
    let old = batch(&schema, 0, 50, vec![]);
    let mut columns = old.columns().to_vec();
    columns[0] = Arc::new(Int64Array::from_iter_values(1_000..1_050));
    let new = RecordBatch::try_new(old.schema(), columns).unwrap();
    write_fragment(ctx(), &uri, 10, vec![old]).unwrap();
    write_fragment(ctx(), &uri, 20, vec![new]).unwrap();
    assert_eq!(
        rows(&Array::open_by_library(ctx(), &uri, None).unwrap(), &request(&["row"])),
        (1_000..1_050).collect::<Vec<i64>>()
    );
    assert_eq!(
        rows(&Array::open_by_library(ctx(), &uri, Some(15)).unwrap(), &request(&["row"])),
        (0..50).collect::<Vec<i64>>()
    );
}

#[test]
fn opening_a_missing_array_is_an_error_with_its_uri() {
    let (_folder, uri) = new_uri();
    let failed = Array::open_by_library(ctx(), &uri, None).unwrap_err();
    assert!(matches!(&failed, Error::Library { uri: reported, .. } if *reported == uri), "{failed}");
    assert!(failed.to_string().contains(&uri));
}
