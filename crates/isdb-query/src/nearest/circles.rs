//! Plans of the rows in circles around a position.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::ExecutionPlan;

/// Metres; no two positions are further apart.
const FARTHEST: f64 = 20_010_000.0;

/// Plans the rows in circles of any size around one position.
pub(super) struct Circles {
    state: SessionState,
    rows: LogicalPlan,
    distance: Expr,
}

impl Circles {
    /// Creates circles around the constant position of the call `distance`, for `rows` with its columns.
    pub(super) fn new(state: SessionState, rows: LogicalPlan, distance: Expr) -> Self {
        Self { state, rows, distance }
    }

    /// Plans the rows at most `metres` away, or all rows if the circle is the whole Earth.
    pub(super) async fn plan(&self, metres: f64) -> Result<Arc<dyn ExecutionPlan>> {
        let mut rows = LogicalPlanBuilder::from(self.rows.clone());
        if !Self::is_everything(metres) {
            rows = rows.filter(self.distance.clone().lt_eq(lit(metres)))?;
        }
        self.state.create_physical_plan(&rows.build()?).await
    }

    /// Whether the circle is the whole Earth.
    pub(super) fn is_everything(metres: f64) -> bool {
        metres >= FARTHEST
    }
}

impl std::fmt::Debug for Circles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Circles").field("distance", &self.distance).finish_non_exhaustive()
    }
}
