//! Warns about times compared with days. A day in SQL is its first moment, so `time <= '2019-07-31'` excludes the last day and
//! `time = '2019-07-28'` finds only segments at midnight, while `--end 2019-07-31` includes the whole day.

use arrow::array::types::Date32Type;
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Operator};

use super::columns::Columns;
use super::comparison::Comparison;
use super::constant::literal_text;
use super::warning::Warning;

pub(super) fn check(comparison: &Comparison<'_>, columns: &Columns<'_>) -> Vec<Warning> {
    // A cast of the time to a date compares days, as intended.
    let Expr::Column(column) = comparison.compared else { return Vec::new() };
    let days: Vec<i32> = comparison.constants.iter().filter_map(|value| parse_day(literal_text(value)?)).collect();
    let is_time = |data_type: &DataType| matches!(data_type, DataType::Timestamp(..));
    if days.is_empty() || !(columns.origin)(column).is_some_and(|origin| is_time(&origin.data_type)) {
        return Vec::new();
    }
    days.into_iter().filter_map(|day| warning(&column.name, comparison.op, day)).collect()
}

fn warning(column: &str, op: Operator, day: i32) -> Option<Warning> {
    let (day, next) = (date_text(day), date_text(day + 1));
    let whole = format!("{column} >= '{day}' AND {column} < '{next}'");
    let (text, hint) = match op {
        Operator::LtEq => (
            format!("{column} <= '{day}' ends at the first moment of that day, and leaves the day itself out"),
            format!("write {column} < '{next}' to include it, {column} < '{day}' to leave it out"),
        ),
        Operator::Eq => (format!("{column} = '{day}' is the first moment of that day alone"), format!("write {whole}")),
        Operator::NotEq => (
            format!("{column} <> '{day}' leaves out the first moment of that day alone"),
            format!("write NOT ({whole})"),
        ),
        _ => return None,
    };
    Some(Warning { text, hint })
}

/// Parses a day without a time, in days since 1970.
fn parse_day(text: &str) -> Option<i32> {
    let text = text.trim();
    (text.len() == "2019-07-31".len()).then(|| Date32Type::parse(text)).flatten()
}

fn date_text(day: i32) -> String {
    ScalarValue::Date32(Some(day)).to_string()
}
