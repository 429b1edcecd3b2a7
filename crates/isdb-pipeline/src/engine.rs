//! The engine that runs plans which write: a DataFusion session with a limit on its memory, a place to spill to, and the
//! database's one writer.

use std::path::{Path, PathBuf};
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
use isdb_store::{LedgerRow, Writer};
use object_store::ObjectStore;
use tokio::sync::MutexGuard;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::Error;
use crate::filter::quality::ROWS_KEPT;
use crate::read::granule_source::{BYTES_READ, GRANULES_READ};
use crate::read::remote::Place;
use crate::write::commit::Committer;
use isdb_query::register_functions;
use tiledb_datafusion::ReadMemory;

/// No fragment is made larger, in bytes of Arrow memory: large enough to be few.
const MOST_FRAGMENT_BYTES: usize = 256 << 20;
/// A fragment takes its memory so many times: the rows of the two that are written at a time, the few columns of theirs that are made
/// into tiles, and the rows of the next one.
const WRITING_COSTS: usize = 4;
/// A granule that is decoded takes at most this much: its columns, and half as much again for what the filters keep of them and what
/// is on its way.
const GRANULE_BYTES: usize = isdb_granule::MOST_DECODED_BYTES / 2 * 3;
/// Cores that one writer keeps busy, since libtiledb compresses the columns of a fragment side by side. Fewer writers make
/// fragments that lie less over each other.
const CORES_OF_WRITER: usize = 4;
/// Rows of a batch. Those of all variables are wide, and little memory must have room for some batches at least.
const BATCH_ROWS: usize = 4096;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// What an engine may use.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Cores.
    pub threads: usize,
    /// Bytes of memory for decoded granules, gathered rows and fragments. What does not fit is spilled.
    pub memory: usize,
    /// The folder to spill to; it must exist.
    pub spill: PathBuf,
}

impl Resources {
    /// What rows may take that wait for those of their chunk.
    fn gathering(&self) -> usize {
        self.memory / 4
    }

    /// What is left for granules that are decoded, and after them for fragments that are written.
    fn working(&self) -> usize {
        self.memory - self.gathering()
    }

    /// When the rows of a fragment are enough, in bytes of Arrow memory.
    #[must_use]
    pub fn fragment_bytes(&self) -> usize {
        (self.working() / WRITING_COSTS).min(MOST_FRAGMENT_BYTES)
    }

    /// How many granules are decoded at a time: no more than there is memory for. Cores beyond them inflate chunks of one granule
    /// side by side.
    #[must_use]
    pub fn readers(&self) -> usize {
        (self.working() / GRANULE_BYTES).clamp(1, self.threads.max(1))
    }

    /// How many threads libtiledb adds to those that call it. It makes as many compressors for each tile as it has threads, and each
    /// asks the processor what it can, for which a virtual machine stops: few are faster.
    fn helpers(&self) -> usize {
        (self.threads / 2).max(1)
    }

    /// How many write about `bytes` of rows: no more than there are fragments to fill, since each makes at least one.
    #[must_use]
    pub fn writers(&self, bytes: u64) -> usize {
        let fragments = usize::try_from(bytes).unwrap_or(usize::MAX) / self.fragment_bytes().max(1);
        let affordable = self.working() / (WRITING_COSTS * self.fragment_bytes().max(1));
        fragments.min(affordable).min(self.threads / CORES_OF_WRITER).max(1)
    }
}

/// How far a plan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Granules read.
    pub granules: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Rows of theirs that have passed the filters.
    pub rows: u64,
}

/// Runs plans that end in a commit, one after the other.
pub struct Engine {
    context: SessionContext,
    committer: Arc<Committer>,
}

impl Engine {
    /// An engine that commits with `writer`.
    ///
    /// # Errors
    /// When the folder to spill to cannot be used, or libtiledb gets no threads.
    pub fn new(writer: Writer, resources: &Resources) -> Result<Engine> {
        let helpers = resources.helpers().to_string();
        let threads =
            ["sm.compute_concurrency_level", "sm.io_concurrency_level"].map(|level| (level, helpers.as_str()));
        let tiledb = tiledb::Context::new(threads).map_err(isdb_store::Error::from).map_err(Error::from)?;
        let committer = Arc::new(Committer(writer.into()));
        let config = SessionConfig::new()
            .with_target_partitions(resources.threads.max(1))
            .with_batch_size(BATCH_ROWS)
            .with_extension(Arc::new(tiledb))
            .with_extension(Arc::new(ReadMemory::share(resources.working(), resources.readers())))
            .with_extension(Arc::clone(&committer));
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(resources.gathering())))
            .with_disk_manager_builder(spilling_to(&resources.spill))
            .build_arc()?;
        let context = SessionContext::new_with_config_rt(config, runtime);
        register_functions(&context);
        Ok(Engine { context, committer })
    }

    /// Granules at `url`, which is `s3://bucket/` or below, are read from `store` from now on.
    ///
    /// # Errors
    /// When `url` is no URL.
    pub fn register_store(&self, url: &str, store: Arc<dyn ObjectStore>) -> Result<()> {
        let place = Place::parse(url).ok_or_else(|| DataFusionError::Plan(format!("{url} is no s3://bucket/key")))?;
        self.context.register_object_store(place.store.as_ref(), store);
        Ok(())
    }

    /// The state in which tables of the engine are planned, in up to `partitions` parts.
    pub(crate) fn state(&self, partitions: usize) -> SessionState {
        let config = self.context.copied_config().with_target_partitions(partitions);
        SessionStateBuilder::new_from_existing(self.context.state()).with_config(config).build()
    }

    /// The writer, when no plan runs.
    pub async fn writer(&self) -> MutexGuard<'_, Writer> {
        self.committer.0.lock().await
    }

    /// Runs `plan` to its commit and gives back the ledger rows that it recorded. `pace` hears a few times a second how far it is.
    /// Dropping the future drops the window: nothing of it is visible then, unless its commit was being made.
    ///
    /// # Errors
    /// Whatever ends the whole window: storage that fails, memory that runs out. A granule that cannot be read is no error here,
    /// but a ledger row that says so.
    pub async fn run(&self, plan: &Arc<dyn ExecutionPlan>, mut pace: impl FnMut(Pace)) -> Result<Vec<LedgerRow>> {
        let mut output = plan.execute(0, self.context.task_ctx())?;
        let mut clock = interval(TELL_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rows = Vec::new();
        loop {
            tokio::select! {
                batch = output.next() => match batch {
                    Some(batch) => rows.extend(LedgerRow::from_batch(&batch?).map_err(Error::Store)?),
                    None => break,
                },
                _ = clock.tick() => pace(pace_of(plan)),
            }
        }
        pace(pace_of(plan));
        Ok(rows)
    }
}

fn spilling_to(folder: &Path) -> DiskManagerBuilder {
    // The disk itself is the limit.
    DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![folder.to_path_buf()]))
        .with_max_temp_directory_size(u64::MAX)
}

fn pace_of(plan: &Arc<dyn ExecutionPlan>) -> Pace {
    Pace { granules: sum(plan, GRANULES_READ), bytes: sum(plan, BYTES_READ), rows: sum(plan, ROWS_KEPT) }
}

/// The sum of the metric `name` over a plan.
fn sum(plan: &Arc<dyn ExecutionPlan>, name: &str) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name(name)).map_or(0, |value| value.as_usize() as u64);
    own + plan.children().into_iter().map(|child| sum(child, name)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(threads: usize, memory: usize) -> Resources {
        Resources { threads, memory, spill: PathBuf::new() }
    }

    #[test]
    fn little_to_write_makes_one_fragment_and_not_one_for_each_core() {
        assert_eq!(resources(32, 16 << 30).writers(20 << 20), 1);
        assert_eq!(resources(32, 32 << 30).writers(16 << 30), 8);
    }

    #[test]
    fn more_cores_take_no_more_memory_than_there_is() {
        for threads in [1, 2, 16, 64] {
            for memory in [256 << 20, 512 << 20, 2 << 30, 64_usize << 30] {
                let resources = resources(threads, memory);
                let (writers, readers) = (resources.writers(u64::MAX), resources.readers());
                assert!(writers == 1 || writers * WRITING_COSTS * resources.fragment_bytes() <= resources.working());
                assert!(readers == 1 || readers * GRANULE_BYTES <= resources.working());
            }
        }
    }
}
