//! The DataFusion session every face starts from, before tables are registered in it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::functions::chunk::chunk_function;
use crate::functions::in_region;
use crate::session::dialect;
use crate::session::files::{UserFiles, with_files};
use crate::session::memory::QueryResources;
use crate::session::sort_columns::SortColumns;

/// A session that reads with `partitions` threads, or one per processor, and answers `information_schema`. Where a table
/// is named, so can be a file in quotes (`FROM 'plots.csv'`): the tables that people bring to join with.
#[must_use]
pub fn session(partitions: Option<usize>) -> SessionContext {
    session_with(partitions, UserFiles::Open)
}

/// As [`session`], with files that statements may read or not.
#[must_use]
pub fn session_with(partitions: Option<usize>, files: UserFiles) -> SessionContext {
    let config = config();
    let config = match partitions {
        Some(partitions) => config.with_target_partitions(partitions),
        None => config,
    };
    usable(dialect::state(config, Arc::default()), files)
}

/// The same with one thread per processor and within bounds: what does not fit in memory is spilled to disk, and a query that
/// cannot spill ends with an error.
///
/// # Errors
/// When the folder to spill to cannot be used.
pub fn bounded_session(resources: &QueryResources) -> Result<SessionContext> {
    let config = resources.bound(config());
    Ok(usable(dialect::state(config, resources.runtime()?), UserFiles::Open))
}

fn config() -> SessionConfig {
    SessionConfig::new().with_information_schema(true)
}

/// A session of `state` with our functions, and with `files` as tables.
fn usable(state: SessionState, files: UserFiles) -> SessionContext {
    let context = SessionContext::new_with_state(state);
    register_functions(&context);
    context.add_optimizer_rule(Arc::new(SortColumns));
    with_files(context, files)
}

/// The functions of SQL that are ours: `in_region(latitude, longitude, 'W,S,E,N' or GeoJSON)` and `chunk(latitude, longitude)`.
pub fn register_functions(context: &SessionContext) {
    context.register_udf(in_region::function());
    context.register_udf(chunk_function());
}
