//! Plans the node `Nearest`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result, internal_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::{LexOrdering, create_physical_sort_exprs};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::circles::Circles;
use super::exec::NearestExec;
use super::node::Nearest;

/// The planner of the node.
#[derive(Debug)]
pub(crate) struct NearestPlanner;

#[async_trait]
impl ExtensionPlanner for NearestPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(nearest) = node.as_any().downcast_ref::<Nearest>() else { return Ok(None) };
        let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
            return internal_err!("Nearest is planned in a session of DataFusion");
        };
        let schema = nearest.rows().schema();
        let keys = create_physical_sort_exprs(nearest.keys(), schema, session.execution_props(), context)?;
        let (Some(order), Some(distance)) = (LexOrdering::new(keys), nearest.keys().first()) else {
            return internal_err!("Nearest has no order");
        };
        let circles = Circles::new(state.clone(), nearest.rows().clone(), distance.expr.clone());
        let exec = NearestExec::try_new(circles, order, nearest.limit()).await?;
        Ok(Some(Arc::new(exec)))
    }
}
