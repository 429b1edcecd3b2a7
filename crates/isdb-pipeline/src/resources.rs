//! Threads and memory of an engine, and how they are shared between its operators.

use std::path::PathBuf;

/// Maximum size of a fragment, in bytes of Arrow memory. It is large, so that there are few fragments.
const MAX_FRAGMENT_BYTES: usize = 512 << 20;
/// Bytes of a row, divided by those of its widest column: a profile of 18 heights. While a fragment is written, as many columns as there
/// are threads are in memory, and the order of its rows, which takes at most as much as another column.
const COLUMN_SHARE: usize = 8;
/// Maximum memory of a granule that is being decoded: its columns, and half of that again for the rows that the filters keep and
/// the batches between operators.
const GRANULE_BYTES: usize = isdb_granule::MAX_DECODED_BYTES / 2 * 3;
/// Cores that one writer keeps busy. It encodes columns in parallel, but collects rows on one thread.
const CORES_PER_WRITER: usize = 8;

/// Threads, memory and disk of an engine.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Threads.
    pub threads: usize,
    /// Bytes of memory for decoded granules, collected rows and fragments. Rows that do not fit are spilled.
    pub memory: usize,
    /// The folder to spill to; it must exist.
    pub spill: PathBuf,
}

impl Resources {
    /// Returns the memory for rows that wait until their window is complete.
    pub(crate) fn collect_memory(&self) -> usize {
        self.memory / 8
    }

    /// Returns the remaining memory: for granules while they are decoded, afterwards for fragments while they are written.
    pub(crate) fn working_memory(&self) -> usize {
        self.memory - self.collect_memory()
    }

    /// Returns the bytes of Arrow memory at which a fragment is full. Only some of its columns are in memory at a time.
    #[must_use]
    pub fn fragment_bytes(&self) -> usize {
        let columns_in_memory = (self.threads.max(1) + 1).min(COLUMN_SHARE + 1);
        (self.working_memory() / columns_in_memory * COLUMN_SHARE).min(MAX_FRAGMENT_BYTES)
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
        let affordable = self.working_memory() / self.fragment_bytes().max(1);
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
        assert_eq!(resources(32, 32 << 30).writers(16 << 30), 4);
    }

    #[test]
    fn readers_and_writers_stay_within_the_memory_for_any_number_of_threads() {
        for threads in [1, 2, 16, 64] {
            for memory in [256 << 20, 512 << 20, 2 << 30, 64_usize << 30] {
                let resources = resources(threads, memory);
                let (writers, readers) = (resources.writers(u64::MAX), resources.readers());
                assert!(
                    writers == 1 || writers * resources.fragment_bytes() <= resources.working_memory(),
                    "{writers} writers"
                );
                assert!(readers == 1 || readers * GRANULE_BYTES <= resources.working_memory());
            }
        }
    }
}
