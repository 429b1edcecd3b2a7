//! Bytes of files in blocks, bounded, and the blocks that requests under way will bring: a scan reads the next tiles of a column from a
//! block that it has requested before, and two threads never request the same block.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, Shared};

/// Bytes of a block. A tile of a column has some ten kilobytes, and a box reads a few tiles of each of many files.
pub(super) const BLOCK_BYTES: usize = 64 << 10;
/// Blocks in one request at most.
const RUN_BLOCKS: u64 = 64;

/// A block of a file, by its number; [`WHOLE`] for the whole file.
pub(super) type BlockKey = (Arc<str>, u64);
/// The number of the block that is a whole small file.
pub(super) const WHOLE: u64 = u64::MAX;

/// The bytes that a request will bring; None if it fails.
pub(super) type Answer = Shared<BoxFuture<'static, Option<Bytes>>>;

/// The blocks of immutable files that were used last.
#[derive(Debug)]
pub(super) struct BlockCache {
    limit: usize,
    blocks: Mutex<Blocks>,
}

/// A block of a file.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Kept(Bytes),
    /// It is in the answer to a request for the blocks from this number on.
    Coming(u64, Answer),
}

/// Consecutive blocks of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) path: Arc<str>,
    pub(super) blocks: Range<u64>,
}

#[derive(Debug, Default)]
struct Blocks {
    by_key: HashMap<BlockKey, Slot>,
    /// Bytes of the blocks that are kept.
    bytes: usize,
    /// Blocks that requests will bring.
    coming: u64,
    /// Counts the uses, which orders them.
    clock: u64,
}

#[derive(Debug)]
struct Slot {
    block: Block,
    used: u64,
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

    /// Whether it is a cache of no bytes.
    pub(super) fn keeps_nothing(&self) -> bool {
        self.limit == 0
    }

    /// Whether requests under way will bring as much as one read may add.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().coming * BLOCK_BYTES as u64 >= self.share()
    }

    /// The block `key`, if it is kept.
    pub(super) fn get(&self, key: &BlockKey) -> Option<Bytes> {
        match self.lock().get(key)? {
            Block::Kept(bytes) => Some(bytes),
            Block::Coming(..) => None,
        }
    }

    /// Returns the blocks with these keys, those of a file ascending. `request` begins a request for a run of blocks that are neither kept
    /// nor coming; its end must call [`arrived`](Self::arrived).
    pub(super) fn blocks(
        &self,
        keys: impl Iterator<Item = BlockKey>,
        mut request: impl FnMut(&Run) -> Answer,
    ) -> HashMap<BlockKey, Block> {
        let mut blocks = self.lock();
        let mut found: HashMap<BlockKey, Block> = HashMap::new();
        let mut missing: Vec<Run> = Vec::new();
        for key in keys {
            if found.contains_key(&key) || missing.last().is_some_and(|run| run.contains(&key)) {
                continue;
            }
            match blocks.get(&key) {
                Some(block) => drop(found.insert(key, block)),
                None => match missing.last_mut().filter(|run| run.is_followed_by(&key)) {
                    Some(run) => run.blocks.end += 1,
                    None => missing.push(Run { path: key.0, blocks: key.1..key.1 + 1 }),
                },
            }
        }
        for run in missing {
            let block = Block::Coming(run.blocks.start, request(&run));
            blocks.coming += run.blocks.end - run.blocks.start;
            let used = blocks.clock;
            for number in run.blocks.clone() {
                let key = (Arc::clone(&run.path), number);
                blocks.by_key.insert(key.clone(), Slot { block: block.clone(), used });
                found.insert(key, block.clone());
            }
        }
        found
    }

    /// Keeps the blocks of an answer, or forgets that they were coming.
    pub(super) fn arrived(&self, run: &Run, answer: Option<&Bytes>) {
        let mut blocks = self.lock();
        blocks.coming -= run.blocks.end - run.blocks.start;
        for number in run.blocks.clone() {
            let key = (Arc::clone(&run.path), number);
            blocks.by_key.remove(&key);
            let bytes = answer.map(|answer| block_of(answer, run.blocks.start, number)).unwrap_or_default();
            if !bytes.is_empty() {
                // A copy, so that a block does not keep the whole answer in memory.
                blocks.keep(key, Bytes::copy_from_slice(bytes), self.limit);
            }
        }
    }

    /// Keeps a block, and forgets those that were not used for longest.
    pub(super) fn insert(&self, key: BlockKey, bytes: Bytes) {
        self.lock().keep(key, bytes, self.limit);
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks {
    fn get(&mut self, key: &BlockKey) -> Option<Block> {
        self.clock += 1;
        let slot = self.by_key.get_mut(key)?;
        slot.used = self.clock;
        Some(slot.block.clone())
    }

    fn keep(&mut self, key: BlockKey, bytes: Bytes, limit: usize) {
        self.clock += 1;
        self.bytes += bytes.len();
        let slot = Slot { block: Block::Kept(bytes), used: self.clock };
        if let Some(Slot { block: Block::Kept(old), .. }) = self.by_key.insert(key, slot) {
            self.bytes -= old.len();
        }
        if self.bytes > limit {
            self.shrink(limit);
        }
    }

    /// Forgets blocks until a tenth of the limit is free, so that not every insertion sorts.
    fn shrink(&mut self, limit: usize) {
        let bytes = |slot: &Slot| match &slot.block {
            Block::Kept(bytes) => Some(bytes.len()),
            Block::Coming(..) => None,
        };
        let mut uses: Vec<(u64, usize)> =
            self.by_key.values().filter_map(|slot| Some((slot.used, bytes(slot)?))).collect();
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
        self.by_key.retain(|_, slot| slot.used > last || bytes(slot).is_none());
        self.bytes = self.by_key.values().filter_map(bytes).sum();
    }
}

impl Run {
    fn contains(&self, (path, number): &BlockKey) -> bool {
        self.path == *path && self.blocks.contains(number)
    }

    fn is_followed_by(&self, (path, number): &BlockKey) -> bool {
        self.path == *path && self.blocks.end == *number && self.blocks.end - self.blocks.start < RUN_BLOCKS
    }
}

/// The numbers of the blocks that contain the bytes `range`.
pub(super) fn blocks_of(range: &Range<u64>) -> Range<u64> {
    range.start / BLOCK_BYTES as u64..range.end.div_ceil(BLOCK_BYTES as u64)
}

/// The block `number` in an answer that begins with the block `first`; shorter at the end of the file.
pub(super) fn block_of(answer: &[u8], first: u64, number: u64) -> &[u8] {
    let start = usize::try_from(number - first).unwrap_or(usize::MAX).saturating_mul(BLOCK_BYTES).min(answer.len());
    answer.get(start..answer.len().min(start + BLOCK_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn key(number: u64) -> BlockKey {
        (Arc::<str>::from("a0.tdb"), number)
    }

    #[test]
    fn what_was_used_last_is_kept_within_the_limit() {
        let cache = BlockCache::new(1_000);
        for number in 0..50 {
            cache.insert(key(number), Bytes::from(vec![0; 100]));
            assert!(cache.get(&key(0)).is_some(), "block 0 is used all the time");
            assert!(cache.lock().bytes <= 1_000);
        }
        assert!(cache.get(&key(49)).is_some() && cache.get(&key(1)).is_none());
    }

    #[test]
    fn a_block_is_requested_once_and_with_its_neighbours() {
        let cache = BlockCache::new(10 << 20);
        let mut runs = Vec::new();
        let answer = Bytes::from(vec![7; 3 * BLOCK_BYTES / 2]);
        let mut blocks = |numbers: &[u64]| {
            cache.blocks(numbers.iter().copied().map(key), |run| {
                runs.push(run.blocks.clone());
                let answer = answer.clone();
                async move { Some(answer) }.boxed().shared()
            })
        };
        assert_eq!(blocks(&[3, 4, 4, 9]).len(), 3);
        let again = blocks(&[3, 4, 5]);
        assert_eq!(runs, [3..5, 9..10, 5..6]);
        assert!(matches!(again[&key(4)], Block::Coming(3, _)));

        cache.arrived(&Run { path: key(3).0, blocks: 3..5 }, Some(&answer));
        assert_eq!(cache.get(&key(3)).unwrap().len(), BLOCK_BYTES);
        assert_eq!(cache.get(&key(4)).unwrap().len(), BLOCK_BYTES / 2, "the file ends in it");
        cache.arrived(&Run { path: key(9).0, blocks: 9..10 }, None);
        assert_eq!(cache.get(&key(9)), None);
        assert_eq!(cache.lock().coming, 1, "block 5");
    }
}
