//! Memory limits of a session. Three quarters of the memory are for DataFusion's operators, which spill to disk what does not fit; the
//! rest is for reads, which decode some tiles at a time, and for the metadata of fragments, which a database keeps for all of them.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use tiledb_datafusion::ReadMemory;

/// Minimum memory of a session in bytes: sorts of wide rows need space for one batch of each core.
pub const MIN_QUERY_MEMORY: usize = 64 << 20;

/// Bytes of the metadata of some thousand fragments, beyond which more memory for them gains nothing.
const MOST_METADATA: usize = 256 << 20;

/// Number of operators that an out-of-memory error names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
/// Bytes of a row with all variables, as it passes between operators.
const WIDE_ROW: usize = 1_300;
/// Batches that fit in the memory of one partition of an operator. A sort counts each twice, and merges several.
const BUFFERED_BATCHES: usize = 24;
/// Rows of a batch. Smaller batches cost more time than the memory that they save is worth; the upper end is DataFusion's default.
const BATCH_ROWS: std::ops::RangeInclusive<usize> = 256..=8_192;
/// Bytes that DataFusion reserves in each partition of a sort for merging spilled rows; less if memory is short.
const MERGE_RESERVE: usize = 10 << 20;

/// Memory and disk that a session may use.
#[derive(Clone, Debug)]
pub struct QueryResources {
    /// Approximate memory for the rows of queries, in bytes.
    pub memory: usize,
    /// Existing folder for spilled rows.
    pub temp: PathBuf,
}

impl QueryResources {
    /// Returns the bytes for sorts, aggregates and joins. The rest is for reads.
    fn operator_memory(&self) -> usize {
        self.memory - self.memory / 4
    }

    /// Returns the bytes of the metadata of fragments that a database may keep in memory between reads. They outlive a statement, and so
    /// are in no pool.
    #[must_use]
    pub fn metadata_memory(&self) -> usize {
        (self.memory / 16).min(MOST_METADATA)
    }

    /// Returns the memory of the reads of a scan in `partitions` partitions.
    fn read_memory(&self, partitions: usize) -> ReadMemory {
        ReadMemory::share(self.memory / 4 - self.metadata_memory(), partitions)
    }

    /// Sets batch size, sort reservation and read memory in `config`.
    pub(crate) fn apply_to(&self, mut config: SessionConfig) -> SessionConfig {
        let partitions = config.target_partitions().max(1);
        let options = &mut config.options_mut().execution;
        options.sort_spill_reservation_bytes = MERGE_RESERVE.min(self.operator_memory() / partitions / 4);
        let rows = self.operator_memory() / partitions / BUFFERED_BATCHES / WIDE_ROW;
        let config = config.with_batch_size(rows.clamp(*BATCH_ROWS.start(), *BATCH_ROWS.end()));
        config.with_extension(Arc::new(self.read_memory(partitions)))
    }

    /// Creates a runtime whose memory pool and spill folder have these limits.
    ///
    /// # Errors
    /// When the folder to spill to cannot be used.
    pub(crate) fn runtime(&self) -> Result<Arc<RuntimeEnv>> {
        let pool = TrackConsumersPool::new(FairSpillPool::new(self.operator_memory()), NAMED_CONSUMERS);
        // Only the free space of the disk limits spilling.
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![self.temp.clone()]))
            .with_max_temp_directory_size(u64::MAX);
        RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).with_disk_manager_builder(disk).build_arc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reads_of_a_scan_and_the_operators_together_stay_within_the_memory() {
        for memory in [MIN_QUERY_MEMORY, 1 << 30, 64 << 30] {
            for partitions in [1, 2, 16, 128] {
                let resources = QueryResources { memory, temp: PathBuf::new() };
                let reads = resources.read_memory(partitions).bytes() * partitions;
                let rest = memory / 4 - resources.metadata_memory();
                assert!(reads <= rest.max(ReadMemory::MIN * partitions), "{memory} {partitions}");
                let config = resources.apply_to(SessionConfig::new().with_target_partitions(partitions));
                let reserved = config.options().execution.sort_spill_reservation_bytes * partitions;
                assert!(
                    reserved <= resources.operator_memory() / 4,
                    "{memory} {partitions}: sorts have memory beside the reservation"
                );
            }
        }
    }
}
