//! Warns about ranges that are empty because their ends are swapped: `latitude BETWEEN -4 AND -7`.

use std::cmp::Ordering;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, Expr};

use super::constant::{as_number, constant};
use super::warning::Warning;
use crate::sql_text::{sql_literal, sql_text};

pub(super) fn check(part: &Expr) -> Option<Warning> {
    let Expr::Between(Between { expr, negated, low, high }) = part else { return None };
    let (low, high) = (constant(low)?, constant(high)?);
    if compare(&low, &high)? != Ordering::Greater {
        return None;
    }
    let (expr, low, high) = (sql_text(expr), sql_literal(&low), sql_literal(&high));
    let text = match negated {
        true => format!("{expr} NOT BETWEEN {low} AND {high} is true for every value: the lower end comes first"),
        false => format!("{expr} BETWEEN {low} AND {high} is true for no value: the lower end comes first"),
    };
    let not = if *negated { "NOT " } else { "" };
    Some(Warning { text, hint: format!("write {expr} {not}BETWEEN {high} AND {low}") })
}

fn compare(low: &ScalarValue, high: &ScalarValue) -> Option<Ordering> {
    match (as_number(low), as_number(high)) {
        (Some(low), Some(high)) => low.partial_cmp(&high),
        _ => low.partial_cmp(high),
    }
}
