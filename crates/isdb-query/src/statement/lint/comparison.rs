//! Recognises comparisons with constants in all forms: operators, IN, BETWEEN and CASE.

use datafusion::common::Column;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Case, Cast, Expr, Operator, TryCast};

use super::constant::constant;

/// An expression, and the constants that one operator compares it with.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    /// The expression that is compared.
    pub(super) compared: &'a Expr,
    /// `=`, `<>`, `<`, `<=`, `>` or `>=`.
    pub(super) op: Operator,
    /// The constants.
    pub(super) constants: Vec<&'a Expr>,
}

impl<'a> Comparison<'a> {
    /// Returns the column that is compared, even inside a cast.
    pub(super) fn column(&self) -> Option<&'a Column> {
        column(self.compared)
    }

    /// Whether the operator compares for equality, not for order.
    pub(super) fn is_equality(&self) -> bool {
        matches!(self.op, Operator::Eq | Operator::NotEq)
    }
}

fn column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) => column(expr),
        _ => None,
    }
}

/// Returns the comparisons with constants in the node `part`, without its children.
pub(super) fn comparisons(part: &Expr) -> Vec<Comparison<'_>> {
    let one = |compared, op, constants| vec![Comparison { compared, op, constants }];
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            match (constant(left).is_some(), constant(right).is_some(), op.swap()) {
                (false, true, _) => one(left, *op, vec![right]),
                (true, false, Some(op)) => one(right, op, vec![left]),
                _ => Vec::new(),
            }
        }
        Expr::InList(InList { expr, list, negated }) => {
            let op = if *negated { Operator::NotEq } else { Operator::Eq };
            one(expr, op, list.iter().filter(|value| constant(value).is_some()).collect())
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let ops = if *negated { [Operator::Lt, Operator::Gt] } else { [Operator::GtEq, Operator::LtEq] };
            let ends = [low, high].into_iter().zip(ops).filter(|(end, _)| constant(end).is_some());
            ends.map(|(end, op)| Comparison { compared: expr, op, constants: vec![end] }).collect()
        }
        Expr::Case(Case { expr: Some(expr), when_then_expr, .. }) => {
            let values = when_then_expr.iter().map(|(when, _)| when.as_ref());
            one(expr, Operator::Eq, values.filter(|value| constant(value).is_some()).collect())
        }
        _ => Vec::new(),
    }
}

pub(super) fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}
