//! Plans the node `NearJoin`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result, internal_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{JoinType, LogicalPlan, UserDefinedLogicalNode, build_join_schema};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::call::NearCall;
use super::condition::Condition;
use super::exec::NearJoinExec;
use super::node::NearJoin;
use super::probe::Probe;

/// The planner of the node.
#[derive(Debug)]
pub(crate) struct NearJoinPlanner;

#[async_trait]
impl ExtensionPlanner for NearJoinPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<NearJoin>() else { return Ok(None) };
        let join = node.join();
        let (Some(call), Some(state)) = (NearCall::find(join), session.as_any().downcast_ref::<SessionState>()) else {
            return internal_err!("NearJoin cannot be planned in this session");
        };
        let (probe, indexed) = match call.shape.right_is_indexed {
            true => (&join.left, &join.right),
            false => (&join.right, &join.left),
        };
        let expr = |expr, schema| planner.create_physical_expr(expr, schema, session, context);
        let both = build_join_schema(join.left.schema(), join.right.schema(), &JoinType::Inner)?;
        let condition = Condition {
            probe: [expr(&call.probe[0], probe.schema())?, expr(&call.probe[1], probe.schema())?],
            indexed: [expr(&call.indexed[0], indexed.schema())?, expr(&call.indexed[1], indexed.schema())?],
            metres: expr(&call.metres, indexed.schema())?,
            others: call.others.as_ref().map(|others| expr(others, &both)).transpose()?,
            shape: call.shape,
            both: Arc::clone(both.inner()),
            output: Arc::clone(join.schema.inner()),
        };
        let indexed = state.create_physical_plan(indexed).await?;
        let probe = Probe::new(state.clone(), probe.as_ref().clone(), call.probe);
        let all = probe.plan_all().await?;
        Ok(Some(Arc::new(NearJoinExec::new(indexed, all, probe, condition))))
    }
}
