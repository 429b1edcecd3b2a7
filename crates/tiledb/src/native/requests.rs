//! Columns and tiles as ranges of files, and the bytes read of them.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tiledb_format::Pipeline;

use super::storage::{FileRange, Storage};

/// Two tiles are read together if at most this many bytes are between them.
const GAP: u64 = 64 << 10;
/// After this many reads, buffers that are far larger than those needed are freed. A step of a scan is up to two reads.
const TRIMMED_EVERY: u32 = 16;

/// The tiles of one file.
#[derive(Debug)]
pub(super) struct FileTiles {
    /// The path below the array's folder.
    pub(super) path: Arc<str>,
    /// Where each tile starts, and the end of the last one. Ascending.
    pub(super) bounds: Vec<u64>,
    /// How the tiles are compressed.
    pub(super) pipeline: Arc<Pipeline>,
}

/// Where the bytes of a tile are among those read.
#[derive(Clone, Debug)]
pub(super) struct TileBytes {
    buffer: usize,
    range: Range<usize>,
}

/// Ranges to read together, and their bytes. Reused from read to read, so that buffers are allocated once.
#[derive(Debug, Default)]
pub(super) struct Requests {
    ranges: Vec<FileRange>,
    buffers: Vec<Vec<u8>>,
    /// The longest range of each buffer since buffers were last freed.
    needed: Vec<usize>,
    /// Reads since then.
    reads: u32,
}

impl Requests {
    /// Forgets all ranges, but keeps the memory.
    pub(super) fn clear(&mut self) {
        self.ranges.clear();
    }

    /// The ranges.
    pub(super) fn ranges(&self) -> &[FileRange] {
        &self.ranges
    }

    /// The bytes of all ranges.
    pub(super) fn total_bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.length as u64).fold(0, u64::saturating_add)
    }

    /// Adds the tiles at `tiles`, ascending, of a file; returns where each will be. Tiles close to each other are one range.
    pub(super) fn add(&mut self, file: &FileTiles, tiles: &[usize]) -> Vec<TileBytes> {
        let mut places = Vec::with_capacity(tiles.len());
        let mut current: Option<(u64, u64)> = None;
        for tile in tiles {
            let bounds = file.bounds.get(*tile).zip(file.bounds.get(*tile + 1));
            let (start, end) = bounds.map_or((0, 0), |(start, end)| (*start, *end));
            let (from, to) = match current {
                Some((from, to)) if start <= to + GAP => (from, end),
                Some((from, to)) => {
                    self.push(file, from, to);
                    (start, end)
                }
                None => (start, end),
            };
            current = Some((from, to));
            let offset = |at: u64| usize::try_from(at - from).unwrap_or(usize::MAX);
            places.push(TileBytes { buffer: self.ranges.len(), range: offset(start)..offset(end) });
        }
        if let Some((from, to)) = current {
            self.push(file, from, to);
        }
        places
    }

    fn push(&mut self, file: &FileTiles, start: u64, end: u64) {
        let length = usize::try_from(end - start).unwrap_or(usize::MAX);
        self.ranges.push(FileRange { path: Arc::clone(&file.path), start, length });
    }

    /// Reads all ranges.
    pub(super) fn read(&mut self, storage: &dyn Storage) -> Result<(), (Arc<str>, io::Error)> {
        self.trim();
        if self.buffers.len() < self.ranges.len() {
            self.buffers.resize_with(self.ranges.len(), Vec::new);
            self.needed.resize(self.ranges.len(), 0);
        }
        for (needed, range) in self.needed.iter_mut().zip(&self.ranges) {
            *needed = range.length.max(*needed);
        }
        let buffers = self.buffers.get_mut(..self.ranges.len()).unwrap_or_default();
        storage.read_ranges(&self.ranges, buffers)
    }

    /// Frees the buffers of which the last reads needed less than half. One wide column must not cost its memory until the end of a read,
    /// nor be allocated again in each step.
    fn trim(&mut self) {
        self.reads += 1;
        if self.reads < TRIMMED_EVERY {
            return;
        }
        self.reads = 0;
        for (buffer, needed) in self.buffers.iter_mut().zip(&mut self.needed) {
            if buffer.capacity() / 2 > *needed {
                *buffer = Vec::new();
            }
            *needed = 0;
        }
    }

    /// Bytes of the buffers that are kept for the next read.
    pub(super) fn kept(&self) -> usize {
        self.buffers.iter().map(Vec::capacity).sum()
    }

    /// Returns the bytes of a tile.
    pub(super) fn bytes(&self, place: &TileBytes) -> &[u8] {
        self.buffers.get(place.buffer).and_then(|buffer| buffer.get(place.range.clone())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose byte at each offset is the offset's last byte.
    #[derive(Debug)]
    struct Counting;

    impl Storage for Counting {
        fn read(&self, _: &str) -> io::Result<Vec<u8>> {
            Ok(Vec::new())
        }

        fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
            for (range, buffer) in ranges.iter().zip(buffers) {
                buffer.clear();
                buffer.extend((range.start..).take(range.length).map(|at| at.to_le_bytes()[0]));
            }
            Ok(())
        }
    }

    /// A read of a wide column holds its memory only while it is read.
    #[test]
    fn a_buffer_that_is_no_longer_needed_is_freed_and_one_that_is_needed_in_turns_is_kept() {
        let file = |end: u64| FileTiles { path: "a0.tdb".into(), bounds: vec![0, end], pipeline: Arc::default() };
        let mut requests = Requests::default();
        let mut read = |length: u64| {
            requests.clear();
            requests.add(&file(length), &[0]);
            requests.read(&Counting).unwrap();
            requests.buffers.iter().map(Vec::capacity).sum::<usize>()
        };
        let large = read(1 << 20);
        for _ in 0..3 * TRIMMED_EVERY {
            assert!(read(10) >= large);
            assert!(read(1 << 20) >= large);
        }
        let held: Vec<usize> = (0..2 * TRIMMED_EVERY).map(|_| read(10)).collect();
        assert!(held.first() >= Some(&large) && held.last() < Some(&100), "{held:?}");
    }

    #[test]
    fn tiles_close_to_each_other_are_one_request_and_each_tile_has_its_own_bytes() {
        let far = GAP + 40;
        let bounds = vec![0, 10, 20, 30, far, far + 5];
        let file = FileTiles { path: "a0.tdb".into(), bounds: bounds.clone(), pipeline: Arc::default() };
        let mut requests = Requests::default();
        for _ in 0..2 {
            requests.clear();
            let places = requests.add(&file, &[0, 2, 4]);
            assert_eq!(requests.ranges.len(), 2);
            requests.read(&Counting).unwrap();
            for (tile, place) in [0, 2, 4].into_iter().zip(&places) {
                let expected: Vec<u8> = (bounds[tile]..bounds[tile + 1]).map(|at| at.to_le_bytes()[0]).collect();
                assert_eq!(requests.bytes(place), expected);
            }
        }
    }
}
