//! Requests for the tiles of later steps, in storage with a long latency: a scan waits for the first of them, and for others only if it
//! decodes faster than they arrive.

use std::collections::VecDeque;

use crate::request::TileRun;

/// Bytes that a scan requests before its first step. A box of a degree needs less, so that all its tiles are requested at once; a limit
/// may end the scan.
const FIRST_BYTES: u64 = 2 << 20;
/// Bytes that a long scan has requested and not yet read. At 40 ms for a request that is more than 300 MB a second.
const MOST_BYTES: u64 = 16 << 20;

/// The tiles of a scan that were requested or will be.
#[derive(Debug)]
pub(super) struct ReadAhead {
    /// Tiles that were not requested yet, in the order of the scan.
    upcoming: VecDeque<TileRun>,
    /// Tiles that were requested together and not yet read, and the bytes of their columns.
    requested: VecDeque<(usize, u64)>,
    /// The sum of these bytes.
    bytes: u64,
    window: u64,
}

impl ReadAhead {
    /// The requests of a scan of `work`.
    pub(super) fn new(work: &[TileRun]) -> Self {
        Self { upcoming: work.to_vec().into(), requested: VecDeque::new(), bytes: 0, window: FIRST_BYTES }
    }

    /// Whether to request more. Not after each step, so that the tiles of several steps are one request for each file.
    pub(super) fn is_due(&self) -> bool {
        // The window has doubled since the last request.
        self.bytes <= self.window / 4 && !self.upcoming.is_empty()
    }

    /// Returns up to `count` tiles to request next; `None` if enough are requested.
    pub(super) fn next(&mut self, count: usize, capacity: u64) -> Option<TileRun> {
        if self.bytes >= self.window {
            return None;
        }
        let run = self.upcoming.pop_front()?;
        if run.count <= count {
            return Some(run);
        }
        let (next, rest) = run.split_at(count, capacity);
        self.upcoming.push_front(rest);
        Some(next)
    }

    /// The fragments of the tiles that were not requested yet.
    pub(super) fn fragments(&self) -> impl Iterator<Item = usize> {
        self.upcoming.iter().map(|run| run.fragment)
    }

    /// Notes that `tiles` tiles are requested, which have `bytes` in all columns.
    pub(super) fn requested(&mut self, tiles: usize, bytes: u64) {
        self.requested.push_back((tiles, bytes));
        self.bytes += bytes;
    }

    /// Notes that a request was made, after which the next one may be larger.
    pub(super) fn grow(&mut self) {
        self.window = (self.window * 2).min(MOST_BYTES);
    }

    /// Notes that the scan has passed `tiles` tiles.
    pub(super) fn passed(&mut self, mut tiles: usize) {
        while let Some((left, bytes)) = self.requested.front_mut() {
            if tiles < *left {
                *left -= tiles;
                return;
            }
            tiles -= *left;
            self.bytes -= *bytes;
            self.requested.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(count: usize) -> TileRun {
        TileRun { fragment: 0, first: 0, count, cells: count as u64, is_cut: false }
    }

    #[test]
    fn requests_stay_within_a_window_that_grows_and_go_on_as_tiles_are_read() {
        let mut ahead = ReadAhead::new(&[run(100), run(3)]);
        let mut requested = 0;
        let mut request = |ahead: &mut ReadAhead| {
            let mut tiles = 0;
            while let Some(next) = ahead.next(8, 1) {
                ahead.requested(next.count, FIRST_BYTES / 4);
                tiles += next.count;
            }
            ahead.grow();
            requested += tiles;
            tiles
        };
        assert_eq!(request(&mut ahead), 4 * 8);
        assert!(!ahead.is_due(), "the window is full");
        ahead.passed(20);
        assert_eq!(ahead.bytes, FIRST_BYTES / 4 * 2);
        assert!(ahead.is_due());
        while !ahead.upcoming.is_empty() {
            request(&mut ahead);
            ahead.passed(50);
        }
        assert_eq!((requested, ahead.bytes), (103, 0));
        assert!(!ahead.is_due());
    }
}
