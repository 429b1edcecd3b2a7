//! Pushdowns of every kind of predicate.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema};
use proptest::prelude::*;

use super::split::keys;
use super::*;
use crate::literal::Literal;
use crate::schema::{ArrayLayout, CellOrder, Dimension, Domain, NULL_IS_NAN, NULL_KEY};

fn layout() -> ArrayLayout {
    let dimension = |name: &str, domain| Dimension { name: name.to_owned(), domain };
    ArrayLayout {
        dimensions: vec![
            dimension("x", Domain::Float64 { low: -90.0, high: 90.0, extent: None }),
            dimension("n", Domain::Int64 { low: 0, high: 100, extent: None }),
        ],
        cell_order: CellOrder::Hilbert,
        capacity: 100,
        allows_duplicates: true,
    }
}

fn schema() -> Schema {
    let list = DataType::FixedSizeList(Field::new_list_field(DataType::Float32, true).into(), 3);
    let no_nan = HashMap::from([(NULL_KEY.to_owned(), NULL_IS_NAN.to_owned())]);
    let utc = DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, Some("UTC".into()));
    Schema::new(vec![
        Field::new("x", DataType::Float64, false),
        Field::new("n", DataType::Int64, false),
        Field::new("h", DataType::Float32, true).with_metadata(no_nan),
        Field::new("wild", DataType::Float32, true),
        Field::new("flag", DataType::Int8, true),
        Field::new("id", DataType::Int32, false),
        Field::new("seen", utc, true),
        Field::new("profile", list, true),
    ])
}

fn int(value: i64) -> Literal {
    Literal::Int(value)
}

fn float(value: f64) -> Literal {
    Literal::Float(value)
}

fn compare(column: &str, op: Op, value: Literal) -> Predicate {
    Predicate::Compare { column: column.to_owned(), op, value }
}

fn in_list(column: &str, values: Vec<Literal>) -> Predicate {
    Predicate::In { column: column.to_owned(), values, negated: false }
}

fn is_null(column: &str) -> Predicate {
    Predicate::IsNull { column: column.to_owned(), negated: false }
}

fn not(predicate: Predicate) -> Predicate {
    Predicate::Not(Box::new(predicate))
}

/// `exact` or `superset`, then the ranges and the condition.
fn pushdown(predicate: Predicate) -> String {
    let layout = layout();
    let pushdown = Pushdown::new(&predicate, &schema(), &layout);
    if pushdown.is_never() {
        return "never".to_owned();
    }
    let exact = if pushdown.is_exact() { "exact" } else { "superset" };
    let (ranges, condition) = pushdown.into_parts();
    let condition = condition.map(|condition| condition.to_string()).unwrap_or_default();
    format!("{exact}: {} | {condition}", DisplayRanges(&ranges, &layout))
}

#[test]
fn a_box_becomes_exact_ranges() {
    let between = [compare("x", Op::GtEq, float(1.0)), compare("x", Op::LtEq, float(2.0))];
    let inside = Predicate::And(vec![Predicate::all(between), compare("n", Op::Eq, int(7))]);
    assert_eq!(pushdown(inside), "exact: x in [1, 2], n in [7, 7] | ");
    assert_eq!(pushdown(compare("n", Op::Lt, int(5))), "exact: n in [0, 4] | ");
    assert_eq!(pushdown(compare("x", Op::GtEq, float(-1000.0))), "exact:  | ");
    assert_eq!(pushdown(compare("x", Op::Gt, float(90.0))), "never");
}

#[test]
fn two_boxes_are_two_ranges_on_one_dimension_and_their_hull_on_two() {
    let polar = Predicate::Or(vec![compare("x", Op::LtEq, float(-60.0)), compare("x", Op::GtEq, float(60.0))]);
    assert_eq!(pushdown(polar), "exact: x in [-90, -60] or [60, 90] | ");
    let west = Predicate::And(vec![compare("x", Op::LtEq, float(1.0)), compare("n", Op::LtEq, int(1))]);
    let east = Predicate::And(vec![compare("x", Op::GtEq, float(3.0)), compare("n", Op::GtEq, int(3))]);
    let either = Predicate::Or(vec![west, east]);
    assert_eq!(pushdown(either), "superset: x in [-90, 1] or [3, 90], n in [0, 1] or [3, 100] | ");
}

#[test]
fn an_unsupported_alternative_restricts_nothing() {
    let flag = || compare("flag", Op::Eq, int(1));
    assert_eq!(pushdown(Predicate::Or(vec![compare("x", Op::Lt, float(1.0)), flag()])), "superset:  | ");
    assert_eq!(pushdown(Predicate::Or(vec![flag(), compare("wild", Op::Gt, float(1.0))])), "superset:  | ");
    assert_eq!(pushdown(Predicate::Or(vec![flag(), Predicate::Opaque])), "superset:  | ");
    assert_eq!(pushdown(Predicate::Or(vec![flag(), is_null("flag")])), "exact:  | flag = 1 OR flag IS NULL");
}

#[test]
fn an_unsupported_part_of_an_and_keeps_the_rest() {
    let flag = || compare("flag", Op::Eq, int(1));
    let mixed = vec![flag(), compare("wild", Op::Gt, float(1.0)), compare("x", Op::LtEq, float(1.0))];
    assert_eq!(pushdown(Predicate::And(mixed)), "superset: x in [-90, 1] | flag = 1");
    assert_eq!(pushdown(Predicate::And(vec![Predicate::Opaque, flag()])), "superset:  | flag = 1");
    let negated = not(Predicate::Or(vec![Predicate::Opaque, flag()]));
    assert_eq!(pushdown(negated), "superset:  | flag != 1");
    assert_eq!(pushdown(compare("nowhere", Op::Eq, int(1))), "superset:  | ");
}

#[test]
fn floats_are_compared_by_tiledb_only_without_nan() {
    assert_eq!(pushdown(compare("h", Op::Gt, float(5.0))), "exact:  | h > 5");
    assert_eq!(pushdown(compare("wild", Op::Gt, float(5.0))), "superset:  | ");
    assert_eq!(pushdown(compare("wild", Op::Lt, float(5.0))), "superset:  | ");
    assert_eq!(pushdown(compare("wild", Op::Eq, float(5.0))), "exact:  | wild = 5");
    assert_eq!(pushdown(compare("h", Op::Gt, float(5.5))), "exact:  | h > 5.5");
    assert_eq!(pushdown(compare("h", Op::Eq, float(5.1))), "never");
    for column in ["h", "x", "id"] {
        assert_eq!(pushdown(compare(column, Op::Lt, float(f64::NAN))), "superset:  | ", "{column}");
    }
}

#[test]
fn both_zeros_are_read_for_one_of_them() {
    for zero in [0.0, -0.0] {
        assert_eq!(pushdown(compare("h", Op::NotEq, float(zero))), "superset:  | ");
        assert_eq!(pushdown(not(in_list("h", vec![float(zero), float(5.0)]))), "superset:  | ");
        assert_eq!(pushdown(compare("x", Op::NotEq, float(zero))), "superset:  | ");
    }
    assert_eq!(pushdown(compare("x", Op::Lt, float(0.0))), "superset: x in [-90, 0] | ");
    assert_eq!(pushdown(in_list("h", vec![float(-0.0), float(5.0)])), "superset:  | h IN (0, 5)");
    assert_eq!(pushdown(in_list("x", vec![float(-0.0)])), "superset: x in [0, 0] | ");
    assert_eq!(pushdown(compare("x", Op::GtEq, float(0.0))), "superset: x in [0, 90] | ");
    assert_eq!(pushdown(compare("id", Op::Lt, float(-0.0))), "superset:  | ");
}

#[test]
fn literals_outside_the_type_of_an_integer_decide_the_comparison() {
    assert_eq!(pushdown(compare("flag", Op::Lt, int(1000))), "exact:  | flag IS NOT NULL");
    assert_eq!(pushdown(compare("flag", Op::LtEq, int(127))), "exact:  | flag IS NOT NULL");
    assert_eq!(pushdown(compare("flag", Op::LtEq, int(126))), "exact:  | flag <= 126");
    assert_eq!(pushdown(compare("flag", Op::Gt, int(1000))), "never");
    assert_eq!(pushdown(compare("flag", Op::GtEq, int(127))), "exact:  | flag >= 127");
    assert_eq!(pushdown(compare("flag", Op::Lt, int(-128))), "never");
    assert_eq!(pushdown(compare("id", Op::Gt, float(5.5))), "exact:  | id > 5");
    assert_eq!(pushdown(compare("id", Op::Lt, int(1 << 40))), "exact:  | ");
    assert_eq!(pushdown(not(in_list("flag", vec![int(1000)]))), "exact:  | flag IS NOT NULL");
    assert_eq!(pushdown(compare("seen", Op::LtEq, Literal::TimestampNs(i64::MAX))), "exact:  | seen IS NOT NULL");
    assert_eq!(pushdown(compare("seen", Op::Gt, Literal::TimestampNs(i64::MAX))), "never");
}

#[test]
fn negation_moves_down_to_the_comparisons() {
    let both = Predicate::And(vec![compare("flag", Op::Eq, int(1)), compare("id", Op::Gt, int(3))]);
    assert_eq!(pushdown(not(both.clone())), "exact:  | flag != 1 OR id <= 3");
    assert_eq!(pushdown(not(not(both))), "exact:  | flag = 1 AND id > 3");
    assert_eq!(pushdown(not(in_list("flag", vec![int(1), int(2)]))), "exact:  | flag NOT IN (1, 2)");
    assert_eq!(pushdown(not(is_null("flag"))), "exact:  | flag IS NOT NULL");
}

#[test]
fn null_is_never_true_with_or_without_negation() {
    assert_eq!(pushdown(Predicate::NULL), "never");
    assert_eq!(pushdown(not(Predicate::NULL)), "never");
    assert_eq!(pushdown(not(Predicate::FALSE)), "exact:  | ");
    // `flag IN (1, NULL)`, and its negation.
    let with_null = || Predicate::Or(vec![in_list("flag", vec![int(1)]), Predicate::NULL]);
    assert_eq!(pushdown(with_null()), "exact:  | flag IN (1)");
    assert_eq!(pushdown(not(with_null())), "never");
}

#[test]
fn lists_are_left_to_the_engine() {
    assert_eq!(pushdown(not(is_null("profile"))), "superset:  | ");
}

#[test]
fn many_intervals_become_one() {
    let even = (0..100).step_by(2).map(int).collect();
    assert!(pushdown(in_list("n", even)).starts_with("exact: n in [0, 0] or [2, 2] or"));
    let tenths = (0..200).map(|n| float(f64::from(n) / 10.0)).collect();
    assert_eq!(pushdown(in_list("x", tenths)), "superset: x in [0, 19.9] | ");
}

proptest! {
    #[test]
    fn keys_contain_the_values_that_satisfy_a_comparison(x in -3i32..4, c in -3i32..4, negative_zero in any::<bool>()) {
        let (x, c) = (f64::from(x) / 2.0, f64::from(c) / 2.0);
        let x = if negative_zero && x == 0.0 { -0.0 } else { x };
        let key = Axis::Float64.key(&float(x)).unwrap();
        for (op, expected) in [
            (Op::Eq, x.total_cmp(&c).is_eq()),
            (Op::NotEq, x.total_cmp(&c).is_ne()),
            (Op::Lt, x.total_cmp(&c).is_lt()),
            (Op::LtEq, x.total_cmp(&c).is_le()),
            (Op::Gt, x.total_cmp(&c).is_gt()),
            (Op::GtEq, x.total_cmp(&c).is_ge()),
        ] {
            prop_assert_eq!(keys(Axis::Float64, op, &float(c)).unwrap().covers(key, key), expected);
        }
    }
}
