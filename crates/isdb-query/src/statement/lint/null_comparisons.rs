//! Refuses comparisons with NULL, which are true for no row.

use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

use super::comparison::is_comparison;
use super::constant::constant;
use crate::error::Error;
use crate::sql_text::sql_text;

pub(super) fn check(part: &Expr) -> Result<()> {
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => match (is_null(left), is_null(right))
        {
            (false, false) => Ok(()),
            (true, _) => Err(null_comparison(&sql_text(right), *op)),
            (_, true) => Err(null_comparison(&sql_text(left), *op)),
        },
        Expr::Between(Between { expr, low, high, .. }) if is_null(low) || is_null(high) => {
            Err(null_comparison(&sql_text(expr), Operator::GtEq))
        }
        Expr::InList(InList { expr, list, negated }) if list.iter().any(is_null) => {
            let (expr, not) = (sql_text(expr), if *negated { "NOT " } else { "" });
            let hint = match negated {
                true => format!("leave NULL out of the list, and write AND {expr} IS NOT NULL"),
                false => format!("leave NULL out of the list, and write OR {expr} IS NULL"),
            };
            let problem = format!("NULL in the list of {expr} {not}IN (...) equals nothing, not even NULL");
            Err(Error::statement(problem, hint).into())
        }
        _ => Ok(()),
    }
}

fn is_null(expr: &Expr) -> bool {
    constant(expr).is_some_and(|value| value.is_null())
}

fn null_comparison(expr: &str, op: Operator) -> DataFusionError {
    let hint = match op {
        Operator::NotEq => format!("write {expr} IS NOT NULL"),
        _ => format!("write {expr} IS NULL, or {expr} IS NOT NULL"),
    };
    Error::statement(format!("a comparison with NULL is never true: {expr} {op} NULL"), hint).into()
}
