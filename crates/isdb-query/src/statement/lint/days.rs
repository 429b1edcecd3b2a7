//! Times compared with days. A day in SQL is its first moment, so that `time <= '2019-07-31'` leaves the last day out and
//! `time = '2019-07-28'` finds what was measured at midnight, while `--end 2019-07-31` takes all of the day.

use arrow::array::types::Date32Type;
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Operator};

use super::comparison::Comparison;
use super::constant::text;
use super::{View, Warning};

pub(super) fn check(comparison: &Comparison<'_>, view: &View<'_>) -> Vec<Warning> {
    // A cast of the time to a day compares days, as is meant.
    let Expr::Column(column) = comparison.compared else { return Vec::new() };
    let days: Vec<i32> = comparison.with.iter().filter_map(|value| day(text(value)?)).collect();
    let is_time = |kind: &DataType| matches!(kind, DataType::Timestamp(..));
    if days.is_empty() || !(view.origin)(column).is_some_and(|origin| is_time(&origin.kind)) {
        return Vec::new();
    }
    days.into_iter().filter_map(|day| warning(&column.name, comparison.op, day)).collect()
}

fn warning(column: &str, op: Operator, day: i32) -> Option<Warning> {
    let (shown, next) = (date(day), date(day + 1));
    let whole = format!("{column} >= '{shown}' AND {column} < '{next}'");
    let (text, hint) = match op {
        Operator::LtEq => (
            format!("{column} <= '{shown}' ends at the first moment of that day, and leaves the day itself out"),
            format!("write {column} < '{next}' to include it, {column} < '{shown}' to leave it out"),
        ),
        Operator::Eq => {
            (format!("{column} = '{shown}' is the first moment of that day alone"), format!("write {whole}"))
        }
        Operator::NotEq => (
            format!("{column} <> '{shown}' leaves out the first moment of that day alone"),
            format!("write NOT ({whole})"),
        ),
        _ => return None,
    };
    Some(Warning { text, hint })
}

/// The day that `text` is, without a time of day, in days since 1970.
fn day(text: &str) -> Option<i32> {
    let text = text.trim();
    (text.len() == "2019-07-31".len()).then(|| Date32Type::parse(text)).flatten()
}

fn date(day: i32) -> String {
    ScalarValue::Date32(Some(day)).to_string()
}
