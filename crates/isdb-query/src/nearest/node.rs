//! The node of a logical plan whose rows are the nearest ones of another plan.

use std::fmt::{self, Formatter};

use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr, UserDefinedLogicalNodeCore};

/// The first rows of a plan in an order that begins with the distance to a position. Its rows are in no order.
///
/// The plan is not an input of the node: it is optimized once for each circle, with the circle as a condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Hash)]
pub(super) struct Nearest {
    rows: LogicalPlan,
    keys: Vec<SortExpr>,
    limit: usize,
}

impl Nearest {
    /// Creates the node of the first `limit` of `rows`, ordered by `keys`.
    pub(super) fn new(rows: LogicalPlan, keys: Vec<SortExpr>, limit: usize) -> Self {
        Self { rows, keys, limit }
    }

    /// Returns the plan of all rows.
    pub(super) fn rows(&self) -> &LogicalPlan {
        &self.rows
    }

    /// Returns the order; the first key is the distance.
    pub(super) fn keys(&self) -> &[SortExpr] {
        &self.keys
    }

    /// Returns the number of rows.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }
}

impl UserDefinedLogicalNodeCore for Nearest {
    fn name(&self) -> &'static str {
        "Nearest"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        self.rows.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        write!(f, "Nearest: {}, limit={}", keys.join(", "), self.limit)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match exprs.is_empty() && inputs.is_empty() {
            true => Ok(self.clone()),
            false => internal_err!("Nearest has neither expressions nor inputs"),
        }
    }
}
