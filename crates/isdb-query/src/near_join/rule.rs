//! The optimizer rule that recognises a join on `near`.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::call::NearCall;
use super::node::NearJoin;

/// The rule.
#[derive(Debug, Default)]
pub(crate) struct NearJoinRule;

impl OptimizerRule for NearJoinRule {
    fn name(&self) -> &'static str {
        "near_join"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(join)
                if NearCall::find(&join).is_some()
                    && !join.left.contains_outer_reference()
                    && !join.right.contains_outer_reference() =>
            {
                Ok(Transformed::yes(LogicalPlan::Extension(Extension { node: Arc::new(NearJoin::new(join)) })))
            }
            plan => Ok(Transformed::no(plan)),
        }
    }
}
