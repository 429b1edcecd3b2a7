//! The SQL dialect. It differs from DataFusion's, because its users know DuckDB, R or Python: integers divide with a fraction,
//! NULLs come last in ascending and descending order, and clauses that DataFusion would ignore silently are refused.

use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

use crate::session::planner::SpatialPlanner;
use crate::session::used_columns::remove_unused_columns;

mod bitwise_xor;
mod division;
mod table_sample;

/// Order of NULLs in `ORDER BY` without `NULLS FIRST` or `NULLS LAST`, in window functions and aggregates too. DataFusion's
/// default (`nulls_max`) puts NULL before the tallest canopy.
const NULL_ORDERING: &str = "nulls_last";

/// Creates the state of a session with this dialect in `runtime`.
pub(super) fn session_state(mut config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    NULL_ORDERING.clone_into(&mut config.options_mut().sql_parser.default_null_ordering);
    let mut builder = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features();
    builder.scalar_functions().get_or_insert_default().push(Arc::new(division::div()));
    let planners = builder.expr_planners().get_or_insert_default();
    planners.push(Arc::new(division::FractionalDivision));
    planners.push(Arc::new(bitwise_xor::RefuseBitwiseXor));
    builder.relation_planners().get_or_insert_default().push(Arc::new(table_sample::RefuseTableSample));
    let mut builder = builder.with_query_planner(Arc::new(SpatialPlanner));
    remove_unused_columns(builder.analyzer().get_or_insert_default());
    builder.build()
}
