//! Ranges and conditions, compared with a filter in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, FixedSizeListArray, Float64Array, Int32Array, LargeStringArray};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::{DimensionRange, Error, Literal, Op, Predicate};

const ROWS: usize = 400;
const WORDS: [&str; 4] = ["", "a", "b", "é"];

/// One row of the model.
struct Row {
    lat: f64,
    time: i64,
    int: Option<i32>,
    float: Option<f64>,
    flag: Option<bool>,
    text: Option<&'static str>,
}

fn row(at: usize) -> Row {
    let (int, at64) = (i32::try_from(at).unwrap(), i64::try_from(at).unwrap());
    Row {
        lat: latitude(at64),
        time: at64 % 9_000 * DAY_NS,
        int: (!at.is_multiple_of(5)).then_some(int * 7 % 6 - 2),
        float: (!at.is_multiple_of(7)).then_some(f64::from(int * 11 % 9) / 2.0 - 2.0),
        flag: (!at.is_multiple_of(4)).then_some(at.is_multiple_of(3)),
        text: (!at.is_multiple_of(6)).then(|| WORDS[at * 5 % 4]),
    }
}

fn array() -> (TempDir, Array) {
    let schema = schema(vec![
        Field::new("int", DataType::Int32, true),
        Field::new("float", DataType::Float64, true),
        Field::new("flag", DataType::Boolean, true),
        Field::new("text", DataType::LargeUtf8, true),
    ]);
    let all = || (0..ROWS).map(row);
    let more: Vec<ArrayRef> = vec![
        Arc::new(all().map(|row| row.int).collect::<Int32Array>()),
        Arc::new(all().map(|row| row.float).collect::<Float64Array>()),
        Arc::new(all().map(|row| row.flag).collect::<BooleanArray>()),
        Arc::new(all().map(|row| row.text).collect::<LargeStringArray>()),
    ];
    stored(&schema, &[batch(&schema, 0, ROWS, more)])
}

fn compare(op: Op, order: std::cmp::Ordering) -> bool {
    match op {
        Op::Eq => order.is_eq(),
        Op::NotEq => order.is_ne(),
        Op::Lt => order.is_lt(),
        Op::LtEq => order.is_le(),
        Op::Gt => order.is_gt(),
        Op::GtEq => order.is_ge(),
    }
}

/// Evaluates a condition with SQL's three-valued logic.
fn evaluate(row: &Row, condition: &Predicate) -> Option<bool> {
    let order = |column: &str, value: &Literal| match (column, value) {
        ("int", Literal::Int(value)) => row.int.map(|own| i64::from(own).cmp(value)),
        ("float", Literal::Float(value)) => row.float.map(|own| own.partial_cmp(value).unwrap()),
        ("flag", Literal::Int(value)) => row.flag.map(|own| i64::from(own).cmp(value)),
        ("text", Literal::Text(value)) => row.text.map(|own| own.as_bytes().cmp(value.as_bytes())),
        ("lat", Literal::Float(value)) => row.lat.partial_cmp(value),
        ("time", Literal::TimestampNs(value)) => Some(row.time.cmp(value)),
        other => panic!("{other:?}"),
    };
    match condition {
        Predicate::Constant(value) => *value,
        Predicate::Opaque => panic!("a read cannot evaluate it"),
        Predicate::Compare { column, op, value } => order(column, value).map(|order| compare(*op, order)),
        Predicate::In { values, negated, .. } if values.is_empty() => Some(*negated),
        Predicate::In { column, values, negated } => {
            let equal: Option<Vec<bool>> = values.iter().map(|value| order(column, value).map(|o| o.is_eq())).collect();
            equal.map(|equal| equal.contains(&true) != *negated)
        }
        Predicate::IsNull { column, negated } => {
            let null = match column.as_str() {
                "int" => row.int.is_none(),
                "float" => row.float.is_none(),
                "flag" => row.flag.is_none(),
                "text" => row.text.is_none(),
                _ => false,
            };
            Some(null != *negated)
        }
        Predicate::And(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| evaluate(row, part)).collect();
            if parts.contains(&Some(false)) {
                Some(false)
            } else {
                parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
            }
        }
        Predicate::Or(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| evaluate(row, part)).collect();
            if parts.contains(&Some(true)) {
                Some(true)
            } else {
                parts.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
            }
        }
        Predicate::Not(part) => evaluate(row, part).map(|is_true| !is_true),
    }
}

fn leaf() -> impl Strategy<Value = (&'static str, Literal)> {
    prop_oneof![
        (-4_i64..5).prop_map(|value| ("int", Literal::Int(value))),
        (-5_i32..6).prop_map(|value| ("float", Literal::Float(f64::from(value) / 2.0))),
        (0_i64..2).prop_map(|value| ("flag", Literal::Int(value))),
        (0_usize..4).prop_map(|at| ("text", Literal::Text(WORDS[at].to_owned()))),
        (-90_i32..90).prop_map(|value| ("lat", Literal::Float(f64::from(value)))),
        (0_i64..400).prop_map(|day| ("time", Literal::TimestampNs(day * DAY_NS))),
    ]
}

fn condition() -> impl Strategy<Value = Predicate> {
    let op = prop::sample::select(vec![Op::Eq, Op::NotEq, Op::Lt, Op::LtEq, Op::Gt, Op::GtEq]);
    let compare =
        (leaf(), op).prop_map(|((column, value), op)| Predicate::Compare { column: column.into(), op, value });
    let set = (prop::collection::vec(leaf(), 0..5), any::<bool>()).prop_map(|(leaves, negated)| {
        let column = leaves.first().map_or("int", |(column, _)| column);
        let values = leaves.iter().filter(|(own, _)| *own == column).map(|(_, value)| value.clone()).collect();
        Predicate::In { column: column.into(), values, negated }
    });
    let null =
        (leaf(), any::<bool>()).prop_map(|((column, _), negated)| Predicate::IsNull { column: column.into(), negated });
    let constant = any::<Option<bool>>().prop_map(Predicate::Constant);
    prop_oneof![12 => compare, 6 => set, 3 => null, 1 => constant].prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Or),
            inner.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

#[test]
fn a_read_returns_the_rows_of_a_filter_in_memory() {
    let (_folder, array) = array();
    compare_reads(&array, row);
}

/// A row of an array to which `text` was added after [`BEFORE_TEXT`] rows, and `int` after [`BEFORE_INT`].
fn evolved_row(at: usize) -> Row {
    let row = row(at);
    Row { text: row.text.filter(|_| at >= BEFORE_TEXT), int: row.int.filter(|_| at >= BEFORE_INT), ..row }
}

const BEFORE_TEXT: usize = 150;
const BEFORE_INT: usize = 280;

fn evolved() -> (TempDir, Array) {
    let (folder, uri) = new_uri();
    let mut fields = vec![Field::new("float", DataType::Float64, true), Field::new("flag", DataType::Boolean, true)];
    Array::create(ctx(), &uri, &layout(), &schema(fields.clone())).unwrap();
    let write = |at: u64, rows: std::ops::Range<usize>, fields: &[Field]| {
        let all = || rows.clone().map(row);
        let columns = fields.iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "int" => Arc::new(all().map(|row| row.int).collect::<Int32Array>()),
                "float" => Arc::new(all().map(|row| row.float).collect::<Float64Array>()),
                "flag" => Arc::new(all().map(|row| row.flag).collect::<BooleanArray>()),
                _ => Arc::new(all().map(|row| row.text).collect::<LargeStringArray>()),
            }
        });
        let batch = batch(&schema(fields.to_vec()), rows.start, rows.len(), columns.collect());
        crate::write_fragment(ctx(), &uri, at, vec![batch]).unwrap();
    };
    let after_creation = 1_700_000_000_000;
    write(after_creation, 0..BEFORE_TEXT, &fields);
    for (at, field, rows) in [
        (after_creation + 1, Field::new("text", DataType::LargeUtf8, true), BEFORE_TEXT..BEFORE_INT),
        (after_creation + 2, Field::new("int", DataType::Int32, true), BEFORE_INT..ROWS),
    ] {
        Array::add_attributes(ctx(), &uri, at, std::slice::from_ref(&field)).unwrap();
        fields.push(field);
        write(at, rows, &fields);
    }
    let array = Array::open_by_library(ctx(), &uri, None).unwrap();
    (folder, array)
}

#[test]
fn rows_older_than_an_attribute_are_null_in_every_condition_on_it() {
    let (_folder, array) = evolved();
    compare_reads(&array, evolved_row);
}

/// Checks reads under random conditions and ranges against the `model` of each row.
fn compare_reads(array: &Array, model: fn(usize) -> Row) {
    let spans = prop::collection::vec((-100_i32..100, -20_i32..60), 0..3);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(isdb_testing::times(300, 5_000)));
    let outcome = runner.run(&(condition(), spans), |(condition, spans)| {
        let range = |(low, length): &(i32, i32)| DimensionRange {
            dimension: "lat".into(),
            low: Literal::Int(i64::from(*low)),
            high: Literal::Float(f64::from(low + length)),
        };
        let inside = |lat: f64| {
            let between = |(low, length): &(i32, i32)| f64::from(*low) <= lat && lat <= f64::from(low + length);
            spans.is_empty() || spans.iter().any(between)
        };
        let expected: Vec<i64> = (0..ROWS)
            .filter(|at| inside(model(*at).lat) && evaluate(&model(*at), &condition) == Some(true))
            .map(|at| i64::try_from(at).unwrap())
            .collect();
        check_pushdown(array, &condition, model)?;
        let ranges = spans.iter().map(range).collect();
        let condition = (condition != Predicate::And(vec![])).then_some(condition);
        let request = ReadRequest { ranges, condition, ..request(&["row", "int", "float", "flag", "text"]) };
        match array.read(&request) {
            // TileDB cannot evaluate IS NULL on an attribute that was added later.
            Err(Error::Condition { column, .. }) => {
                let field = array.schema().field_with_name(&column).unwrap().clone();
                prop_assert!(field.metadata().contains_key(crate::ADDED_LATER), "{}", column);
            }
            _ => {
                let read = sorted(array, &request);
                let models = || expected.iter().map(|at| model(usize::try_from(*at).unwrap()));
                let columns: [ArrayRef; 5] = [
                    Arc::new(Int64Array::from(expected.clone())),
                    Arc::new(models().map(|row| row.int).collect::<Int32Array>()),
                    Arc::new(models().map(|row| row.float).collect::<Float64Array>()),
                    Arc::new(models().map(|row| row.flag).collect::<BooleanArray>()),
                    Arc::new(models().map(|row| row.text).collect::<LargeStringArray>()),
                ];
                prop_assert_eq!(read.columns(), columns);
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Checks that a pushdown reads all rows that satisfy the predicate, and no others if it is exact.
fn check_pushdown(array: &Array, predicate: &Predicate, model: fn(usize) -> Row) -> Result<(), TestCaseError> {
    let all: Vec<i64> = (0..ROWS).map(|at| i64::try_from(at).unwrap()).collect();
    let matching: Vec<i64> = all
        .into_iter()
        .zip(0..)
        .filter(|(_, at)| evaluate(&model(*at), predicate) == Some(true))
        .map(|(row, _)| row)
        .collect();
    let pushdown = array.pushdown(predicate);
    let (exact, never) = (pushdown.is_exact(), pushdown.is_never());
    let (ranges, condition) = pushdown.into_parts();
    let request = ReadRequest { ranges: ranges.to_dimension_ranges(array.layout()), condition, ..request(&["row"]) };
    let read = if never { Vec::new() } else { rows(array, &request) };
    if exact {
        prop_assert_eq!(read, matching);
    } else {
        prop_assert!(matching.iter().all(|row| read.binary_search(row).is_ok()), "{}", predicate);
    }
    Ok(())
}

fn with(condition: Predicate) -> ReadRequest {
    ReadRequest { condition: Some(condition), ..request(&["row"]) }
}

fn test(column: &str, op: Op, value: Literal) -> Predicate {
    Predicate::Compare { column: column.into(), op, value }
}

#[test]
fn nan_cells_satisfy_only_not_equal() {
    let schema = schema(vec![Field::new("v", DataType::Float64, false)]);
    let values = Float64Array::from(vec![1.0, f64::NAN, -0.0, 5.0]);
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 4, vec![Arc::new(values)])]);
    let read = |op, value| rows(&array, &with(test("v", op, Literal::Float(value))));
    assert_eq!(read(Op::Gt, 2.0), [3]);
    assert_eq!(read(Op::LtEq, 2.0), [0, 2]);
    assert_eq!(read(Op::NotEq, 5.0), [0, 1, 2]);
    assert_eq!(read(Op::Eq, 0.0), [2]);
    let set = Predicate::In { column: "v".into(), values: vec![Literal::Float(0.0), Literal::Int(5)], negated: false };
    assert_eq!(rows(&array, &with(set)), [2, 3]);
}

#[test]
fn errors_of_conditions_name_the_column() {
    let item = Arc::new(Field::new_list_field(DataType::Float64, true));
    let schema = schema(vec![Field::new("profile", DataType::FixedSizeList(Arc::clone(&item), 2), true)]);
    let lists =
        FixedSizeListArray::new(item, 2, Arc::new(Float64Array::from(vec![1.0, 2.0])), Some(vec![false].into()));
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 1, vec![Arc::new(lists)])]);
    let error = array.read(&with(test("profile", Op::Gt, Literal::Float(1.0)))).unwrap_err();
    assert!(matches!(error, Error::Condition { column, .. } if column == "profile"));
    assert_eq!(rows(&array, &with(Predicate::IsNull { column: "profile".into(), negated: false })), [0]);
    assert_eq!(rows(&array, &with(Predicate::IsNull { column: "profile".into(), negated: true })), [0; 0]);
    let error = array.read(&with(test("nowhere", Op::Gt, Literal::Float(1.0)))).unwrap_err();
    assert!(matches!(error, Error::UnknownColumn { column, .. } if column == "nowhere"));
    let error = array.read(&with(test("row", Op::Gt, Literal::Float(1.5)))).unwrap_err();
    assert!(matches!(error, Error::NotRepresentable { column, .. } if column == "row"));
    let error = array.read(&with(test("lat", Op::Gt, Literal::Float(f64::NAN)))).unwrap_err();
    assert!(matches!(error, Error::NotRepresentable { column, .. } if column == "lat"));
}
