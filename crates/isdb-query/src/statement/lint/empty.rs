//! Ranges that hold nothing since their ends are exchanged: `latitude BETWEEN -4 AND -7`.

use std::cmp::Ordering;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, Expr};

use super::Warning;
use super::constant::{constant, number, written};
use crate::session::dialect::shown;

pub(super) fn check(part: &Expr) -> Option<Warning> {
    let Expr::Between(Between { expr, negated, low, high }) = part else { return None };
    let (low, high) = (constant(low)?, constant(high)?);
    if compare(&low, &high)? != Ordering::Greater {
        return None;
    }
    let (expr, low, high) = (shown(expr), written(&low), written(&high));
    let text = match negated {
        true => format!("{expr} NOT BETWEEN {low} AND {high} holds for every value: the lower end comes first"),
        false => format!("{expr} BETWEEN {low} AND {high} holds for no value: the lower end comes first"),
    };
    let not = if *negated { "NOT " } else { "" };
    Some(Warning { text, hint: format!("write {expr} {not}BETWEEN {high} AND {low}") })
}

fn compare(low: &ScalarValue, high: &ScalarValue) -> Option<Ordering> {
    match (number(low), number(high)) {
        (Some(low), Some(high)) => low.partial_cmp(&high),
        _ => low.partial_cmp(high),
    }
}
