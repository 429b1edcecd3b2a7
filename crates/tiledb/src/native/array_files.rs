//! The files of an array that describe it, schemas and metadata, in a local folder or in other storage.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tiledb_format::{Datatype, MetadataEntry, Number, TimestampedName, generic_tile};

use crate::error::{Error, Result};
use crate::metadata::MetadataValue;
use crate::native::storage::{ListedStorage, LocalFiles, WritableStorage};

/// The folder of an array's schemas.
pub(super) const SCHEMAS: &str = "__schema";
/// The folder of the texts of dictionary columns, which schemas name.
pub(super) const ENUMERATIONS: &str = "__schema/__enumerations";
/// The folder of an array's metadata.
pub(super) const METADATA: &str = "__meta";
/// The codes of characters, ASCII and UTF-8.
const TEXTS: [u8; 3] = [4, 11, 12];

/// Where the files of an array that is written to are.
#[derive(Clone, Debug)]
pub(crate) enum ArrayFiles {
    /// A local folder.
    Folder(PathBuf),
    /// Other storage, and the URI of the array in it, for errors.
    Storage(Arc<dyn WritableStorage>, String),
}

impl ArrayFiles {
    /// The files, to be read.
    pub(super) fn listed(&self) -> ListedFiles {
        match self {
            ArrayFiles::Folder(folder) => {
                ListedFiles::new(Arc::new(LocalFiles::new(folder)), &folder.display().to_string())
            }
            ArrayFiles::Storage(storage, uri) => ListedFiles::new(Arc::clone(storage) as _, uri),
        }
    }
}

/// The files of an array, to be read.
#[derive(Clone, Debug)]
pub(super) struct ListedFiles {
    storage: Arc<dyn ListedStorage>,
    /// The URI of the array, for errors.
    uri: String,
}

impl ListedFiles {
    pub(super) fn new(storage: Arc<dyn ListedStorage>, uri: &str) -> Self {
        Self { storage, uri: uri.trim_end_matches('/').to_owned() }
    }

    pub(super) fn storage(&self) -> &Arc<dyn ListedStorage> {
        &self.storage
    }

    /// The files in a folder of the array with timestamps in their names; none if the folder does not exist.
    pub(super) fn timestamped_names(&self, folder: &str) -> Result<Vec<TimestampedName>> {
        Ok(self.names(folder)?.iter().filter_map(|name| TimestampedName::parse(name).ok()).collect())
    }

    /// The names of the files and folders in a folder of the array; none if it does not exist.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>> {
        self.storage.names(folder).map_err(|source| self.file_error(folder, source))
    }

    /// Reads a file.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>> {
        self.storage.read(path).map_err(|source| self.file_error(path, source))
    }

    /// Prepares the reads of files that are needed soon.
    pub(super) fn prepare(&self, paths: &[String]) {
        if self.storage.is_remote() && paths.len() > 1 {
            self.storage.prepare(paths);
        }
    }

    /// Reads and parses a file that is one generic tile.
    pub(super) fn decoded<T>(&self, path: &str, parse: impl FnOnce(&[u8]) -> tiledb_format::Result<T>) -> Result<T> {
        let parsed = generic_tile::read(&self.read(path)?, 0).and_then(|content| parse(&content));
        parsed.map_err(|source| Error::Format { path: self.path(path), column: None, source: Box::new(source) })
    }

    /// A path below the array's folder, for errors.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.uri)
    }

    pub(super) fn file_error(&self, path: &str, source: io::Error) -> Error {
        Error::File { path: self.path(path), source }
    }
}

/// The metadata of an array as of `timestamp_ms`.
pub(super) fn metadata(array: &ListedFiles, timestamp_ms: u64) -> Result<BTreeMap<String, MetadataValue>> {
    let mut names = array.timestamped_names(METADATA)?;
    names.retain(|name| name.last <= timestamp_ms);
    // Of consolidated files and those that they replace, the latter come later and say the same.
    names.sort_by_key(|name| (name.first, std::cmp::Reverse(name.last), name.to_string()));
    let paths: Vec<String> = names.iter().map(|name| format!("{METADATA}/{name}")).collect();
    array.prepare(&paths);
    let mut metadata = BTreeMap::new();
    for path in paths {
        for MetadataEntry { key, value } in array.decoded(&path, MetadataEntry::parse)? {
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
