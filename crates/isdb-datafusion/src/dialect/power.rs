//! `^`, which is a power in DuckDB, PostgreSQL and R, and flips bits in DataFusion: `2 ^ 3` would be 1.

use datafusion::common::{DFSchema, Result};
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
        let (base, exponent) = (shown(&expr.left), shown(&expr.right));
        let problem = format!("{base} ^ {exponent} is not a power: ^ would flip bits");
        Err(Error::Statement { problem, hint: format!("write power({base}, {exponent})") }.into())
    }
}
