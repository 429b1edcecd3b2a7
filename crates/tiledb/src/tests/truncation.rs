//! Files of a fragment that end early, as after a full disk or an interrupted copy.

use std::fs::OpenOptions;
use std::path::Path;

use arrow::array::{Float32Array, LargeStringArray};

use super::*;
use crate::{NewFragment, write_tiles};

/// Every file of an array below `folder` that a read by tile opens.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for part in ["__fragments", "__schema"] {
        let mut folders = vec![folder.join(part)];
        while let Some(next) = folders.pop() {
            let entries = std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path());
            let (inner, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
            folders.extend(inner);
            found.extend(files);
        }
    }
    found
}

/// A reader never mistakes the part of a file that is there for all of it, and its error says which fragment or schema is damaged.
#[test]
fn a_file_cut_at_any_length_is_an_error_or_the_same_rows() {
    let schema =
        schema(vec![Field::new("height", DataType::Float32, true), Field::new("beam", DataType::LargeUtf8, true)]);
    let (_folder, uri) = new_uri();
    let layout = ArrayLayout { capacity: 16, ..layout() };
    Array::create(ctx(), &uri, &layout, &schema).unwrap();
    let count = 40;
    let heights: Float32Array = (0..count).map(|row| (row % 3 > 0).then_some(row as f32 * 0.37)).collect();
    let beams: LargeStringArray = (0..count).map(|row| ["gt1l", "gt3r", "ÅØ 雪"].get(row % 4)).collect();
    let written = batch(&schema, 0, count, vec![Arc::new(heights), Arc::new(beams)]);
    let NewFragment { name, metadata } = write_tiles(Path::new(&uri), 10, vec![written]).unwrap();

    let whole = Array::open_by_library(ctx(), &uri, None).unwrap();
    let fragment = whole.fragments().unwrap().remove(0);
    let (columns, storage) = (names(&schema), Arc::new(LocalFiles::new(&uri)));
    let read =
        |checksum| read_fragment(&whole, &fragment, checksum, &columns, Arc::clone(&storage) as Arc<dyn Storage>);
    let expected = read(Some(metadata)).unwrap();
    assert_eq!(expected.num_rows(), count);
    let (mut cuts, mut noticed) = (0, 0);
    for path in files(Path::new(&uri)) {
        let content = std::fs::read(&path).unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        for length in (0..content.len()).rev() {
            file.set_len(length as u64).unwrap();
            // Without the checksum of the whole file, which would make all of its cuts alike.
            match read(None) {
                Ok(rows) => assert_eq!(rows, expected, "{} cut to {length} bytes", path.display()),
                Err(error) => {
                    let text = format!("{error}");
                    assert!(text.contains(&name) || text.contains("__schema"), "{text}");
                    noticed += 1;
                }
            }
            cuts += 1;
        }
        assert!(read(Some(metadata)).is_err(), "{} is empty", path.display());
        std::fs::write(&path, content).unwrap();
        assert_eq!(read(Some(metadata)).unwrap(), expected);
    }
    println!("{noticed} of {cuts} cuts were noticed");
    assert!(cuts > 1_000 && noticed > cuts / 2);
}
