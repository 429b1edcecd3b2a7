//! Comparisons with constants, in whatever form they are written.

use datafusion::common::Column;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Case, Cast, Expr, Operator, TryCast};

use super::constant::constant;

/// One thing compared with constants: with each of them by the same operator.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    /// What is compared.
    pub(super) compared: &'a Expr,
    /// `=`, `<>`, `<`, `<=`, `>` or `>=`.
    pub(super) op: Operator,
    /// The constants.
    pub(super) with: Vec<&'a Expr>,
}

impl<'a> Comparison<'a> {
    /// The column that is compared, also where it is cast.
    pub(super) fn column(&self) -> Option<&'a Column> {
        column(self.compared)
    }

    /// Whether it is about single values, and not about an order.
    pub(super) fn is_of_values(&self) -> bool {
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

/// The comparisons with constants that `part` itself makes.
pub(super) fn comparisons(part: &Expr) -> Vec<Comparison<'_>> {
    let one = |compared, op, with| vec![Comparison { compared, op, with }];
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
            ends.map(|(end, op)| Comparison { compared: expr, op, with: vec![end] }).collect()
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
