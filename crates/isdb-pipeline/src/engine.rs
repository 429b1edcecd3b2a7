//! The engine that runs ingest and compaction plans: a DataFusion session with limited memory, a folder to spill to, and the
//! database's writer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use isdb_query::{UserFiles, register_functions};
use isdb_store::{LedgerRow, Writer};
use object_store::ObjectStore;
use tiledb_datafusion::ReadMemory;
use tokio::sync::MappedMutexGuard;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::error::Error;
use crate::read::granule_source::{BYTES_READ, GRANULES_READ, ROWS_KEPT};
use crate::read::object_address::ObjectAddress;
use crate::resources::Resources;
use crate::write::commit::Committer;

/// Rows of a batch: few, because rows with all variables are wide and some batches must fit in little memory.
const BATCH_ROWS: usize = 4096;
/// Time between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// The progress of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanProgress {
    /// Granules read.
    pub granules: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Rows of these granules that passed the filters.
    pub rows: u64,
}

/// Runs plans that end with a commit, one at a time.
pub struct Engine {
    context: SessionContext,
    committer: Arc<Committer>,
}

impl Engine {
    /// Creates an engine that commits with `writer`.
    ///
    /// # Errors
    /// When the folder to spill to cannot be used.
    pub fn new(writer: Writer, resources: &Resources) -> Result<Engine> {
        let committer = Arc::new(Committer::new(writer));
        let config = SessionConfig::new()
            .with_target_partitions(resources.threads.max(1))
            .with_batch_size(BATCH_ROWS)
            .with_extension(Arc::new(ReadMemory::share(resources.working_memory(), resources.readers())))
            .with_extension(Arc::clone(&committer));
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(resources.collect_memory())))
            .with_disk_manager_builder(disk_manager(&resources.spill))
            .build_arc()?;
        let context = SessionContext::new_with_config_rt(config, runtime);
        // A filter is recorded as its SQL, not with the content of files that it names.
        register_functions(&context, UserFiles::Closed);
        Ok(Engine { context, committer })
    }

    /// Registers `store` for the bucket of `url`, which is `s3://bucket/key`: granules in that bucket are read from `store` from
    /// now on.
    ///
    /// # Errors
    /// When `url` is not such a URL.
    pub fn register_store(&self, url: &str, store: Arc<dyn ObjectStore>) -> Result<()> {
        let invalid = || DataFusionError::Plan(format!("expected a URL s3://bucket/key, found {url}"));
        let address = ObjectAddress::parse(url).ok_or_else(invalid)?;
        self.context.register_object_store(address.store.as_ref(), store);
        Ok(())
    }

    /// Returns the session state that plans table scans of the engine with up to `partitions` partitions.
    pub(crate) fn state(&self, partitions: usize) -> SessionState {
        let config = self.context.copied_config().with_target_partitions(partitions);
        SessionStateBuilder::new_from_existing(self.context.state()).with_config(config).build()
    }

    /// Returns the writer. Waits until a running plan has committed.
    ///
    /// # Errors
    /// [`Unfinished`](isdb_store::Error::Unfinished) when a renewal has failed.
    pub async fn writer(&self) -> isdb_store::Result<MappedMutexGuard<'_, Writer>> {
        self.committer.writer().await
    }

    /// Takes the database over again: the window that was begun and not committed ends, and a new one can be begun.
    ///
    /// # Errors
    /// When the takeover fails; the engine has no writer then.
    pub async fn renew_writer(&self, now_ms: u64) -> isdb_store::Result<()> {
        self.committer.renew(now_ms).await
    }

    /// Runs `plan` to its commit and returns the ledger rows that it records. `on_progress` is called a few times a second.
    /// Dropping the future drops the window: no part of the window becomes visible, unless its commit has begun.
    ///
    /// # Errors
    /// When the whole window fails: storage fails, or memory runs out. A granule that cannot be read is not an error here, but a
    /// ledger row with its error.
    pub async fn run(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        mut on_progress: impl FnMut(PlanProgress),
    ) -> Result<Vec<LedgerRow>> {
        let mut output = plan.execute(0, self.context.task_ctx())?;
        on_progress(progress(plan));
        let mut clock = interval_at(Instant::now() + PROGRESS_INTERVAL, PROGRESS_INTERVAL);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rows = Vec::new();
        loop {
            tokio::select! {
                _ = clock.tick() => on_progress(progress(plan)),
                batch = output.next() => match batch {
                    Some(batch) => rows.extend(LedgerRow::from_batch(&batch?).map_err(Error::Store)?),
                    None => break,
                },
            }
        }
        on_progress(progress(plan));
        Ok(rows)
    }
}

fn disk_manager(folder: &Path) -> DiskManagerBuilder {
    // Only the free space of the disk limits spilling.
    DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![folder.to_path_buf()]))
        .with_max_temp_directory_size(u64::MAX)
}

fn progress(plan: &Arc<dyn ExecutionPlan>) -> PlanProgress {
    PlanProgress { granules: sum(plan, GRANULES_READ), bytes: sum(plan, BYTES_READ), rows: sum(plan, ROWS_KEPT) }
}

/// Returns the sum of the metric `name` over a plan.
fn sum(plan: &Arc<dyn ExecutionPlan>, name: &str) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name(name)).map_or(0, |value| value.as_usize() as u64);
    own + plan.children().into_iter().map(|child| sum(child, name)).sum::<u64>()
}
