//! Damage to the files of a fragment is noticed.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use arrow::array::{BooleanArray, Float32Array, LargeStringArray};

use super::round_trip::Dice;
use super::written_tiles::metadata;
use super::*;
use crate::{FileRange, NewFragment, write_tiles};

/// The files of an array in memory, of which one byte can be changed.
#[derive(Debug)]
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    flipped: Mutex<(String, usize, u8)>,
}

impl Memory {
    fn new(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, std::fs::read(entry.path()).unwrap());
                }
            }
        }
        Self { files, flipped: Mutex::default() }
    }
}

impl Storage for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = self.files.get(path).ok_or(io::ErrorKind::NotFound)?.clone();
        let (name, at, bits) = &*self.flipped.lock().unwrap();
        if path == name {
            bytes[*at] ^= bits;
        }
        Ok(bytes)
    }

    fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
        for (range, buffer) in ranges.iter().zip(buffers) {
            let failed = |error: io::Error| (Arc::clone(&range.path), error);
            let file = self.read(&range.path).map_err(failed)?;
            let start = usize::try_from(range.start).unwrap();
            let found = start.checked_add(range.length).and_then(|end| file.get(start..end));
            *buffer = found.ok_or_else(|| failed(io::ErrorKind::UnexpectedEof.into()))?.to_vec();
        }
        Ok(())
    }
}

/// A bit that flips on disk is an error, or changes nothing. Without checksums in the frames, most flips were other values.
#[test]
fn a_flipped_bit_never_changes_rows() {
    let schema = schema(vec![
        Field::new("height", DataType::Float32, true),
        Field::new("beam", DataType::LargeUtf8, true),
        Field::new("flag", DataType::Boolean, false),
    ]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let count = 150;
    let mut dice = Dice(1);
    let heights: Float32Array = (0..count).map(|row| (row % 7 > 1).then_some(row as f32 * 0.37)).collect();
    let beams: LargeStringArray = (0..count).map(|row| ["gt1l", "gt3r", "ÅØ 雪"].get(row % 4)).collect();
    let flags: BooleanArray = (0..count).map(|_| Some(dice.roll().is_multiple_of(2))).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(heights), Arc::new(beams), Arc::new(flags)];
    let written = batch(&schema, 0, count, columns);
    let NewFragment { name, metadata: checksum } = write_tiles(Path::new(&uri), 10, vec![written]).unwrap();

    let memory = Arc::new(Memory::new(Path::new(&uri)));
    let whole = Array::open_by_library(ctx(), &uri, None).unwrap();
    let fragment = whole.fragments().unwrap().remove(0);
    let columns = names(&schema);
    let read = |checksum| read_fragment(&whole, &fragment, checksum, &columns, Arc::clone(&memory) as Arc<dyn Storage>);
    let expected = read(Some(checksum)).unwrap();
    assert_eq!(expected.num_rows(), count);
    let folder = format!("__fragments/{name}/");
    let footer = metadata(&uri, &name).footer().write().len();
    let (mut flips, mut noticed) = (0, 0);
    for (path, bytes) in memory.files.iter().filter(|(path, _)| path.starts_with(&folder)) {
        let is_metadata = path.ends_with("__fragment_metadata.tdb");
        for at in 0..bytes.len() {
            *memory.flipped.lock().unwrap() = (path.clone(), at, 1 << (dice.roll() % 8));
            // The offsets in the footer have no checksum in the file; its owner records one of the whole file.
            let checksum = (is_metadata && at >= bytes.len() - footer).then_some(checksum);
            match read(checksum) {
                Ok(rows) => assert_eq!(rows, expected, "byte {at} of {path}"),
                Err(_) => noticed += 1,
            }
            flips += 1;
        }
    }
    println!("{noticed} of {flips} flipped bits were noticed");
    assert!(noticed > flips / 2);
}

/// libtiledb leaves out cells that were deleted, as nothing here does.
#[test]
fn a_fragment_with_deleted_cells_is_refused() {
    let schema = schema(vec![]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let name = write_tiles(Path::new(&uri), 10, vec![batch(&schema, 0, 9, vec![])]).unwrap().name;
    let path = Path::new(&uri).join("__fragments").join(&name).join("__fragment_metadata.tdb");
    let mut footer = metadata(&uri, &name).footer().clone();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - footer.write().len());
    footer.has_deletes = true;
    let last = *footer.fields.last().unwrap();
    footer.fields.extend([last, last]);
    bytes.extend(footer.write());
    std::fs::write(&path, bytes).unwrap();
    let whole = Array::open_by_library(ctx(), &uri, None).unwrap();
    let live = LiveFragment { name, cells: 9, domain: vec![], metadata: None };
    let (storage, cache) = (Arc::new(LocalFiles::new(&uri)), FragmentCache::default());
    let array = Array::open_fragments(&uri, whole.layout(), whole.schema(), vec![live], storage, &cache).unwrap();
    let error = array.read(&request(&["row"])).unwrap().next().unwrap().unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }) && error.to_string().contains("deleted cells"), "{error}");
}
