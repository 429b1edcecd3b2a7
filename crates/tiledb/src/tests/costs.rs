//! What a read by tile asks of the storage: the fewest requests, which on a network are what takes time.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use arrow::array::{Float32Array, LargeStringArray};

use super::*;
use crate::{FileRange, Literal, Op, Predicate, Reader, Storage, write_tiles};

/// Files of an array, with a record of what was requested.
#[derive(Debug)]
struct Counted {
    files: LocalFiles,
    is_remote: bool,
    /// Whole files that were read.
    whole: Mutex<Vec<String>>,
    /// The ranges of each call.
    calls: Mutex<Vec<Vec<FileRange>>>,
    /// The ranges that were requested before they were read.
    ahead: Mutex<Vec<Vec<FileRange>>>,
}

impl Storage for Counted {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.whole.lock().unwrap().push(path.to_owned());
        self.files.read(path)
    }

    fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
        self.calls.lock().unwrap().push(ranges.to_vec());
        self.files.read_ranges(ranges, buffers)
    }

    fn is_remote(&self) -> bool {
        self.is_remote
    }

    fn prefetch(&self, ranges: &[FileRange]) {
        self.ahead.lock().unwrap().push(ranges.to_vec());
    }
}

impl Counted {
    fn whole(&self) -> Vec<String> {
        std::mem::take(&mut self.whole.lock().unwrap())
    }

    fn calls(&self) -> Vec<Vec<FileRange>> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

/// An array of two fragments of 200 cells in tiles of 16, read through a counted storage.
struct Counting {
    _folder: TempDir,
    uri: String,
    array: Array,
    storage: Arc<Counted>,
}

/// Tiles of a step, whose rows are at most 64 in tests.
const STEP_TILES: usize = 4;
const ROWS: usize = 200;
const TILES: usize = ROWS.div_ceil(16);

fn counting() -> Counting {
    counting_in(false)
}

fn counting_in(is_remote: bool) -> Counting {
    let schema =
        schema(vec![Field::new("height", DataType::Float32, true), Field::new("beam", DataType::LargeUtf8, false)]);
    let (folder, uri) = new_uri();
    Array::create(ctx(), &uri, &ArrayLayout { capacity: 16, ..layout() }, &schema).unwrap();
    for fragment in 0..2 {
        let heights: Float32Array = (0..ROWS).map(|row| (row % 7 > 0).then_some(row as f32)).collect();
        let beams: LargeStringArray = (0..ROWS).map(|row| ["gt1l", "gt3r"].get(row % 2)).collect();
        let written = batch(&schema, fragment * ROWS, ROWS, vec![Arc::new(heights), Arc::new(beams)]);
        write_tiles(Path::new(&uri), 10 + fragment as u64, vec![written]).unwrap();
    }
    let whole = Array::open_by_library(ctx(), &uri, None).unwrap();
    let live = whole.fragments().unwrap().into_iter().map(|fragment| LiveFragment {
        name: fragment.name,
        cells: fragment.cells,
        domain: fragment.domain,
        metadata: None,
    });
    let (files, whole_files, calls, ahead) =
        (LocalFiles::new(&uri), Mutex::default(), Mutex::default(), Mutex::default());
    let counted = Counted { files, is_remote, whole: whole_files, calls, ahead };
    let (storage, cache) = (Arc::new(counted), FragmentCache::default());
    let (live, shared) = (live.collect(), Arc::clone(&storage) as Arc<dyn Storage>);
    let array = Array::open_fragments(&uri, whole.layout(), whole.schema(), live, shared, &cache).unwrap();
    assert_eq!((storage.whole().len(), storage.calls().len()), (0, 0), "opening reads nothing");
    Counting { _folder: folder, uri, array, storage }
}

fn count(reader: Reader) -> usize {
    reader.map(|batch| batch.unwrap().num_rows()).sum()
}

/// The files below `__fragments` whose stem is one of `stems`, with their sizes.
fn sizes(uri: &str, stems: &[&str]) -> BTreeMap<String, u64> {
    let mut sizes = BTreeMap::new();
    for fragment in std::fs::read_dir(Path::new(uri).join("__fragments")).unwrap().map(|entry| entry.unwrap()) {
        for file in std::fs::read_dir(fragment.path()).unwrap().map(|entry| entry.unwrap()) {
            let name = file.file_name().into_string().unwrap();
            if stems.contains(&name.trim_end_matches(".tdb")) {
                let path = format!("__fragments/{}/{name}", fragment.file_name().to_str().unwrap());
                sizes.insert(path, file.metadata().unwrap().len());
            }
        }
    }
    sizes
}

#[test]
fn a_scan_requests_each_file_once_in_each_step_and_each_byte_once() {
    let Counting { _folder, uri, array, storage } = counting();
    for read in 0..2 {
        assert_eq!(count(array.read(&request(&["height", "beam"])).unwrap()), 2 * ROWS);
        let mut whole = storage.whole();
        whole.sort_unstable();
        match read {
            0 => {
                // Two fragments with one schema.
                assert_eq!(whole.len(), 3, "{whole:?}");
                assert!(
                    whole[..2].iter().all(|path| path.ends_with("__fragment_metadata.tdb")) && whole[0] != whole[1]
                );
                assert!(whole[2].starts_with("__schema/"));
            }
            _ => assert!(whole.is_empty(), "the metadata were kept: {whole:?}"),
        }
        let calls = storage.calls();
        // The first step is one tile.
        let least = 2 * (TILES - 1).div_ceil(STEP_TILES) + 1;
        assert!((least..=2 * TILES.div_ceil(STEP_TILES) + 3).contains(&calls.len()), "{} calls", calls.len());
        let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
        for ranges in &calls {
            let paths: Vec<&str> = ranges.iter().map(|range| &*range.path).collect();
            let distinct: std::collections::BTreeSet<&&str> = paths.iter().collect();
            assert_eq!(distinct.len(), paths.len(), "one request for a file's tiles, which are neighbours: {ranges:?}");
            for range in ranges {
                *bytes.entry(range.path.to_string()).or_default() += range.length as u64;
            }
        }
        // Nothing of other columns and of the coordinates.
        assert_eq!(bytes, sizes(&uri, &["a1", "a1_validity", "a2", "a2_var"]));
    }
}

/// On a network every wait for an answer is what a user notices.
#[test]
fn far_storage_gets_the_requests_for_all_columns_and_tiles_of_a_small_read_at_once() {
    let Counting { _folder, array, storage, .. } = counting_in(true);
    let condition = Predicate::Compare { column: "height".to_owned(), op: Op::GtEq, value: Literal::Float(150.0) };
    let rows = array.read(&ReadRequest { condition: Some(condition), ..request(&["beam"]) }).unwrap();
    assert!(count(rows) > 0);
    let ahead = std::mem::take(&mut *storage.ahead.lock().unwrap());
    assert_eq!(ahead.len(), 1, "{ahead:?}");
    let calls = storage.calls();
    assert!(calls.len() > 2, "several steps");
    // Validity is requested for all tiles of a step if one of them has a NULL, and steps begin elsewhere.
    let is_validity = |range: &&FileRange| range.path.ends_with("_validity.tdb");
    for range in calls.iter().flatten().filter(|range| !is_validity(range)) {
        // Tiles of several steps, one after the other.
        let of_file = ahead[0].iter().filter(|other| other.path == range.path);
        let end = of_file.fold(range.start, |end, other| {
            let next = other.start + other.length as u64;
            if (other.start..next).contains(&end) { next } else { end }
        });
        assert!(end >= range.start + range.length as u64, "{range:?} of {ahead:?}");
    }
    // No byte is requested that the scan does not read.
    let height = |ranges: &[FileRange]| -> usize {
        ranges.iter().filter(|range| range.path.ends_with("/a1.tdb")).map(|range| range.length).sum()
    };
    assert_eq!(height(&ahead[0]), height(&calls.concat()));
}

/// `LIMIT 1` must not cost a scan.
#[test]
fn the_first_batch_needs_one_tile() {
    let Counting { _folder, uri, array, storage } = counting();
    let mut reader = array.read(&ReadRequest { batch_rows: 1, ..request(&["row"]) }).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1);
    let calls = storage.calls();
    assert_eq!((calls.len(), calls[0].len(), storage.whole().len()), (1, 1, 2));
    assert!(sizes(&uri, &["a0"]).values().all(|size| (calls[0][0].length as u64) < size / 4));
}

/// A join whose other side is empty, or a filter that contradicts itself.
#[test]
fn a_condition_that_is_never_true_reads_nothing() {
    let Counting { _folder, array, storage, .. } = counting();
    let never = Predicate::Constant(Some(false));
    let condition = Some(never.clone());
    assert_eq!(count(array.read(&ReadRequest { condition, ..request(&["row"]) }).unwrap()), 0);
    let mut reader = array.read(&request(&["row"])).unwrap();
    reader.restrict(&never).unwrap();
    assert!(reader.next().is_none());
    assert_eq!((storage.whole().len(), storage.calls().len()), (0, 0));

    // A restriction holds for the steps until the next one.
    let mut reader = array.read(&request(&["row"])).unwrap();
    reader.restrict(&never).unwrap();
    assert!(reader.next_step().unwrap().unwrap().is_none());
    let all = Predicate::Compare { column: "row".to_owned(), op: Op::GtEq, value: Literal::Int(0) };
    reader.restrict(&all).unwrap();
    assert_eq!(count(reader), 2 * ROWS - 16);
}
