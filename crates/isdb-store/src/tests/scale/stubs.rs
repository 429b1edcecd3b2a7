//! A large database without segments: its fragments are stubs, which only the log and the names on disk distinguish from real ones.

use std::fs::{self, File};
use std::path::PathBuf;

use tempfile::TempDir;
use tiledb::{Axis, Intervals, Literal, Ranges};
use uuid::Uuid;

use super::super::{NOW, changes, variables};
use crate::files::array_files::{COMMIT_FILES, FOOTER, FRAGMENTS};
use crate::ledger::row::tests::row;
use crate::log::commit_log::COMMITS;
use crate::{
    Bounds, Changes, Database, Design, FileChecksum, FragmentRecord, Id, LedgerFileKind, LedgerRow, Location, Window,
    Writer, WrittenFragment,
};

/// The fragments that have the segments of one granule.
pub(super) const FRAGMENTS_PER_GRANULE: u32 = 5;
/// The granules that have segments in one fragment of the first ingest.
const GRANULES_PER_FRAGMENT: u32 = 8;
/// The segments of one granule in one fragment, and the chunks that these are in.
pub(super) const ROWS: u64 = 100;
const CHUNKS: u32 = 20;
/// Fragments of one window of the first ingest.
const FRAGMENTS_PER_WINDOW: u32 = 2_000;

const FOOTER_CONTENT: &[u8] = b"stub";

/// A database with stub fragments, and its writer.
pub(super) struct Stubs {
    pub(super) folder: TempDir,
    pub(super) database: Database,
    pub(super) writer: Writer,
    /// The attempts of the first ingest, in the order of their fragments.
    attempts: Vec<Id>,
    /// Those that were not replaced yet.
    current: Vec<Id>,
}

impl Stubs {
    pub(super) async fn new(folder: TempDir) -> Stubs {
        let location = Location::parse(folder.path().join("db").to_str().unwrap()).unwrap();
        let database = Database::create(&location, &Design::new(&variables()), NOW).await.unwrap();
        let writer = Writer::take_over(&database, NOW).await.unwrap();
        Stubs { folder, database, writer, attempts: Vec::new(), current: Vec::new() }
    }

    /// Ingests until there are `count` live fragments, in few large windows.
    pub(super) async fn grow_to(&mut self, count: u32) {
        loop {
            let live = u32::try_from(self.writer.live_segments().count()).unwrap();
            let groups = count.saturating_sub(live).min(FRAGMENTS_PER_WINDOW) / FRAGMENTS_PER_GRANULE;
            if groups == 0 {
                return;
            }
            let granules = groups * GRANULES_PER_FRAGMENT;
            let window = self.writer.begin_window(granules, NOW).unwrap();
            let mut fragments = Vec::new();
            for group in 0..groups {
                let held: Vec<Id> = (group * GRANULES_PER_FRAGMENT..(group + 1) * GRANULES_PER_FRAGMENT)
                    .map(|granule| window.ingest_id(granule))
                    .collect();
                for part in 0..FRAGMENTS_PER_GRANULE {
                    let index = group * FRAGMENTS_PER_GRANULE + part;
                    fragments.push(self.fragment(
                        &window,
                        index,
                        &held.iter().map(|id| (*id, ROWS)).collect::<Vec<_>>(),
                    ));
                }
            }
            let ids: Vec<Id> = (0..granules).map(|granule| window.ingest_id(granule)).collect();
            let ledger = ids.iter().map(|id| granule(*id, &[])).collect();
            self.attempts.extend(&ids);
            self.current.extend(ids);
            self.writer.commit(window, changes(fragments, ledger)).await.unwrap();
        }
    }

    /// Replaces one granule by an attempt with fragments of its own.
    pub(super) async fn replace_one(&mut self) {
        let (window, changes) = self.replacement();
        self.writer.commit(window, changes).await.unwrap();
    }

    /// Writes the fragments of a window that replaces one granule, without committing.
    pub(super) fn replacement(&mut self) -> (Window, Changes) {
        let next = self.next_to_replace();
        let old = self.current.swap_remove(next);
        let window = self.writer.begin_window(1, NOW).unwrap();
        let new = window.ingest_id(0);
        let fragments = (0..FRAGMENTS_PER_GRANULE).map(|index| self.fragment(&window, index, &[(new, ROWS)])).collect();
        (window, changes(fragments, vec![granule(new, &[old])]))
    }

    /// The files of granules, and of contents, that the next [`replace_one`](Self::replace_one) opens.
    pub(super) async fn files_of_next(&self) -> (usize, usize) {
        let ids = [self.current[self.next_to_replace()]].into();
        let state = self.database.newest().await.unwrap();
        let opened = |kind| state.ledger.live_of(kind).filter(|file| file.may_have(&ids)).count();
        (opened(LedgerFileKind::Granules), opened(LedgerFileKind::Contents))
    }

    /// The index in `current` of the attempt that is replaced next, far from the previous one.
    fn next_to_replace(&self) -> usize {
        self.current.len() * 7_919 % self.attempts.len() % self.current.len()
    }

    /// Merges the fragments of `groups` groups of the first ingest, each into one fragment without its dead rows. Returns the
    /// number of attempts whose dead rows are gone.
    pub(super) async fn compact(&mut self, groups: usize) -> usize {
        let size = GRANULES_PER_FRAGMENT as usize;
        let state = self.database.newest().await.unwrap();
        let is_dead = |id: &Id| state.dead_attempts.get(id).is_some();
        let live: Vec<Id> = self.writer.live_segments().map(|fragment| fragment.id).collect();
        let inputs = live[..groups * FRAGMENTS_PER_GRANULE as usize].iter().copied().collect();
        let window = self.writer.begin_window(0, NOW).unwrap();
        let mut outputs = Vec::new();
        for (index, attempts) in (0..).zip(self.attempts.chunks(size).take(groups)) {
            let held: Vec<(Id, u64)> = attempts
                .iter()
                .filter(|id| !is_dead(id))
                .map(|id| (*id, ROWS * u64::from(FRAGMENTS_PER_GRANULE)))
                .collect();
            outputs.push(self.fragment(&window, index, &held));
        }
        let dropped = self.attempts[..groups * size].iter().filter(|id| is_dead(id)).count();
        self.writer.compact(window, &inputs, outputs).await.unwrap();
        dropped
    }

    /// Writes a stub of a fragment that has these numbers of rows of attempts.
    fn fragment(&self, window: &Window, index: u32, attempts: &[(Id, u64)]) -> WrittenFragment {
        let (id, time) = (window.fragment_id(index), window.timestamp);
        let name = format!("__{time}_{time}_{}_22", Uuid::new_v4().simple());
        let array = PathBuf::from(self.database.location().segments());
        let folder = array.join(FRAGMENTS).join(&name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(FOOTER), FOOTER_CONTENT).unwrap();
        fs::create_dir_all(array.join(COMMIT_FILES)).unwrap();
        File::create(array.join(COMMIT_FILES).join(format!("{name}.wrt"))).unwrap();
        let rows = attempts.iter().map(|(_, rows)| rows).sum();
        let chunk = |number: u32| (1_000 + id.counter() % 60_000 + 7 * number, rows / u64::from(CHUNKS));
        let record = FragmentRecord {
            id,
            name,
            rows,
            bounds: bounds(id),
            chunks: (0..CHUNKS).map(chunk).collect(),
            footer: FileChecksum { bytes: FOOTER_CONTENT.len() as u64, crc32c: crc32c::crc32c(FOOTER_CONTENT) },
        };
        WrittenFragment { record, attempts: attempts.iter().copied().collect() }
    }

    /// The size of the newest commit.
    pub(super) fn commit_bytes(&self) -> u64 {
        let number = self.writer.head().number;
        self.database.location().folder().unwrap().join(COMMITS).join(format!("{number:020}")).metadata().unwrap().len()
    }
}

/// A piece of a track, 2.8 by 1.4 degrees: scattered by the golden ratio, so that every part of the earth has as many.
pub(super) fn bounds(id: Id) -> Bounds {
    let number = f64::from(id.counter()) + 0.123_456_789 * (id.0 >> 32) as f64;
    let at = |step: f64, span: f64| (number * step).fract() * span;
    let (south, west) = (at(0.618_033_988_749_895, 176.0) - 88.0, at(0.754_877_666_246_693, 357.0) - 180.0);
    let first = 1_600_000_000_000_000_000 + i64::from(id.counter()) * 1_000_000_000;
    Bounds { latitude: (south, south + 1.4), longitude: (west, west + 2.8), time: (first, first + 60_000_000_000) }
}

/// The ledger row of an attempt with as many segments as its stub fragments have.
pub(super) fn granule(id: Id, replaces: &[Id]) -> LedgerRow {
    let rows_kept = i64::from(FRAGMENTS_PER_GRANULE) * i64::try_from(ROWS).unwrap();
    let name = format!("ATL08_20200821122613_{:08}_007_01", id.counter());
    LedgerRow { rows_kept, replaces: replaces.to_vec(), removed_by: Vec::new(), ..row(id, &name) }
}

/// The box as ranges of the array's dimensions.
pub(super) fn ranges(bounds: &Bounds) -> Ranges {
    let degrees = |(low, high): (f64, f64)| {
        let key = |degrees| Axis::Float64.key(&Literal::Float(degrees)).unwrap();
        Intervals::new(key(low), key(high))
    };
    let time = Intervals::new(bounds.time.0, bounds.time.1);
    [(0, degrees(bounds.latitude)), (1, degrees(bounds.longitude)), (2, time)].into_iter().collect()
}
