//! A check of whole fragments finds what no query reads, and says which file it is; schemas and metadata in memory are those of libtiledb.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{Float32Array, LargeStringArray, StringArray};
use arrow::compute::cast;

use super::*;
use crate::{
    DescribingFiles, ENUMERATION, NULL_IS_NAN, NULL_KEY, check_consolidated_footers, consolidate_fragment_metadata,
    write_tiles,
};

const T: u64 = 1_700_000_000_000;

/// Text, a float whose validity no query reads, and keys of texts.
fn fields() -> Vec<Field> {
    let with = |field: Field, key: &str, value: &str| field.with_metadata([(key.to_owned(), value.to_owned())].into());
    let keys = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
    vec![
        with(Field::new("height", DataType::Float32, true), NULL_KEY, NULL_IS_NAN),
        Field::new("name", DataType::LargeUtf8, true),
        with(Field::new("beam", keys, false), ENUMERATION, "gt1l gt1r"),
    ]
}

/// An array with one fragment of several tiles, in a folder.
fn with_fragment() -> (TempDir, String, String) {
    let (folder, uri) = new_uri();
    let schema = schema(fields());
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let count = 300;
    let heights: Float32Array = (0..count).map(|row| (row % 7 > 1).then_some(row as f32 * 0.37)).collect();
    let texts: LargeStringArray = (0..count).map(|row| ["gt1l", "gt3r", "ÅØ 雪"].get(row % 4)).collect();
    let beams: StringArray = (0..count).map(|row| Some(["gt1l", "gt1r"][row % 2])).collect();
    let beams = cast(&beams, schema.field_with_name("beam").unwrap().data_type()).unwrap();
    let columns: Vec<ArrayRef> = vec![Arc::new(heights), Arc::new(texts), beams];
    let name = write_tiles(Path::new(&uri), T, vec![batch(&schema, 0, count, columns)]).unwrap().name;
    (folder, uri, name)
}

fn check(uri: &str) -> crate::Result<()> {
    Array::open_by_tile(uri, None)?.check_fragment(0)
}

#[test]
fn a_changed_cut_or_lost_file_of_a_fragment_is_named_whether_a_query_reads_it_or_not() {
    let (_folder, uri, name) = with_fragment();
    check(&uri).unwrap();
    let folder = Path::new(&uri).join("__fragments").join(&name);
    let files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut checked = 0;
    for file in files.iter().filter(|file| !file.ends_with("__fragment_metadata.tdb")) {
        let content = fs::read(file).unwrap();
        for at in (0..content.len()).step_by(7) {
            let mut changed = content.clone();
            changed[at] ^= 0x10;
            fs::write(file, changed).unwrap();
            // A bit that zstd does not use may be another, and the values are the same.
            if let Err(error) = check(&uri) {
                assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
                checked += 1;
            }
        }
        fs::write(file, &content[..content.len() - 1]).unwrap();
        assert!(check(&uri).unwrap_err().to_string().contains(file.to_str().unwrap()));
        fs::remove_file(file).unwrap();
        assert!(check(&uri).unwrap_err().to_string().contains(file.to_str().unwrap()));
        fs::write(file, content).unwrap();
    }
    assert!(files.iter().any(|file| file.ends_with("a1_validity.tdb")), "{files:?}");
    assert!(checked > 100, "{checked}");
    check(&uri).unwrap();
}

/// The files that describe an array, by path.
fn described(uri: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in DescribingFiles::FOLDERS {
        for entry in fs::read_dir(Path::new(uri).join(folder)).into_iter().flatten().map(Result::unwrap) {
            if entry.path().is_file() {
                let name = entry.file_name().into_string().unwrap();
                files.insert(format!("{folder}/{name}"), fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

#[test]
fn the_schema_in_memory_is_that_of_libtiledb_and_every_lost_or_changed_file_is_noticed() {
    let (_folder, uri, name) = with_fragment();
    Array::add_attributes(ctx(), &uri, T + 20, &[Field::new("later", DataType::Float32, true)]).unwrap();
    let files = described(&uri);
    for at in [T, T + 20, u64::MAX / 2] {
        let memory = DescribingFiles::new(&uri, files.clone());
        let (schema, layout) = memory.schema_at(at).unwrap();
        let library = Array::schema_at(ctx(), &uri, at).unwrap();
        assert_eq!((&schema, &layout), (&library.0, &library.1), "{at}");
        memory.check_enumerations().unwrap();
    }
    let metadata = fs::read(Path::new(&uri).join("__fragments").join(&name).join("__fragment_metadata.tdb")).unwrap();
    let schemas = DescribingFiles::new(&uri, files.clone()).schemas().unwrap();
    let others = fs::read_dir(Path::new(&uri).join("__fragments").join(&name)).unwrap().map(Result::unwrap);
    let bytes: u64 = others.map(|entry| entry.metadata().unwrap().len()).sum();
    assert_eq!(schemas.check_footer(&name, &metadata).unwrap(), bytes - metadata.len() as u64);
    for length in [0, 7, metadata.len() / 2] {
        assert!(schemas.check_footer(&name, &metadata[..length]).is_err(), "{length}");
    }
    let right = DescribingFiles::new(&uri, files.clone()).schema_at(T + 20).unwrap();
    for path in files.keys() {
        let mut lost = files.clone();
        lost.remove(path);
        let mut changed = files.clone();
        changed.get_mut(path).unwrap().truncate(9);
        for files in [lost, changed] {
            let memory = DescribingFiles::new(&uri, files);
            let found = memory.schema_at(T + 20).and_then(|found| memory.check_enumerations().map(|()| found));
            assert!(found.map_or(true, |found| found != right), "{path}");
        }
    }
}

#[test]
fn consolidated_footers_are_those_of_the_fragments_or_an_error() {
    let (_folder, uri, first) = with_fragment();
    let schema = schema(fields());
    let beams: StringArray = std::iter::repeat_n(Some("gt1r"), 5).collect();
    let beams = cast(&beams, schema.field_with_name("beam").unwrap().data_type()).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Float32Array::from(vec![None; 5])),
        Arc::new(LargeStringArray::from(vec![None::<&str>; 5])),
        beams,
    ];
    // A fragment of libtiledb.
    crate::write_fragment(ctx(), &uri, T + 1, vec![batch(&schema, 0, 5, columns)]).unwrap();
    consolidate_fragment_metadata(ctx(), &uri).unwrap();
    let file = fs::read_dir(Path::new(&uri).join("__fragment_meta")).unwrap().next().unwrap().unwrap().path();
    let content = fs::read(&file).unwrap();
    let mut seen = 0;
    let mut check = |content: &[u8], exchanged: bool| {
        check_consolidated_footers("meta", content, |name| {
            seen += 1;
            let name = if exchanged { &first } else { name };
            let path = Path::new(&uri).join("__fragments").join(name).join("__fragment_metadata.tdb");
            Ok::<_, Error>(Some(fs::read(path).unwrap()))
        })
    };
    check(&content, false).unwrap();
    assert!(check(&content, true).is_err(), "the footer of another fragment");
    for length in [0, 40, content.len() - 1] {
        assert!(check(&content[..length], false).is_err(), "{length}");
    }
    assert!(seen >= 2);
    check_consolidated_footers("meta", &content, |_| Ok::<_, Error>(None)).unwrap();
}
