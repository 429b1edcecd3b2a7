//! The arrays of `testdata/arrays`, which TileDB-Py wrote with `testdata/make_arrays.py`, and what TileDB says of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::fragment::{Footer, FragmentMetadata};
use crate::number::Number;
use crate::schema::Schema;
use crate::{generic_tile, name::TimestampedName};

pub(crate) const ARRAYS: [&str; 7] = ["empty", "segments", "tall", "evolved", "enumerated", "consolidated", "peer"];

/// One array.
pub(crate) struct Golden {
    pub(crate) path: PathBuf,
    /// The decoded files of `__schema`, by their names.
    pub(crate) schemas: BTreeMap<String, Vec<u8>>,
    pub(crate) described: Value,
}

/// One fragment.
pub(crate) struct GoldenFragment {
    pub(crate) folder: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) metadata: FragmentMetadata,
    pub(crate) described: Value,
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

pub(crate) fn decoded(path: &Path) -> Vec<u8> {
    generic_tile::read(&fs::read(path).unwrap(), 0).unwrap()
}

impl Golden {
    pub(crate) fn open(name: &str) -> Self {
        let arrays = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/arrays");
        let path = arrays.join(name);
        let schemas = files(&path.join("__schema")).into_iter();
        let schemas = schemas.map(|file| (file.file_name().unwrap().to_str().unwrap().to_owned(), decoded(&file)));
        let described = serde_json::from_slice(&fs::read(arrays.join(format!("{name}.json"))).unwrap()).unwrap();
        Self { path, schemas: schemas.collect(), described }
    }

    pub(crate) fn all() -> Vec<Self> {
        ARRAYS.into_iter().map(Self::open).collect()
    }

    /// The schema that is current: the one with the latest name.
    pub(crate) fn schema(&self) -> Schema {
        Schema::parse(self.schemas.values().next_back().unwrap()).unwrap()
    }

    /// The fragments, in the order of their writes.
    pub(crate) fn fragments(&self) -> Vec<GoldenFragment> {
        let described = self.described["fragments"].as_array().unwrap();
        let mut fragments: Vec<_> = described.iter().map(|fragment| self.fragment(fragment)).collect();
        let first = |fragment: &GoldenFragment| {
            TimestampedName::parse(fragment.described["name"].as_str().unwrap()).unwrap().first
        };
        fragments.sort_by_key(first);
        fragments
    }

    fn fragment(&self, described: &Value) -> GoldenFragment {
        let folder = self.path.join("__fragments").join(described["name"].as_str().unwrap());
        let bytes = fs::read(folder.join("__fragment_metadata.tdb")).unwrap();
        let schema = Schema::parse(&self.schemas[Footer::schema_name(&bytes).unwrap()]).unwrap();
        let metadata = FragmentMetadata::parse(bytes.clone(), Arc::new(schema)).unwrap();
        GoldenFragment { folder, bytes, metadata, described: described.clone() }
    }
}

/// A number as the script writes it, to compare with one of the format. `None` for NULL.
pub(crate) fn number(value: &Value, like: Number) -> Option<Number> {
    Some(match (value, like) {
        (Value::Null, _) => return None,
        (Value::Bool(value), _) => Number::UInt((*value).into()),
        (Value::String(text), _) => Number::Float(text.parse().unwrap()),
        (value, Number::Int(_)) => Number::Int(value.as_i64().unwrap()),
        (value, Number::UInt(_)) => Number::UInt(value.as_u64().unwrap()),
        (value, Number::Float(_)) => panic!("expected a float as text, found {value}"),
    })
}
