//! Plans of the side that is searched for in the index.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use isdb_region::CircleIndex;

use crate::functions::boxes::ranges_predicate;
use crate::stored_position::is_stored;

/// An array searches all its tiles for each range: at most this many of latitude, and of longitude.
const MOST_RANGES: usize = 32;

/// Rows with a position, which can be planned in the ranges of circles alone.
pub(super) struct Probe {
    state: SessionState,
    rows: LogicalPlan,
    position: [Expr; 2],
}

impl Probe {
    /// Creates the rows of a plan, with the expressions of their latitude and longitude.
    pub(super) fn new(state: SessionState, rows: LogicalPlan, position: [Expr; 2]) -> Self {
        Self { state, rows, position }
    }

    /// Whether the ranges of circles reach an array. Otherwise all rows are read anyway.
    pub(super) fn is_stored(&self) -> bool {
        self.position.iter().all(|expr| is_stored(expr, &self.rows))
    }

    /// Plans all rows.
    pub(super) async fn plan_all(&self) -> Result<Arc<dyn ExecutionPlan>> {
        self.state.create_physical_plan(&self.rows).await
    }

    /// Plans the rows in the ranges of the circles, and perhaps others.
    pub(super) async fn plan_around(&self, circles: &CircleIndex) -> Result<Arc<dyn ExecutionPlan>> {
        let [latitude, longitude] = &self.position;
        let (parallels, meridians) = (circles.latitudes(MOST_RANGES), circles.longitudes(MOST_RANGES));
        let within = ranges_predicate(&parallels, meridians.as_deref(), latitude, longitude);
        let rows = LogicalPlanBuilder::from(self.rows.clone()).filter(within)?.build()?;
        self.state.create_physical_plan(&rows).await
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("position", &self.position).finish_non_exhaustive()
    }
}
