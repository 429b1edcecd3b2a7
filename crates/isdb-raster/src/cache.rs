//! The chunks that were used last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::chunk::Chunk;

/// Bytes of the chunks that are kept: enough for a row of tiles of 256 pixels through an image of 64,000 columns.
const MOST_BYTES: usize = 64 << 20;

/// Decoded chunks by number. The chunk that was used longest ago is removed first.
#[derive(Default)]
pub(crate) struct ChunkCache {
    chunks: HashMap<u32, (u64, Arc<Chunk>)>,
    /// The numbers of the chunks by their last use.
    by_use: BTreeMap<u64, u32>,
    uses: u64,
    bytes: usize,
}

impl ChunkCache {
    pub(crate) fn get(&mut self, number: u32) -> Option<Arc<Chunk>> {
        let (used, chunk) = self.chunks.get_mut(&number)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.by_use.insert(self.uses, number);
        Some(Arc::clone(chunk))
    }

    pub(crate) fn insert(&mut self, number: u32, chunk: &Arc<Chunk>) {
        self.uses += 1;
        self.bytes += chunk.bytes();
        self.by_use.insert(self.uses, number);
        if let Some((used, replaced)) = self.chunks.insert(number, (self.uses, Arc::clone(chunk))) {
            self.by_use.remove(&used);
            self.bytes -= replaced.bytes();
        }
        while self.bytes > MOST_BYTES {
            let Some((_, oldest)) = self.by_use.pop_first() else { return };
            if let Some((_, removed)) = self.chunks.remove(&oldest) {
                self.bytes -= removed.bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tiff::decoder::DecodingResult;

    use super::*;

    #[test]
    fn the_chunk_that_was_used_longest_ago_leaves_first() {
        let chunk = || Arc::new(Chunk::Stored(DecodingResult::U8(vec![0; MOST_BYTES / 3])));
        let mut cache = ChunkCache::default();
        for number in 0..3 {
            cache.insert(number, &chunk());
        }
        assert!(cache.get(0).is_some());
        cache.insert(3, &chunk());
        let kept: Vec<u32> = (0..4).filter(|number| cache.get(*number).is_some()).collect();
        assert_eq!(kept, [0, 2, 3]);
        cache.insert(3, &chunk());
        assert_eq!((cache.chunks.len(), cache.by_use.len(), cache.bytes), (3, 3, MOST_BYTES / 3 * 3));
    }
}
