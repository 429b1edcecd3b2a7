//! Bytes of files in blocks, bounded: a scan reads the next tiles of a column from the block that an earlier step has requested, and a
//! query the tiles of an earlier one.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes of a block. A request costs as much time as the transfer of a few hundred kilobytes; a tile of a column has some ten.
pub(super) const BLOCK_BYTES: usize = 256 << 10;

/// A block of a file, by its number; [`WHOLE`] for the whole file.
pub(super) type BlockKey = (Arc<str>, u64);
/// The number of the block that is a whole small file.
pub(super) const WHOLE: u64 = u64::MAX;

/// The blocks of immutable files that were used last.
#[derive(Debug)]
pub(super) struct BlockCache {
    limit: usize,
    blocks: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    by_key: HashMap<BlockKey, (Bytes, u64)>,
    bytes: usize,
    /// Counts the uses, which orders them.
    clock: u64,
}

impl BlockCache {
    /// A cache of at most about `limit` bytes.
    pub(super) fn new(limit: usize) -> BlockCache {
        BlockCache { limit, blocks: Mutex::default() }
    }

    /// The most bytes that one read may add: more would push out what the next read needs.
    pub(super) fn share(&self) -> u64 {
        self.limit as u64 / 4
    }

    /// The block `key`, if it is cached.
    pub(super) fn get(&self, key: &BlockKey) -> Option<Bytes> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.clock += 1;
        let clock = blocks.clock;
        let (bytes, used) = blocks.by_key.get_mut(key)?;
        *used = clock;
        Some(bytes.clone())
    }

    /// Keeps a block, and forgets those that were not used for longest.
    pub(super) fn insert(&self, key: BlockKey, bytes: Bytes) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.clock += 1;
        let used = blocks.clock;
        blocks.bytes += bytes.len();
        if let Some((old, _)) = blocks.by_key.insert(key, (bytes, used)) {
            blocks.bytes -= old.len();
        }
        if blocks.bytes > self.limit {
            blocks.shrink(self.limit);
        }
    }
}

impl Blocks {
    /// Forgets blocks until a tenth of the limit is free, so that not every insertion sorts.
    fn shrink(&mut self, limit: usize) {
        let mut uses: Vec<(u64, usize)> = self.by_key.values().map(|(bytes, used)| (*used, bytes.len())).collect();
        uses.sort_unstable();
        let mut left = self.bytes;
        let mut last = 0;
        for (used, bytes) in uses {
            if left <= limit / 10 * 9 {
                break;
            }
            left -= bytes;
            last = used;
        }
        self.by_key.retain(|_, (_, used)| *used > last);
        self.bytes = left;
    }
}

/// The numbers of the blocks that contain the bytes `range`.
pub(super) fn blocks_of(range: &Range<u64>) -> Range<u64> {
    range.start / BLOCK_BYTES as u64..range.end.div_ceil(BLOCK_BYTES as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept_within_the_limit() {
        let cache = BlockCache::new(1_000);
        let key = |number| (Arc::<str>::from("a0.tdb"), number);
        for number in 0..50 {
            cache.insert(key(number), Bytes::from(vec![0; 100]));
            assert!(cache.get(&key(0)).is_some(), "block 0 is used all the time");
            assert!(cache.blocks.lock().unwrap().bytes <= 1_000);
        }
        assert!(cache.get(&key(49)).is_some() && cache.get(&key(1)).is_none());
    }
}
