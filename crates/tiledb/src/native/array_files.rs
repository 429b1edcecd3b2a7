//! The files of an array that describe it, schemas and metadata, in a local folder or in other storage.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tiledb_format::{Datatype, MetadataEntry, Number, TimestampedName, generic_tile};

use crate::error::{Error, Result};
use crate::metadata::MetadataValue;
use crate::native::storage::WritableStorage;

/// The folder of an array's schemas.
pub(super) const SCHEMAS: &str = "__schema";
/// The folder of the texts of dictionary columns, which schemas name.
pub(super) const ENUMERATIONS: &str = "__schema/__enumerations";
/// The folder of an array's metadata.
pub(super) const METADATA: &str = "__meta";
/// The codes of characters, ASCII and UTF-8.
const TEXTS: [u8; 3] = [4, 11, 12];

/// Where the files of an array are.
#[derive(Clone, Debug)]
pub(crate) enum ArrayFiles {
    /// A local folder.
    Folder(PathBuf),
    /// Other storage, and the URI of the array in it, for errors.
    Storage(Arc<dyn WritableStorage>, String),
}

impl ArrayFiles {
    /// The files in a folder of the array with timestamps in their names; none if the folder does not exist.
    pub(super) fn timestamped_names(&self, folder: &str) -> Result<Vec<TimestampedName>> {
        Ok(self.names(folder)?.iter().filter_map(|name| TimestampedName::parse(name).ok()).collect())
    }

    /// The names of the files and folders in a folder of the array; none if it does not exist.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>> {
        let names = match self {
            ArrayFiles::Folder(array) => local_names(&array.join(folder)),
            ArrayFiles::Storage(storage, _) => storage.names(folder),
        };
        names.map_err(|source| self.file_error(folder, source))
    }

    /// Reads a file.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>> {
        let bytes = match self {
            ArrayFiles::Folder(array) => std::fs::read(array.join(path)),
            ArrayFiles::Storage(storage, _) => storage.read(path),
        };
        bytes.map_err(|source| self.file_error(path, source))
    }

    /// Reads and parses a file that is one generic tile.
    pub(super) fn decoded<T>(&self, path: &str, parse: impl FnOnce(&[u8]) -> tiledb_format::Result<T>) -> Result<T> {
        let parsed = generic_tile::read(&self.read(path)?, 0).and_then(|content| parse(&content));
        parsed.map_err(|source| Error::Format { path: self.path(path), column: None, source: Box::new(source) })
    }

    /// A path below the array's folder, for errors.
    pub(super) fn path(&self, path: &str) -> String {
        match self {
            ArrayFiles::Folder(array) => array.join(path).display().to_string(),
            ArrayFiles::Storage(_, uri) => format!("{uri}/{path}"),
        }
    }

    fn file_error(&self, path: &str, source: io::Error) -> Error {
        Error::File { path: self.path(path), source }
    }
}

/// The metadata of an array as of `timestamp_ms`.
pub(super) fn metadata(array: &ArrayFiles, timestamp_ms: u64) -> Result<BTreeMap<String, MetadataValue>> {
    let mut names = array.timestamped_names(METADATA)?;
    names.retain(|name| name.last <= timestamp_ms);
    // Of consolidated files and those that they replace, the latter come later and say the same.
    names.sort_by_key(|name| (name.first, std::cmp::Reverse(name.last), name.to_string()));
    let mut metadata = BTreeMap::new();
    for name in names {
        for MetadataEntry { key, value } in array.decoded(&format!("{METADATA}/{name}"), MetadataEntry::parse)? {
            let value = value.and_then(|(code, bytes)| metadata_value(code, bytes));
            match value {
                Some(value) => metadata.insert(key, value),
                None => metadata.remove(&key),
            };
        }
    }
    Ok(metadata)
}

/// Text or one number.
fn metadata_value(code: u8, bytes: Vec<u8>) -> Option<MetadataValue> {
    if TEXTS.contains(&code) {
        return Some(MetadataValue::Text(String::from_utf8_lossy(&bytes).into_owned()));
    }
    Some(match Number::read(Datatype::from_code(code).ok()?, &bytes)? {
        Number::Int(value) => MetadataValue::Int(value),
        Number::UInt(value) => MetadataValue::Int(i64::try_from(value).ok()?),
        Number::Float(value) => MetadataValue::Float(value),
    })
}

fn local_names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
