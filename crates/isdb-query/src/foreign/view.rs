//! The view of a package's array: its attributes, those with numbers as lists, the plain names, time, and the beam.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Column;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, bitwise_and, bitwise_shift_right, cast, lit, when};
use isdb_schema::catalogue::variable;

use super::days::day_start;
use super::numbered::NumberedList;
use super::vocabulary::{DAYS, Package, TIMESTAMP};
use crate::error::Result;

/// The beams on the left of the track, which are strong while the spacecraft flies backward.
const LEFT_BEAMS: [&str; 3] = ["gt1l", "gt2l", "gt3l"];
/// Those on the right, which are strong while it flies forward.
const RIGHT_BEAMS: [&str; 3] = ["gt1r", "gt2r", "gt3r"];

/// Returns the columns of the view over the columns of `schema`, of which `lists` have the elements. `has_nanoseconds` says whether time
/// is known to the nanosecond, or to the day.
pub(super) fn columns(
    package: Package,
    schema: &Schema,
    lists: &[NumberedList],
    has_nanoseconds: bool,
) -> Result<Vec<Expr>> {
    let has = |name: &str| schema.field_with_name(name).is_ok();
    let mut columns: Vec<(String, Expr)> = Vec::new();
    let mut add = |name: &str, expr: Expr| {
        if !columns.iter().any(|(known, _)| known == name) {
            columns.push((name.to_owned(), expr));
        }
    };
    add("latitude", stored("latitude"));
    add("longitude", stored("longitude"));
    let time = if has_nanoseconds { stored(TIMESTAMP) } else { day_start().call(vec![stored(DAYS)]) };
    add("time", time.alias("time"));
    if package == Package::Icesat2db {
        if has("beam_id") {
            add("beam", stored("beam_id").alias("beam"));
        }
        if has("beam_id") && has("sc_orient") && !has("beam_strength") {
            add("beam_strength", beam_strength()?);
        }
        if !has("cycle") {
            // The number of a segment has track, cycle, beam and the first geosegment, in 21, 8, 3 and 32 bits.
            let cycle = bitwise_and(bitwise_shift_right(stored("segment_id"), lit(35_i64)), lit(255_i64));
            add("cycle", cast(cycle, DataType::Int16).alias("cycle"));
        }
    }
    for field in schema.fields().iter().filter(|field| ![DAYS, TIMESTAMP].contains(&field.name().as_str())) {
        match lists.iter().find(|list| list.elements.contains(field.name())) {
            Some(list) => {
                let elements = list.elements.iter().map(|element| stored(element)).collect();
                add(
                    &list.name,
                    make_array(elements).alias_with_metadata(&list.name, Some(list.metadata.clone().into())),
                );
            }
            None => add(field.name(), stored(field.name())),
        }
    }
    if package == Package::Icesat2db {
        for field in schema.fields() {
            if let Some(plain) = variable(field.name()).and_then(|variable| variable.plain) {
                add(plain, stored(field.name()).alias(plain));
            }
        }
    }
    Ok(columns.into_iter().map(|(_, expr)| expr).collect())
}

fn stored(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// `strong` or `weak`, by the orientation of the spacecraft; NULL while it turns.
fn beam_strength() -> Result<Expr> {
    let is_one_of = |beams: [&str; 3]| stored("beam_id").in_list(beams.map(lit).to_vec(), false);
    let flies = |orientation: i8| stored("sc_orient").eq(lit(orientation));
    let is_strong = flies(0).and(is_one_of(LEFT_BEAMS)).or(flies(1).and(is_one_of(RIGHT_BEAMS)));
    let is_known = stored("sc_orient").lt_eq(lit(1_i8));
    Ok(when(is_strong, lit("strong")).when(is_known, lit("weak")).end()?.alias("beam_strength"))
}
