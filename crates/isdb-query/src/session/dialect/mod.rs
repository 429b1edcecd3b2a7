//! Where our SQL differs from DataFusion's, since the people who write it know DuckDB, R or Python: integers divide with a
//! fraction, NULLs come last however rows are ordered, and what DataFusion would ignore without a word is refused.

use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

mod division;
mod power;
mod sample;
mod shown;

pub(crate) use shown::shown;

/// The setting of `ORDER BY` without `NULLS FIRST` or `NULLS LAST`, in window functions and aggregates too. DataFusion's default
/// (`nulls_max`) puts NULL before the tallest canopy.
const NULL_ORDERING: &str = "nulls_last";

/// The state of a session that speaks the dialect and runs in `runtime`.
pub(crate) fn state(mut config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    NULL_ORDERING.clone_into(&mut config.options_mut().sql_parser.default_null_ordering);
    let mut builder = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features();
    builder.scalar_functions().get_or_insert_default().push(Arc::new(division::div()));
    let planners = builder.expr_planners().get_or_insert_default();
    planners.push(Arc::new(division::Fractions));
    planners.push(Arc::new(power::NoBits));
    builder.relation_planners().get_or_insert_default().push(Arc::new(sample::NoSamples));
    builder.build()
}
