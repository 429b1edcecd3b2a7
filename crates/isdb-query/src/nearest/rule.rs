//! The optimizer rule that recognises a sort by the distance to a position.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Extension, LogicalPlan, Sort};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::node::Nearest;
use crate::stored_position::{has_subquery, is_distance_to_stored_position};

/// A circle's rows are in memory before they are counted, so that a statement with a higher limit is sorted as usual.
const MOST_ROWS: usize = 10_000;

/// The rule. The sort remains above the node, over the rows that it returns.
#[derive(Debug, Default)]
pub(crate) struct NearestRule;

impl OptimizerRule for NearestRule {
    fn name(&self) -> &'static str {
        "nearest"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Sort(sort) = plan else { return Ok(Transformed::no(plan)) };
        let Some(limit) = sort.fetch.filter(|limit| (1..=MOST_ROWS).contains(limit)) else {
            return Ok(Transformed::no(LogicalPlan::Sort(sort)));
        };
        // The limit of an outer query's row is not that of the subquery's rows.
        let is_nearest = sort
            .expr
            .first()
            .is_some_and(|key| key.asc && !key.nulls_first && is_distance_to_stored_position(&key.expr, &sort.input));
        // DataFusion plans the subqueries of its own nodes only.
        let has_subqueries = sort.expr.iter().any(|key| has_subquery(&key.expr));
        if !is_nearest || has_subqueries || sort.input.contains_outer_reference() {
            return Ok(Transformed::no(LogicalPlan::Sort(sort)));
        }
        let node = Nearest::new(Arc::unwrap_or_clone(sort.input), sort.expr.clone(), limit);
        let input = Arc::new(LogicalPlan::Extension(Extension { node: Arc::new(node) }));
        Ok(Transformed::yes(LogicalPlan::Sort(Sort { input, ..sort })))
    }
}
