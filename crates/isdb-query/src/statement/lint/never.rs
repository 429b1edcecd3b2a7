//! Comparisons with NULL, which hold for no row.

use datafusion::common::Result;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

use super::comparison::is_comparison;
use super::constant::constant;
use super::refuse;
use crate::session::dialect::shown;

pub(super) fn check(part: &Expr) -> Result<()> {
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => match (is_null(left), is_null(right))
        {
            (false, false) => Ok(()),
            (true, _) => Err(with_null(&shown(right), *op)),
            (_, true) => Err(with_null(&shown(left), *op)),
        },
        Expr::Between(Between { expr, low, high, .. }) if is_null(low) || is_null(high) => {
            Err(with_null(&shown(expr), Operator::GtEq))
        }
        Expr::InList(InList { expr, list, negated }) if list.iter().any(is_null) => {
            let (expr, not) = (shown(expr), if *negated { "NOT " } else { "" });
            let hint = match negated {
                true => format!("leave NULL out of the list, and write AND {expr} IS NOT NULL"),
                false => format!("leave NULL out of the list, and write OR {expr} IS NULL"),
            };
            Err(refuse(format!("NULL in the list of {expr} {not}IN (...) equals nothing, not even NULL"), hint))
        }
        _ => Ok(()),
    }
}

fn is_null(expr: &Expr) -> bool {
    constant(expr).is_some_and(|value| value.is_null())
}

fn with_null(expr: &str, op: Operator) -> datafusion::error::DataFusionError {
    let hint = match op {
        Operator::NotEq => format!("write {expr} IS NOT NULL"),
        _ => format!("write {expr} IS NULL, or {expr} IS NOT NULL"),
    };
    refuse(format!("a comparison with NULL is never true: {expr} {op} NULL"), hint)
}
