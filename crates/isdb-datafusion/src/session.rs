//! The DataFusion session every face starts from, before tables are registered in it.

use std::sync::Arc;

use datafusion::prelude::{SessionConfig, SessionContext};

use crate::chunk::chunk_function;
use crate::files::{UserFiles, with_files};
use crate::region;
use crate::sort_columns::SortColumns;

/// A session that reads with `partitions` threads, or one per processor, and answers `information_schema`. Where a table
/// is named, so can be a file in quotes (`FROM 'plots.csv'`): the tables that people bring to join with.
#[must_use]
pub fn session(partitions: Option<usize>) -> SessionContext {
    session_with(partitions, UserFiles::Open)
}

/// As [`session`], with files that statements may read or not.
#[must_use]
pub fn session_with(partitions: Option<usize>, files: UserFiles) -> SessionContext {
    let config = SessionConfig::new().with_information_schema(true);
    let context = SessionContext::new_with_config(match partitions {
        Some(partitions) => config.with_target_partitions(partitions),
        None => config,
    });
    register_functions(&context);
    context.add_optimizer_rule(Arc::new(SortColumns));
    with_files(context, files)
}

/// The functions of SQL that are ours: `in_region(latitude, longitude, 'W,S,E,N' or GeoJSON)` and `chunk(latitude, longitude)`.
pub(crate) fn register_functions(context: &SessionContext) {
    context.register_udf(region::function());
    context.register_udf(chunk_function());
}
