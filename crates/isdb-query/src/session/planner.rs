//! DataFusion's planner of physical plans, with those of isdb's own nodes.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::near_join::planner::NearJoinPlanner;
use crate::nearest::planner::NearestPlanner;

/// The planner.
#[derive(Debug)]
pub(super) struct SpatialPlanner;

#[async_trait]
impl QueryPlanner for SpatialPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner =
            DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(NearestPlanner), Arc::new(NearJoinPlanner)]);
        planner.create_physical_plan(plan, session).await
    }
}
