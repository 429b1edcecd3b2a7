//! Threads and memory of an engine, and how they are shared between its operators.

use std::path::PathBuf;

/// Maximum size of a fragment, in bytes of Arrow memory. It is large, so that there are few fragments.
const MAX_FRAGMENT_BYTES: usize = 256 << 20;
/// Memory of a writer, in fragments: the rows of the two fragments that are being written, the few of their columns that are being
/// turned into tiles, and the rows of the next fragment.
const FRAGMENTS_PER_WRITER: usize = 4;
/// Maximum memory of a granule that is being decoded: its columns, and half of that again for the rows that the filters keep and
/// the batches between operators.
const GRANULE_BYTES: usize = isdb_granule::MAX_DECODED_BYTES / 2 * 3;
/// Cores that one writer keeps busy, because libtiledb compresses the columns of a fragment in parallel. With fewer writers,
/// fragments overlap less.
const CORES_PER_WRITER: usize = 4;

/// Threads, memory and disk of an engine.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Threads.
    pub threads: usize,
    /// Bytes of memory for decoded granules, gathered rows and fragments. Rows that do not fit are spilled.
    pub memory: usize,
    /// The folder to spill to; it must exist.
    pub spill: PathBuf,
}

impl Resources {
    /// Returns the memory for the rows that the gather operator collects.
    pub(crate) fn gather_memory(&self) -> usize {
        self.memory / 4
    }

    /// Returns the remaining memory: for granules while they are decoded, afterwards for fragments while they are written.
    pub(crate) fn working_memory(&self) -> usize {
        self.memory - self.gather_memory()
    }

    /// Returns the bytes of Arrow memory at which a fragment is full.
    #[must_use]
    pub fn fragment_bytes(&self) -> usize {
        (self.working_memory() / FRAGMENTS_PER_WRITER).min(MAX_FRAGMENT_BYTES)
    }

    /// Returns the number of granules that are decoded at a time, which memory limits. Additional threads inflate HDF5 chunks of
    /// these granules.
    #[must_use]
    pub fn readers(&self) -> usize {
        (self.working_memory() / GRANULE_BYTES).clamp(1, self.threads.max(1))
    }

    /// Returns the number of writers for about `bytes` of rows: no more than there are fragments to fill, because each writes at
    /// least one.
    #[must_use]
    pub fn writers(&self, bytes: u64) -> usize {
        let fragments = usize::try_from(bytes).unwrap_or(usize::MAX) / self.fragment_bytes().max(1);
        let affordable = self.working_memory() / (FRAGMENTS_PER_WRITER * self.fragment_bytes().max(1));
        fragments.min(affordable).min(self.threads / CORES_PER_WRITER).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(threads: usize, memory: usize) -> Resources {
        Resources { threads, memory, spill: PathBuf::new() }
    }

    #[test]
    fn a_small_window_has_one_writer_for_any_number_of_threads() {
        assert_eq!(resources(32, 16 << 30).writers(20 << 20), 1);
        assert_eq!(resources(32, 32 << 30).writers(16 << 30), 8);
    }

    #[test]
    fn readers_and_writers_stay_within_the_memory_for_any_number_of_threads() {
        for threads in [1, 2, 16, 64] {
            for memory in [256 << 20, 512 << 20, 2 << 30, 64_usize << 30] {
                let resources = resources(threads, memory);
                let (writers, readers) = (resources.writers(u64::MAX), resources.readers());
                assert!(
                    writers == 1
                        || writers * FRAGMENTS_PER_WRITER * resources.fragment_bytes() <= resources.working_memory()
                );
                assert!(readers == 1 || readers * GRANULE_BYTES <= resources.working_memory());
            }
        }
    }
}
