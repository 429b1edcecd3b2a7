//! Queries within bounds: how the memory that a session may use is shared out between DataFusion's operators, which spill to disk
//! what does not fit, and libtiledb, which reads in smaller pieces then.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use tiledb_datafusion::ReadMemory;

/// The least memory of a session: below it sorts of wide rows have no room for one batch of each core.
pub const LEAST_QUERY_MEMORY: usize = 64 << 20;

/// Operators that an error of memory names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
/// Bytes of a row of all variables, on its way between operators.
const WIDE_ROW: usize = 1_300;
/// Batches that a partition of an operator has room for. A sort counts each twice, and merges several.
const BATCHES_HELD: usize = 16;
/// Rows of a batch: fewer cost more than they help; more than DataFusion's own never.
const BATCH_ROWS: std::ops::RangeInclusive<usize> = 256..=8_192;
/// What DataFusion keeps free in each partition of a sort, to merge what was spilled, unless memory is short.
const MERGE_RESERVE: usize = 10 << 20;

/// What a session may use.
#[derive(Clone, Debug)]
pub struct QueryResources {
    /// Bytes of memory for the rows of queries, about.
    pub memory: usize,
    /// The folder to spill to.
    pub temp: PathBuf,
}

impl QueryResources {
    /// For sorts, aggregates and joins. The other half is for reads.
    fn operators(&self) -> usize {
        self.memory / 2
    }

    /// For each of the reads of a scan in `partitions` parts.
    fn read(&self, partitions: usize) -> ReadMemory {
        ReadMemory::share(self.memory / 2, partitions)
    }

    /// `config` within these bounds.
    pub(crate) fn bound(&self, mut config: SessionConfig) -> SessionConfig {
        let partitions = config.target_partitions().max(1);
        let options = &mut config.options_mut().execution;
        options.sort_spill_reservation_bytes = MERGE_RESERVE.min(self.operators() / partitions / 4);
        let rows = self.operators() / partitions / BATCHES_HELD / WIDE_ROW;
        let config = config.with_batch_size(rows.clamp(*BATCH_ROWS.start(), *BATCH_ROWS.end()));
        config.with_extension(Arc::new(self.read(partitions)))
    }

    /// A runtime within these bounds.
    ///
    /// # Errors
    /// When there is no folder to spill to.
    pub(crate) fn runtime(&self) -> Result<Arc<RuntimeEnv>> {
        let pool = TrackConsumersPool::new(FairSpillPool::new(self.operators()), CONSUMERS_NAMED);
        // The disk itself is the limit.
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
    fn all_reads_of_a_scan_and_the_operators_together_stay_within_the_memory() {
        for memory in [LEAST_QUERY_MEMORY, 1 << 30, 64 << 30] {
            for partitions in [1, 2, 16, 128] {
                let resources = QueryResources { memory, temp: PathBuf::new() };
                let ReadMemory(read) = resources.read(partitions);
                let reads = usize::try_from(read).unwrap() * partitions;
                assert!(reads <= (memory / 2).max(ReadMemory::LEAST * partitions), "{memory} {partitions}");
                let config = resources.bound(SessionConfig::new().with_target_partitions(partitions));
                let reserved = config.options().execution.sort_spill_reservation_bytes * partitions;
                assert!(reserved <= resources.operators() / 4, "{memory} {partitions}: sorts have room besides");
            }
        }
    }
}
