//! Every kind of predicate and what becomes of it.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Operator, cast, col, lit};
use proptest::prelude::*;
use tiledb::{ArrayLayout, CellOrder, Dimension, Domain};

use super::Vocabulary;
use super::translate::axis_keys;
use crate::describe::{ShowCondition, ShowRanges};
use crate::interval::Axis;
use crate::predicate::column::Value;

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
    let promise = HashMap::from([("nan".to_owned(), "never".to_owned())]);
    Schema::new(vec![
        Field::new("x", DataType::Float64, false),
        Field::new("n", DataType::Int64, false),
        Field::new("h", DataType::Float32, true).with_metadata(promise),
        Field::new("wild", DataType::Float32, true),
        Field::new("flag", DataType::Int8, true),
        Field::new("id", DataType::Int32, false),
        Field::new("profile", list, true),
    ])
}

/// `exact` or `superset`, then what the array is asked for.
fn told(filter: Expr) -> String {
    let (schema, layout) = (schema(), layout());
    let pushed = Vocabulary::new(&schema, &layout).translate(&filter);
    if pushed.is_never() {
        return "never".to_owned();
    }
    let exact = if pushed.is_exact() { "exact" } else { "superset" };
    let (ranges, condition) = pushed.into_parts();
    let condition = condition.map(|condition| ShowCondition(&condition).to_string()).unwrap_or_default();
    format!("{exact}: {} | {condition}", ShowRanges(&ranges, &layout.dimensions))
}

#[test]
fn a_box_is_read_as_ranges_and_not_filtered_again() {
    let inside = col("x").between(lit(1.0), lit(2.0)).and(col("n").eq(lit(7i64)));
    assert_eq!(told(inside), "exact: x in [1, 2], n in [7, 7] | ");
    assert_eq!(told(col("n").lt(lit(5i64))), "exact: n in [0, 4] | ");
    assert_eq!(told(col("x").gt_eq(lit(-1000.0))), "exact:  | ");
    assert_eq!(told(col("x").gt(lit(90.0))), "never");
}

#[test]
fn two_boxes_are_two_ranges_on_one_dimension_and_a_frame_on_two() {
    let polar = col("x").lt_eq(lit(-60.0)).or(col("x").gt_eq(lit(60.0)));
    assert_eq!(told(polar), "exact: x in [-90, -60] or [60, 90] | ");
    let west = col("x").lt_eq(lit(1.0)).and(col("n").lt_eq(lit(1i64)));
    let east = col("x").gt_eq(lit(3.0)).and(col("n").gt_eq(lit(3i64)));
    assert_eq!(told(west.or(east)), "superset: x in [-90, 1] or [3, 90], n in [0, 1] or [3, 100] | ");
}

#[test]
fn an_alternative_the_array_cannot_answer_leaves_nothing_to_ask() {
    assert_eq!(told(col("x").lt(lit(1.0)).or(col("flag").eq(lit(1i8)))), "superset:  | ");
    assert_eq!(told(col("flag").eq(lit(1i8)).or(col("wild").gt(lit(1f32)))), "superset:  | ");
    assert_eq!(told(col("flag").eq(lit(1i8)).or(col("flag").is_null())), "exact:  | flag = 1 OR flag IS NULL");
}

#[test]
fn a_part_the_array_cannot_answer_does_not_stop_the_rest() {
    let mixed = col("flag").eq(lit(1i8)).and(col("wild").gt(lit(1f32))).and(col("x").lt_eq(lit(1.0)));
    assert_eq!(told(mixed), "superset: x in [-90, 1] | flag = 1");
}

#[test]
fn floats_are_ordered_by_the_array_only_where_nan_cannot_be() {
    assert_eq!(told(col("h").gt(lit(5f32))), "superset:  | h >= 5");
    assert_eq!(told(col("wild").gt(lit(5f32))), "superset:  | ");
    assert_eq!(told(col("wild").lt(lit(5f32))), "superset:  | ");
    assert_eq!(told(col("wild").eq(lit(5f32))), "superset:  | wild = 5");
    assert_eq!(told(cast(col("h"), DataType::Float64).gt(lit(5.5))), "superset:  | h >= 5.5");
    assert_eq!(told(cast(col("h"), DataType::Float64).eq(lit(5.1))), "never");
}

#[test]
fn a_zero_brings_the_other_one_whichever_way_the_engine_compares_them() {
    for zero in [0f32, -0.0] {
        assert_eq!(told(col("h").not_eq(lit(zero))), "superset:  | ");
        assert_eq!(told(col("h").in_list(vec![lit(zero), lit(5f32)], true)), "superset:  | ");
        assert_eq!(told(col("x").not_eq(lit(f64::from(zero)))), "superset:  | ");
    }
    assert_eq!(told(col("x").lt(lit(0f64))), "superset: x in [-90, 0] | ");
    assert_eq!(told(col("h").in_list(vec![lit(-0.0f32), lit(5f32)], false)), "superset:  | h IN (0, 5)");
    assert_eq!(told(col("x").in_list(vec![lit(-0.0f64)], false)), "superset: x in [0, 0] | ");
    assert_eq!(told(col("x").gt_eq(lit(0f64))), "superset: x in [0, 90] | ");
}

#[test]
fn small_integers_meet_literals_beyond_their_type() {
    assert_eq!(told(cast(col("flag"), DataType::Int64).lt(lit(1000i64))), "exact:  | flag IS NOT NULL");
    assert_eq!(told(cast(col("flag"), DataType::Int64).gt(lit(1000i64))), "never");
    assert_eq!(told(cast(col("id"), DataType::Float64).gt(lit(5.5))), "exact:  | id > 5");
    assert_eq!(told(cast(col("id"), DataType::Int64).lt(lit(1i64 << 40))), "exact:  | ");
    assert_eq!(told(cast(col("id"), DataType::Int16).lt(lit(5i16))), "superset:  | ");
}

#[test]
fn not_reaches_the_comparisons() {
    let both = col("flag").eq(lit(1i8)).and(col("id").gt(lit(3)));
    assert_eq!(told(!both), "exact:  | flag != 1 OR id <= 3");
    assert_eq!(told(!col("flag").in_list(vec![lit(1i8), lit(2i8)], false)), "exact:  | flag NOT IN (1, 2)");
}

#[test]
fn a_null_among_the_values_matches_nothing() {
    let null = || lit(ScalarValue::Int8(None));
    assert_eq!(told(col("flag").eq(null())), "never");
    assert_eq!(told(col("flag").in_list(vec![lit(1i8), null()], false)), "exact:  | flag IN (1)");
    assert_eq!(told(col("flag").in_list(vec![lit(1i8), null()], true)), "never");
}

#[test]
fn lists_are_left_to_the_engine() {
    assert_eq!(told(col("profile").is_not_null()), "superset:  | ");
}

#[test]
fn a_long_list_of_coordinates_is_one_range() {
    let many = (0..100).step_by(2).map(|n| lit(i64::from(n))).collect::<Vec<_>>();
    assert!(told(col("n").in_list(many, false)).starts_with("exact: n in [0, 0] or [2, 2] or"));
    let more = (0..200).map(|n| lit(f64::from(n) / 10.0)).collect::<Vec<_>>();
    assert_eq!(told(col("x").in_list(more, false)), "superset: x in [0, 19.9] | ");
}

proptest! {
    #[test]
    fn ranges_hold_what_the_comparison_holds(x in -3i32..4, c in -3i32..4, zero in any::<bool>()) {
        let (x, c) = (f64::from(x) / 2.0, f64::from(c) / 2.0);
        let x = if zero && x == 0.0 { -0.0 } else { x };
        let key = Axis::Float64.key(&tiledb::Literal::Float(x)).unwrap();
        for (op, meant) in [
            (Operator::Eq, x.total_cmp(&c).is_eq()),
            (Operator::NotEq, x.total_cmp(&c).is_ne()),
            (Operator::Lt, x.total_cmp(&c).is_lt()),
            (Operator::LtEq, x.total_cmp(&c).is_le()),
            (Operator::Gt, x.total_cmp(&c).is_gt()),
            (Operator::GtEq, x.total_cmp(&c).is_ge()),
        ] {
            let keys = axis_keys(Axis::Float64, op, &Value::Float(c)).unwrap();
            prop_assert_eq!(keys.covers(key, key), meant);
        }
    }
}
