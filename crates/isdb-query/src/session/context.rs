//! The DataFusion session that every program starts from, before tables are registered in it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::functions::distance_comparisons::DistanceComparisons;
use crate::functions::register_functions;
use crate::near_join::rule::NearJoinRule;
use crate::nearest::rule::NearestRule;
use crate::session::default_schema::add_default_schema;
use crate::session::dialect;
use crate::session::files::UserFiles;
use crate::session::memory::QueryResources;
use crate::session::sort_columns::SortColumns;

/// Options of a session. The default reads with one thread per processor, has no memory limits, and opens the user's files.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// Number of threads that read and compute; None means one per processor.
    pub partitions: Option<usize>,
    /// Memory limits: rows that do not fit are spilled to disk, and a query that cannot spill ends with an error. None means no
    /// limits.
    pub resources: Option<QueryResources>,
    /// Whether statements may read files: `FROM 'plots.csv'`.
    pub files: UserFiles,
}

/// Creates a session with isdb's SQL dialect and functions, and with `information_schema`.
///
/// # Errors
/// When the folder to spill to cannot be used.
pub fn session(options: &SessionOptions) -> Result<SessionContext> {
    let config = SessionConfig::new().with_information_schema(true);
    let config = match options.partitions {
        Some(partitions) => config.with_target_partitions(partitions),
        None => config,
    };
    let (config, runtime) = match &options.resources {
        Some(resources) => (resources.apply_to(config), resources.runtime()?),
        None => (config, Arc::new(RuntimeEnv::default())),
    };
    let context = SessionContext::new_with_state(dialect::session_state(config, runtime));
    register_functions(&context, options.files);
    context.add_optimizer_rule(Arc::new(DistanceComparisons));
    context.add_optimizer_rule(Arc::new(NearJoinRule));
    // Before sorts are rewritten by the rule after it.
    context.add_optimizer_rule(Arc::new(NearestRule));
    context.add_optimizer_rule(Arc::new(SortColumns));
    add_default_schema(&context, options.files)?;
    Ok(context)
}

#[cfg(test)]
mod tests {
    use datafusion::error::DataFusionError;

    use super::*;
    use crate::error::Error;
    use crate::session::memory::MIN_QUERY_MEMORY;

    #[tokio::test]
    async fn a_session_with_limits_of_memory_and_closed_files_refuses_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plots.csv");
        std::fs::write(&file, "plot,height\nA,12\n").unwrap();
        let sql = format!("SELECT * FROM '{}'", file.display());
        let resources = QueryResources { memory: MIN_QUERY_MEMORY, temp: folder.path().to_owned() };
        let options = SessionOptions { resources: Some(resources), ..SessionOptions::default() };
        let open = session(&options).unwrap();
        assert_eq!(open.sql(&sql).await.unwrap().count().await.unwrap(), 1);
        let closed = session(&SessionOptions { files: UserFiles::Closed, ..options }).unwrap();
        let refused = closed.sql(&sql).await.map(|_| ()).unwrap_err();
        let DataFusionError::External(refused) = refused.find_root() else { panic!("{refused}") };
        assert!(matches!(refused.downcast_ref(), Some(Error::FilesClosed { .. })), "{refused}");
    }
}
