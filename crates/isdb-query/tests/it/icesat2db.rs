//! An array as the Python package icesat2db makes it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, Int8Array, Int16Array, Int64Array, LargeStringArray};
use arrow::datatypes::{DataType, Field, Schema};
use isdb_testing::array::{TestArray, layout};
use tiledb::{Context, Domain, MetadataValue};

const ROWS: i64 = 1_000;
/// Nanoseconds of a day, and the first day.
const DAY: i64 = 86_400_000_000_000;
const FIRST_DAY: i64 = 18_262;
const BEAMS: [&str; 6] = ["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];

/// 1,000 segments, one every 0.1 degrees north from -50 and one a day; with or without the time in nanoseconds.
pub(crate) fn icesat2db(has_nanoseconds: bool) -> TestArray {
    let mut layout = layout();
    layout.dimensions[2].domain = Domain::Int64 { low: 17_532, high: 24_106, extent: None };
    let not_null = |name: &str, kind| Field::new(name, kind, false);
    let mut fields = vec![
        not_null("latitude", DataType::Float64),
        not_null("longitude", DataType::Float64),
        not_null("time", DataType::Int64),
        not_null("rgt", DataType::Int16),
        not_null("sc_orient", DataType::Int8),
        not_null("segment_id", DataType::Int64),
        not_null("beam_id", DataType::LargeUtf8),
        not_null("h_canopy", DataType::Float32),
        not_null("segment_landcover", DataType::Int16),
    ];
    fields.extend((1..=3).map(|number| not_null(&format!("canopy_h_metrics_{number}"), DataType::Float32)));
    if has_nanoseconds {
        fields.push(not_null("timestamp_ns", DataType::Int64));
    }
    let array = TestArray::create("array_uri", &layout, Schema::new(fields));
    let text = |text: &str| MetadataValue::Text(text.to_owned());
    let metadata = [
        ("canopy_h_metrics.profile_length".to_owned(), MetadataValue::Int(3)),
        ("canopy_h_metrics.units".to_owned(), text("meters")),
        ("h_canopy.units".to_owned(), text("meters")),
    ];
    tiledb::put_metadata(&Context::new([]).unwrap(), &array.uri(), 1, &metadata).unwrap();
    for (timestamp, rows) in [(1, 0..ROWS / 2), (2, ROWS / 2..ROWS)] {
        array.write(timestamp, columns(rows, has_nanoseconds));
    }
    array
}

/// The values of these rows.
fn columns(rows: std::ops::Range<i64>, has_nanoseconds: bool) -> Vec<ArrayRef> {
    let each = || rows.clone();
    let float = |id: i64| f64::from(i32::try_from(id).unwrap());
    let single = |id: i64| f32::from(i16::try_from(id).unwrap());
    let beam = |id: i64| usize::try_from(id % 6).unwrap();
    let height = |id: i64| match id {
        5 => f32::NAN,
        300..400 => f32::MAX,
        id => single(id) / 20.0,
    };
    let number = |id: i64| (77 << 43) | (9 << 35) | ((id % 6) << 32) | id;
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from_iter_values(each().map(|id| float(id - 500) / 10.0))),
        Arc::new(Float64Array::from_iter_values(each().map(|id| float(id % 10)))),
        Arc::new(Int64Array::from_iter_values(each().map(|id| FIRST_DAY + id))),
        Arc::new(Int16Array::from_iter_values(each().map(|_| 77))),
        Arc::new(Int8Array::from_iter_values(each().map(|id| i8::try_from(id / 400).unwrap()))),
        Arc::new(Int64Array::from_iter_values(each().map(number))),
        Arc::new(LargeStringArray::from_iter_values(each().map(|id| BEAMS[beam(id)]))),
        Arc::new(Float32Array::from_iter_values(each().map(height))),
        Arc::new(Int16Array::from_iter_values(each().map(|id| if id % 4 == 0 { 255 } else { 111 }))),
    ];
    for element in 0..3 {
        let value = |id: i64| if element == 1 && id % 2 == 0 { f32::MAX } else { single(id + element) };
        columns.push(Arc::new(Float32Array::from_iter_values(each().map(value))));
    }
    if has_nanoseconds {
        let time = |id: i64| (FIRST_DAY + id) * DAY + id * 1_000_000_000;
        columns.push(Arc::new(Int64Array::from_iter_values(each().map(time))));
    }
    columns
}
