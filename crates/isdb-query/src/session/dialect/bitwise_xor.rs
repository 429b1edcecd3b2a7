//! Refuses `^`, which is a power in DuckDB, PostgreSQL and R, but flips bits in DataFusion: `2 ^ 3` would be 1.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::error::Error;
use crate::sql_text::sql_text;

/// Refuses `^` between any operands. A check of the finished plan would come too late: `^` between floats has no type, so planning
/// fails first.
#[derive(Debug)]
pub(super) struct RefuseBitwiseXor;

impl ExprPlanner for RefuseBitwiseXor {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::BitwiseXor {
            return Ok(PlannerResult::Original(expr));
        }
        let is_compound = [&expr.left, &expr.right].iter().any(|side| matches!(side, Expr::BinaryExpr(_)));
        // `0.1 * h ^ 2 + 1` is read as `(0.1 * h) ^ (2 + 1)`: the intended operands are unknown.
        let (problem, hint) = if is_compound {
            let hint = "write power(base, exponent), such as 0.1 * power(canopy_h, 2) + 1";
            ("^ is not a power: it would flip bits".to_owned(), hint.to_owned())
        } else {
            let (base, exponent) = (sql_text(&expr.left), sql_text(&expr.right));
            (
                format!("{base} ^ {exponent} is not a power: ^ would flip bits"),
                format!("write power({base}, {exponent})"),
            )
        };
        Err(Error::statement(problem, hint).into())
    }
}
