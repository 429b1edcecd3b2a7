//! Conditions that statistics of tiles decide: each type, with tiles of only NULL, of one value, with both zeros, and a capacity that is
//! no multiple of 8. Both engines must return the same rows.

use std::collections::HashMap;

use arrow::array::{PrimitiveArray, StringArray, UInt8DictionaryArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::{DimensionRange, ENUMERATION, Literal, NULL_IS_NAN, NULL_KEY, Op, Predicate, TileOrder};

const ROWS: usize = 600;

/// What the values of a stretch of rows are.
#[derive(Clone, Copy, Debug)]
enum Stretch {
    Null,
    Constant(i8),
    Mixed,
    Low,
    High,
}

/// The texts of dictionaries, in no order.
const WORDS: [&str; 5] = ["gt2l", "b", "gt1l", "", "z"];

const STRETCHES: [Stretch; 8] = [
    Stretch::Null,
    Stretch::Constant(0),
    Stretch::Mixed,
    Stretch::Low,
    Stretch::Constant(3),
    Stretch::High,
    Stretch::Null,
    Stretch::Mixed,
];

/// A small number of a row; `None` for NULL.
fn small(at: usize, nullable: bool) -> Option<i8> {
    let scattered = i8::try_from(at * 7 % 11).unwrap();
    match STRETCHES[at / 40 % STRETCHES.len()] {
        Stretch::Null => (!nullable).then_some(scattered),
        Stretch::Constant(value) => Some(value),
        Stretch::Mixed => (!nullable || !at.is_multiple_of(3)).then_some(scattered),
        Stretch::Low => (!nullable || !at.is_multiple_of(2)).then_some(scattered / 4),
        Stretch::High => Some(9 + scattered / 6),
    }
}

fn values<T: ArrowPrimitiveType>(nullable: bool, convert: impl Fn(i8, usize) -> T::Native) -> ArrayRef {
    let values = (0..ROWS).map(|at| small(at, nullable).map(|value| convert(value, at)));
    Arc::new(values.collect::<PrimitiveArray<T>>())
}

fn columns() -> Vec<(Field, ArrayRef)> {
    let mut columns = Vec::new();
    for nullable in [false, true] {
        let zero = |at: usize| if at.is_multiple_of(2) { -0.0 } else { 0.0 };
        let float = move |v: i8, at: usize| if v == 5 { zero(at) } else { f64::from(v) - 5.0 };
        let single = |v: i8, at: usize| match v {
            5 if at.is_multiple_of(2) => -0.0,
            v => f32::from(v) - 5.0,
        };
        let arrays: [ArrayRef; 11] = [
            values::<Int8Type>(nullable, |v, _| if v == 0 { i8::MIN } else { v - 5 }),
            values::<Int16Type>(nullable, |v, _| if v == 0 { i16::MIN } else { i16::from(v) - 5 }),
            values::<Int32Type>(nullable, |v, _| if v == 9 { i32::MAX } else { i32::from(v) - 5 }),
            values::<Int64Type>(nullable, |v, _| if v == 0 { i64::MIN } else { i64::from(v) - 5 }),
            values::<UInt8Type>(nullable, |v, _| if v == 9 { u8::MAX } else { v.unsigned_abs() }),
            values::<UInt16Type>(nullable, |v, _| if v == 9 { u16::MAX } else { v.unsigned_abs().into() }),
            values::<UInt32Type>(nullable, |v, _| if v == 9 { u32::MAX } else { v.unsigned_abs().into() }),
            values::<UInt64Type>(nullable, |v, _| if v == 9 { u64::MAX } else { v.unsigned_abs().into() }),
            values::<Float32Type>(nullable, move |v, at| if v == 9 { f32::INFINITY } else { single(v, at) }),
            values::<Float64Type>(nullable, move |v, at| if v == 0 { f64::NEG_INFINITY } else { float(v, at) }),
            Arc::new(
                PrimitiveArray::<TimestampNanosecondType>::from_iter(
                    (0..ROWS).map(|at| small(at, nullable).map(|v| i64::from(v) - 5)),
                )
                .with_timezone("UTC"),
            ),
        ];
        for array in arrays {
            let array_type = array.data_type().clone();
            let name = format!("{}{}", if nullable { "n_" } else { "" }, short(&array_type));
            let mut field = Field::new(name, array_type.clone(), nullable);
            if array_type.is_floating() && nullable {
                field.set_metadata(HashMap::from([(NULL_KEY.to_owned(), NULL_IS_NAN.to_owned())]));
            }
            columns.push((field, Arc::clone(&array)));
            // The same floats without the mark, and some NaN.
            if let Some(floats) = array.as_any().downcast_ref::<Float64Array>() {
                let name = if nullable { "n_nan" } else { "nan" };
                let with_nan =
                    floats.iter().enumerate().map(|(at, value)| if at % 5 == 1 { Some(f64::NAN) } else { value });
                columns.push((Field::new(name, array_type, nullable), Arc::new(with_nan.collect::<Float64Array>())));
            }
        }
    }
    for nullable in [false, true] {
        let texts = Arc::new(StringArray::from(WORDS.to_vec()));
        let keys = (0..ROWS).map(|at| small(at, nullable).map(|value| value.unsigned_abs() % 5)).collect();
        let words = UInt8DictionaryArray::new(keys, texts);
        let name = if nullable { "n_word" } else { "word" };
        let field = Field::new(name, words.data_type().clone(), nullable);
        let metadata = HashMap::from([(ENUMERATION.to_owned(), WORDS.join(" "))]);
        columns.push((field.with_metadata(metadata), Arc::new(words)));
    }
    columns
}

fn short(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(..) => "time_of".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

fn literal(data_type: &DataType, value: i8) -> Literal {
    match data_type {
        DataType::Timestamp(..) => Literal::TimestampNs(i64::from(value) - 5),
        DataType::Dictionary(..) => {
            Literal::Text(["gt2l", "b", "gt1l", "", "z", "gt1", "c"][value as usize % 7].into())
        }
        DataType::Float32 | DataType::Float64 => match value {
            0 => Literal::Float(f64::NEG_INFINITY),
            9 => Literal::Float(f64::INFINITY),
            5 => Literal::Float(-0.0),
            value => Literal::Float(f64::from(value) - 5.0),
        },
        unsigned if unsigned.is_unsigned_integer() => Literal::Int(value.into()),
        _ => Literal::Int(i64::from(value) - 5),
    }
}

fn conditions(fields: Vec<Field>) -> impl Strategy<Value = Predicate> {
    let op = prop::sample::select(vec![Op::Eq, Op::NotEq, Op::Lt, Op::LtEq, Op::Gt, Op::GtEq]);
    let field = prop::sample::select(fields);
    let leaf = (field, op, prop::collection::vec(0i8..11, 1..4), 0..8, any::<bool>()).prop_map(
        |(field, op, values, kind, negated)| {
            let column = field.name().clone();
            let mut values = values.into_iter().map(|value| literal(field.data_type(), value));
            match kind {
                0 => Predicate::IsNull { column, negated },
                1 | 2 => Predicate::In { column, values: values.collect(), negated },
                _ => Predicate::Compare { column, op, value: values.next().unwrap() },
            }
        },
    );
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Predicate::And),
            prop::collection::vec(inner, 1..3).prop_map(Predicate::Or),
        ]
    })
}

#[test]
fn rows_that_statistics_of_tiles_decide_are_those_of_libtiledb() {
    let columns = columns();
    let fields: Vec<Field> = columns.iter().map(|(field, _)| field.clone()).collect();
    let schema = schema(fields.clone());
    for capacity in [5, 12, 40] {
        let (_folder, uri) = new_uri();
        // Row by row along one side, so that tiles are stretches.
        let mut layout = ArrayLayout { capacity, cell_order: CellOrder::RowMajor, ..layout() };
        if capacity == 12 {
            layout.dimensions[0].domain = Domain::Float32 { low: -90.0, high: 90.0, extent: None };
        }
        Array::create(ctx(), &uri, &layout, &schema).unwrap();
        let dimensions: [ArrayRef; 3] = [
            Arc::new(Int64Array::from_iter_values(0..ROWS as i64)),
            Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| f64::from(row as f32 / 10.0 - 30.0)))),
            Arc::new(
                TimestampNanosecondArray::from_iter_values((0..ROWS as i64).map(|row| row * DAY_NS))
                    .with_timezone("UTC"),
            ),
        ];
        let arrays = dimensions.into_iter().chain(columns.iter().map(|(_, array)| Arc::clone(array))).collect();
        let batch = RecordBatch::try_new(Arc::new(schema.clone()), arrays).unwrap();
        crate::write_fragment(ctx(), &uri, 10, vec![batch.slice(0, 333)]).unwrap();
        crate::write_fragment(ctx(), &uri, 11, vec![batch.slice(333, ROWS - 333)]).unwrap();
        let array = Array::open_by_library(ctx(), &uri, None).unwrap();
        let tiles = by_tile(&array).unwrap();
        let names = ["row", "lat", "n_float64", "n_int16", "n_nan", "uint8", "n_word"];
        let strategy = (
            conditions(fields.clone()),
            prop::option::of((0..ROWS, 0..ROWS)),
            prop::option::of((prop::sample::select(fields.clone()), any::<bool>(), any::<bool>())),
            prop::sample::select(vec![1_usize, 7, 33, 8_192]),
        );
        let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
        let result = runner.run(&strategy, |(condition, range, order, batch_rows)| {
            let range = range.map(|(a, b)| DimensionRange {
                dimension: "lat".to_owned(),
                low: Literal::Float(a.min(b) as f64 / 10.0 - 30.0),
                high: Literal::Float(a.max(b) as f64 / 10.0 - 30.0),
            });
            let order = order.map(|(field, descending, nulls_first)| TileOrder {
                column: field.name().clone(),
                descending,
                nulls_first,
            });
            let request = ReadRequest {
                condition: Some(condition),
                ranges: range.into_iter().collect(),
                order,
                batch_rows,
                ..request(&names)
            };
            let by_library = format!("{:?}", all_rows(&array, &request));
            let by_tile = format!("{:?}", all_rows(&tiles, &request));
            prop_assert_eq!(by_tile, by_library);
            // As COUNT(*) reads: no column.
            let counted = ReadRequest { columns: Vec::new(), ..request };
            let count =
                |array: &Array| -> usize { array.read(&counted).unwrap().map(|batch| batch.unwrap().num_rows()).sum() };
            prop_assert_eq!(count(&tiles), count(&array));
            Ok(())
        });
        result.unwrap();
    }
}
