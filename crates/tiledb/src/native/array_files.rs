//! The files of a local array that describe it: schemas and metadata.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use tiledb_format::{Datatype, MetadataEntry, Number, TimestampedName, generic_tile};

use crate::error::{Error, Result};
use crate::metadata::MetadataValue;

/// The folder of an array's schemas.
pub(super) const SCHEMAS: &str = "__schema";
/// The folder of an array's metadata.
pub(super) const METADATA: &str = "__meta";
/// The codes of characters, ASCII and UTF-8.
const TEXTS: [u8; 3] = [4, 11, 12];

/// The metadata of an array as of `timestamp_ms`.
pub(super) fn metadata(folder: &Path, timestamp_ms: u64) -> Result<BTreeMap<String, MetadataValue>> {
    let folder = folder.join(METADATA);
    let mut names = timestamped_names(&folder)?;
    names.retain(|name| name.last <= timestamp_ms);
    // Of consolidated files and those that they replace, the latter come later and say the same.
    names.sort_by_key(|name| (name.first, std::cmp::Reverse(name.last), name.to_string()));
    let mut metadata = BTreeMap::new();
    for name in names {
        for MetadataEntry { key, value } in decoded(&folder.join(name.to_string()), MetadataEntry::parse)? {
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

/// The files in `folder` with timestamps in their names; none if the folder does not exist.
pub(super) fn timestamped_names(folder: &Path) -> Result<Vec<TimestampedName>> {
    Ok(file_names(folder)?.iter().filter_map(|name| TimestampedName::parse(name).ok()).collect())
}

/// The names of the files and folders in `folder`; none if it does not exist.
pub(super) fn file_names(folder: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::File { path: folder.display().to_string(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(failed)?,
    };
    entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
}

/// Reads and parses a file that is one generic tile.
pub(super) fn decoded<T>(path: &Path, parse: impl FnOnce(&[u8]) -> tiledb_format::Result<T>) -> Result<T> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| Error::File { path: name(), source })?;
    let parsed = generic_tile::read(&bytes, 0).and_then(|content| parse(&content));
    parsed.map_err(|source| Error::Format { path: name(), column: None, source: Box::new(source) })
}
