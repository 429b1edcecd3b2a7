//! Memory of the reads of arrays, and its reservation.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool, MemoryReservation};
use tiledb::Reader;

/// The memory of the reads that run at the same time. Set it as an extension of the session's config
/// ([`SessionConfig::with_extension`](datafusion::prelude::SessionConfig::with_extension)): then reads by tile reserve the bytes of their
/// steps there, so that operators, which hold what they have as long as they can, leave none of it to wait for. Without it they reserve
/// them in the pool of the runtime, and libtiledb has its own default budget.
#[derive(Clone, Debug)]
pub struct ReadMemory {
    pool: Arc<dyn MemoryPool>,
    share: usize,
}

impl ReadMemory {
    /// The minimum number of bytes of one read: one tile of each column has to fit, and tiles have 10,000 cells by default.
    pub const MIN: usize = 32 << 20;

    /// Divides `memory` bytes between `reads` that run at the same time; each has at least [`MIN`](Self::MIN).
    #[must_use]
    pub fn share(memory: usize, reads: usize) -> ReadMemory {
        let share = (memory / reads.max(1)).max(Self::MIN);
        ReadMemory { pool: Arc::new(GreedyMemoryPool::new(memory.max(share.saturating_mul(reads)))), share }
    }

    /// The bytes of one read.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.share
    }

    /// Returns the maximum size of one batch in bytes, small compared with the tiles from which it is copied.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.share / 32
    }
}

/// The reservation of one read by tile. Between its steps it is what the read keeps, so that as many steps fit as run at a time, however
/// many scans a statement has.
#[derive(Debug)]
pub(crate) struct StepMemory {
    reservation: MemoryReservation,
    uri: String,
}

impl StepMemory {
    /// Nothing yet, for a read of the array at `uri`: of `memory`, or of the runtime's pool.
    pub(crate) fn new(memory: Option<&ReadMemory>, runtime: &Arc<dyn MemoryPool>, uri: &str) -> Self {
        let pool = memory.map_or(runtime, |memory| &memory.pool);
        Self { reservation: MemoryConsumer::new("TileDbScan").register(pool), uri: uri.to_owned() }
    }

    /// Reserves the memory of the next step of `reader`, and makes the step smaller until it fits.
    ///
    /// # Errors
    /// [`DataFusionError::ResourcesExhausted`] when memory is too short for a single tile of each column.
    pub(crate) fn reserve(&self, reader: &mut Reader) -> Result<()> {
        loop {
            let bytes = reader.step_memory();
            if bytes <= self.reservation.size() || self.reservation.try_resize(bytes).is_ok() {
                return Ok(());
            }
            if !reader.halve_step() {
                let text = format!("expected {bytes} bytes of memory for one tile of each column of {}", self.uri);
                return Err(DataFusionError::ResourcesExhausted(format!("{text}, found less")));
            }
        }
    }

    /// Gives back what `reader` does not keep until its next step.
    pub(crate) fn release(&self, reader: &Reader) {
        self.reservation.resize(reader.kept_memory());
    }

    /// Gives everything back.
    pub(crate) fn free(&self) {
        self.reservation.free();
    }
}
