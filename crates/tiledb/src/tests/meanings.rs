//! Arrays that do not say which values are NULL: rows and conditions are those of an array that does, whoever wrote the statistics.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, Float32Array, Int16Array};
use arrow::datatypes::{Float32Type, Int16Type, Int64Type};
use proptest::prelude::*;

use super::*;
use crate::write::write_by_library;
use crate::{Literal, Meaning, Op, Predicate, Ranges};

/// The fills: of floats this and all larger values, and NaN.
const FLOAT_FILL: f64 = 3.4e38_f32 as f64;
const INT_FILL: i16 = 255;

#[derive(Clone, Debug)]
struct Cell {
    float: f32,
    int: i16,
}

fn cells() -> impl Strategy<Value = Vec<Cell>> {
    let float = prop_oneof![
        4 => (-3i8..4).prop_map(|half| f32::from(half) / 2.0),
        2 => prop::sample::select(vec![f32::MAX, 3.4e38, f32::INFINITY]),
        1 => prop::sample::select(vec![f32::NAN, -0.0, 3.39e38]),
    ];
    let int = prop_oneof![3 => -2i16..3, 2 => Just(INT_FILL), 1 => prop::sample::select(vec![254, 256, i16::MAX])];
    // Tiles of four cells, of which all, some or none are fills.
    prop::collection::vec((float, int).prop_map(|(float, int)| Cell { float, int }), 1..80)
}

fn conditions() -> impl Strategy<Value = Predicate> {
    let op = || prop::sample::select(vec![Op::Eq, Op::NotEq, Op::Lt, Op::LtEq, Op::Gt, Op::GtEq]);
    let float = prop_oneof![
        (-4i8..5).prop_map(|half| f64::from(half) / 2.0),
        Just(f64::from(3.39e38_f32)),
        Just(f64::from(f32::MAX))
    ];
    let int = prop_oneof![-3i64..4, 253i64..258];
    let compare = |column: &str, op, value| Predicate::Compare { column: column.to_owned(), op, value };
    let one = prop_oneof![
        (op(), float).prop_map(move |(op, value)| compare("float", op, Literal::Float(value))),
        (op(), int).prop_map(move |(op, value)| compare("int", op, Literal::Int(value))),
        (prop::sample::select(vec!["float", "int"]), any::<bool>())
            .prop_map(|(column, negated)| Predicate::IsNull { column: column.to_owned(), negated }),
        (prop::collection::vec(-2i64..258, 1..4), any::<bool>()).prop_map(|(values, negated)| Predicate::In {
            column: "int".to_owned(),
            values: values.into_iter().map(Literal::Int).collect(),
            negated
        }),
    ];
    prop_oneof![
        3 => one.clone(),
        1 => prop::collection::vec(one.clone(), 2..3).prop_map(Predicate::And),
        1 => prop::collection::vec(one.clone(), 2..3).prop_map(Predicate::Or),
        1 => one.prop_map(|part| Predicate::Not(Box::new(part))),
    ]
}

/// The condition on a row in SQL; `None` for NULL.
fn evaluate(cell: &Cell, condition: &Predicate) -> Option<bool> {
    let float = (f64::from(cell.float) < FLOAT_FILL).then_some(f64::from(cell.float));
    let int = (cell.int != INT_FILL).then_some(i64::from(cell.int));
    match condition {
        Predicate::Compare { op, value: Literal::Float(value), .. } => {
            float.map(|own| op.holds(own.partial_cmp(value).unwrap()))
        }
        Predicate::Compare { op, value: Literal::Int(value), .. } => int.map(|own| op.holds(own.cmp(value))),
        Predicate::In { values, negated, .. } => int.map(|own| values.contains(&Literal::Int(own)) != *negated),
        Predicate::IsNull { column, negated } => {
            Some((if column == "int" { int.is_none() } else { float.is_none() }) != *negated)
        }
        Predicate::And(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| evaluate(cell, part)).collect();
            if parts.contains(&Some(false)) {
                Some(false)
            } else {
                parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
            }
        }
        Predicate::Or(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| evaluate(cell, part)).collect();
            if parts.contains(&Some(true)) {
                Some(true)
            } else {
                parts.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
            }
        }
        Predicate::Not(part) => evaluate(cell, part).map(|is_true| !is_true),
        other => panic!("{other:?}"),
    }
}

/// Stores the cells with the statistics of libtiledb or of this crate.
fn stored_cells(cells: &[Cell], by_library: bool) -> (TempDir, Array) {
    let more = vec![Field::new("float", DataType::Float32, false), Field::new("int", DataType::Int16, false)];
    let (schema, (folder, uri)) = (schema(more), new_uri());
    Array::create(ctx(), &uri, &ArrayLayout { capacity: 4, ..layout() }, &schema).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Float32Array::from_iter_values(cells.iter().map(|cell| cell.float))),
        Arc::new(Int16Array::from_iter_values(cells.iter().map(|cell| cell.int))),
    ];
    let batches = vec![batch(&schema, 0, cells.len(), columns)];
    match by_library {
        true => write_by_library(ctx(), &uri, 10, batches).unwrap(),
        false => crate::write_fragment(ctx(), &uri, 10, batches).unwrap(),
    };
    let meanings =
        [("float".to_owned(), Meaning::NullFrom(FLOAT_FILL)), ("int".to_owned(), Meaning::NullAt(INT_FILL.into()))];
    (folder, Array::open_by_tile(&uri, None).unwrap().with_meanings(&meanings).unwrap())
}

proptest! {
    /// A user who asks an array of icesat2db for heights above 5 must get neither a fill nor too few rows.
    #[test]
    fn fills_are_null_in_rows_and_conditions(cells in cells(), conditions in prop::collection::vec(conditions(), 6), by_library: bool) {
        let (_folder, array) = stored_cells(&cells, by_library);
        let all = all_rows(&array, &request(&["row", "float", "int"]));
        let (floats, ints) = (all.column(1).as_primitive::<Float32Type>(), all.column(2).as_primitive::<Int16Type>());
        for (at, cell) in cells.iter().enumerate() {
            let is_number = f64::from(cell.float) < FLOAT_FILL;
            prop_assert_eq!((floats.is_valid(at), ints.is_valid(at)), (is_number, cell.int != INT_FILL));
            prop_assert!(!is_number || floats.value(at).to_bits() == cell.float.to_bits());
        }
        for condition in &conditions {
            let expected: Vec<i64> =
                (0..).zip(&cells).filter(|(_, cell)| evaluate(cell, condition) == Some(true)).map(|(row, _)| row).collect();
            let read = ReadRequest { condition: Some(condition.clone()), ..request(&["row"]) };
            let found = all_rows(&array, &read);
            prop_assert_eq!(found.column(0).as_primitive::<Int64Type>().values(), &expected, "{}", condition);
            // What an engine passes to the array leaves no row out.
            let pushdown = array.pushdown(condition);
            if pushdown.is_never() {
                prop_assert!(expected.is_empty(), "{}", condition);
                continue;
            }
            let exact = pushdown.is_exact();
            let (_, pushed) = pushdown.into_parts();
            let found = all_rows(&array, &ReadRequest { condition: pushed, ..request(&["row"]) });
            let found = found.column(0).as_primitive::<Int64Type>().values().to_vec();
            prop_assert!(expected.iter().all(|row| found.contains(row)), "{}", condition);
            prop_assert!(!exact || found == expected, "{}", condition);
        }
    }
}

/// Tiles are skipped by the statistics of other programs, except where NaN makes them unreliable.
#[test]
fn tiles_of_only_fills_and_of_other_values_are_not_read() {
    let cell = |float| Cell { float, int: INT_FILL };
    let values: [Vec<f32>; 4] = [vec![1.0; 16], vec![f32::MAX; 16], vec![f32::NAN; 16], vec![7.0; 16]];
    for (only, is_skipped) in values.iter().zip([true, true, false, false]) {
        let (folder, array) = stored_cells(&only.iter().map(|value| cell(*value)).collect::<Vec<_>>(), true);
        let tiles = array.tiles(&Ranges::new()).unwrap();
        let condition = Predicate::Compare { column: "float".into(), op: Op::Gt, value: Literal::Float(5.0) };
        // Without the data of the attribute, only what skips all tiles succeeds.
        let fragments = folder.path().join("array/__fragments");
        for fragment in std::fs::read_dir(fragments).unwrap() {
            let files = std::fs::read_dir(fragment.unwrap().path()).unwrap().map(|file| file.unwrap().path());
            files
                .filter(|file| file.file_name().unwrap() != "__fragment_metadata.tdb")
                .for_each(|file| std::fs::remove_file(file).unwrap());
        }
        let read = ReadRequest { condition: Some(condition), tiles, ..request(&["row"]) };
        let read = array.read(&read).unwrap().next();
        assert_eq!(read.is_none(), is_skipped, "{only:?}");
    }
}

#[test]
fn integers_that_are_nanoseconds_are_times() {
    let schema = schema(vec![Field::new("at", DataType::Int64, false)]);
    let times: ArrayRef = Arc::new(Int64Array::from_iter_values((0..10).map(|row| row * DAY_NS)));
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 10, vec![times])]);
    let array = Array::open_by_tile(array.uri(), None).unwrap();
    let array = array.with_meanings(&[("at".to_owned(), Meaning::Nanoseconds)]).unwrap();
    let condition = Predicate::Compare { column: "at".into(), op: Op::GtEq, value: Literal::TimestampNs(8 * DAY_NS) };
    let rows = all_rows(&array, &ReadRequest { condition: Some(condition), ..request(&["row", "at"]) });
    assert_eq!((rows.num_rows(), rows.column(1).data_type()), (2, &utc()));
    assert!(array.with_meanings(&[("nothing".to_owned(), Meaning::Nanoseconds)]).is_err());
}
