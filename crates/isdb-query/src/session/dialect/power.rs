//! `^`, which is a power in DuckDB, PostgreSQL and R, and flips bits in DataFusion: `2 ^ 3` would be 1.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::shown;
use crate::error::Error;

/// Refuses `^` between whatever. In the plan of a statement it would be too late: between floats it has no type.
#[derive(Debug)]
pub(super) struct NoBits;

impl ExprPlanner for NoBits {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::BitwiseXor {
            return Ok(PlannerResult::Original(expr));
        }
        let is_compound = [&expr.left, &expr.right].iter().any(|side| matches!(side, Expr::BinaryExpr(_)));
        // `0.1 * h ^ 2 + 1` is read as `(0.1 * h) ^ (2 + 1)`: what is meant cannot be told any more.
        let (problem, hint) = if is_compound {
            let hint = "write power(base, exponent), such as 0.1 * power(canopy_h, 2) + 1";
            ("^ is not a power: it would flip bits".to_owned(), hint.to_owned())
        } else {
            let (base, exponent) = (shown(&expr.left), shown(&expr.right));
            (
                format!("{base} ^ {exponent} is not a power: ^ would flip bits"),
                format!("write power({base}, {exponent})"),
            )
        };
        Err(Error::Statement { problem, hint }.into())
    }
}
