//! What is known of whole columns, once reads have left their metadata in memory.

use arrow::array::{Float32Array, Int8Array, LargeStringArray};
use arrow::datatypes::{Float32Type, Int8Type};

use super::*;
use crate::{ColumnSummary, NULL_IS_NAN, NULL_KEY, write_fragment};

const T: u64 = 1_700_000_000_000;

fn no_nan(name: &str) -> Field {
    Field::new(name, DataType::Float32, true).with_metadata([(NULL_KEY.to_owned(), NULL_IS_NAN.to_owned())].into())
}

/// Two fragments of three tiles; the first lacks `later`.
fn array() -> (TempDir, Array) {
    let fields = vec![
        Field::new("int", DataType::Int8, true),
        no_nan("float"),
        no_nan("null"),
        Field::new("wild", DataType::Float32, true),
        Field::new("text", DataType::LargeUtf8, true),
    ];
    let columns = |first: usize| -> Vec<ArrayRef> {
        let rows = move || (first..first + 150).map(|row| i16::try_from(row).unwrap());
        let float = |row: i16| (row % 3 > 0).then(|| if row == 100 { f32::NAN } else { f32::from(row) - 1.5 });
        vec![
            Arc::new(rows().map(|row| (row % 2 == 0).then(|| i8::try_from(row / 3).unwrap())).collect::<Int8Array>()),
            Arc::new(rows().map(float).collect::<Float32Array>()),
            Arc::new(Float32Array::from(vec![None; 150])),
            Arc::new(rows().map(|row| Some(if row % 7 == 0 { f32::NAN } else { 1.0 })).collect::<Float32Array>()),
            Arc::new(rows().map(|row| (row > 9).then_some("x")).collect::<LargeStringArray>()),
        ]
    };
    let (folder, uri) = new_uri();
    let first = schema(fields.clone());
    Array::create(ctx(), &uri, &layout(), &first).unwrap();
    write_fragment(ctx(), &uri, T + 10, vec![batch(&first, 0, 150, columns(0))]).unwrap();
    Array::add_attributes(ctx(), &uri, T + 20, &[Field::new("later", DataType::Int8, true)]).unwrap();
    let second = schema([fields, vec![Field::new("later", DataType::Int8, true)]].concat());
    let later: ArrayRef =
        Arc::new((0..150).map(|row| i8::try_from(row).ok().filter(|row| *row > 0)).collect::<Int8Array>());
    write_fragment(ctx(), &uri, T + 20, vec![batch(&second, 150, 150, [columns(150), vec![later]].concat())]).unwrap();
    (folder, by_tile(&Array::open_at(ctx(), &uri, T + 20).unwrap()).unwrap())
}

fn range<T: arrow::array::ArrowPrimitiveType>(low: T::Native, high: T::Native) -> Option<ArrayRef> {
    Some(Arc::new(arrow::array::PrimitiveArray::<T>::from_iter_values([low, high])))
}

#[test]
fn the_metadata_that_reads_have_left_say_what_a_column_contains() {
    let (_folder, array) = array();
    let all = ["int", "float", "null", "wild", "text", "later"];
    assert_eq!(all.map(|name| array.summary(name)), [const { None }; 6], "nothing is read for it");
    let read = all_rows(&array, &request(&["row", "int", "float", "null", "wild", "text", "later"]));
    let expected = [
        range::<Int8Type>(0, 99),
        range::<Float32Type>(-0.5, 297.5),
        None,
        // libtiledb's extreme values of floats with NaN depend on the order of cells.
        None,
        None,
        range::<Int8Type>(1, i8::MAX),
    ];
    for (name, range) in all.into_iter().zip(expected) {
        let nulls = Some(read.column_by_name(name).unwrap().null_count() as u64);
        let nulls = if name == "text" { None } else { nulls };
        assert_eq!(array.summary(name), Some(ColumnSummary { range, nulls }), "{name}");
    }
    assert_eq!(array.summary("nowhere"), None);
}
