//! The node of a logical plan that is a join on `near`.

use std::fmt::{self, Formatter};

use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, UserDefinedLogicalNodeCore};

/// A join whose condition is recognised by `call`.
///
/// Its sides are not inputs of the node: each is optimized when it is planned, one of them with the ranges of the other as a condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Hash)]
pub(super) struct NearJoin {
    join: Join,
}

impl NearJoin {
    /// Creates the node.
    pub(super) fn new(join: Join) -> Self {
        Self { join }
    }

    /// Returns the join.
    pub(super) fn join(&self) -> &Join {
        &self.join
    }
}

impl UserDefinedLogicalNodeCore for NearJoin {
    fn name(&self) -> &'static str {
        "NearJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.join.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let condition = self.join.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        write!(f, "NearJoin: {} {condition}", self.join.join_type)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match exprs.is_empty() && inputs.is_empty() {
            true => Ok(self.clone()),
            false => internal_err!("NearJoin has neither expressions nor inputs"),
        }
    }
}
