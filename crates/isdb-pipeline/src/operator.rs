//! The methods of [`ExecutionPlan`] that all operators of this crate share.

use std::sync::Arc;

use datafusion::common::{Result, internal_err};
use datafusion::physical_plan::ExecutionPlan;

/// Implements these methods for an operator that has one `input`, `properties`, and the methods `with_input` (the same operator
/// over another input) and `expressions` (which it evaluates over its input).
///
/// No operator gains from more input partitions than it requires: the rows of a granule must stay together, and distributing rows
/// copies them.
macro_rules! single_input_operator {
    ($name:literal) => {
        fn name(&self) -> &str {
            $name
        }

        fn properties(&self) -> &std::sync::Arc<datafusion::physical_plan::PlanProperties> {
            &self.properties
        }

        fn children(&self) -> Vec<&std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            vec![&self.input]
        }

        fn with_new_children(
            self: std::sync::Arc<Self>,
            children: Vec<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>>,
        ) -> datafusion::common::Result<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            let input = $crate::operator::only_child($name, children)?;
            Ok(std::sync::Arc::new(self.with_input(input)?))
        }

        fn benefits_from_input_partitioning(&self) -> Vec<bool> {
            vec![false]
        }

        fn apply_expressions(
            &self,
            visit: &mut dyn FnMut(
                &std::sync::Arc<dyn datafusion::physical_expr::PhysicalExpr>,
            ) -> datafusion::common::Result<datafusion::common::tree_node::TreeNodeRecursion>,
        ) -> datafusion::common::Result<datafusion::common::tree_node::TreeNodeRecursion> {
            let mut recursion = datafusion::common::tree_node::TreeNodeRecursion::Continue;
            for expression in self.expressions() {
                recursion = recursion.visit_sibling(|| visit(&expression))?;
            }
            Ok(recursion)
        }
    };
}

pub(crate) use single_input_operator;

/// Returns the only item of `children`.
pub(crate) fn only_child(name: &str, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    match children.pop() {
        Some(child) if children.is_empty() => Ok(child),
        _ => internal_err!("{name}: expected one input"),
    }
}
