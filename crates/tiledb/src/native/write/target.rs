//! An array to write to: its newest schema, read without libtiledb.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use tiledb_format::{Datatype, Filter, HilbertCurve, MetadataEntry, Number, Schema, TimestampedName, generic_tile};

use super::folder::ArrayFiles;
use crate::error::{Error, Result};
use crate::metadata::MetadataValue;
use crate::native::fragment::SCHEMAS;
use crate::schema::column::Column;
use crate::schema::layout::{ArrayLayout, CellOrder, Domain};
use crate::schema::{field_metadata, stored};

/// The folder of an array's metadata.
const METADATA: &str = "__meta";
/// The codes of characters, ASCII and UTF-8.
const TEXTS: [u8; 3] = [4, 11, 12];

/// An array in Hilbert order that allows duplicates.
#[derive(Debug)]
pub(crate) struct Target {
    /// The array's folder.
    pub(super) folder: ArrayFiles,
    /// The same, as the caller wrote it, for errors.
    pub(super) uri: String,
    /// The name of the newest schema's file.
    pub(super) schema_name: String,
    pub(super) schema: Schema,
    pub(super) layout: ArrayLayout,
    /// The dimensions, then the attributes, in the schema's order.
    pub(super) columns: Vec<Column>,
    pub(super) curve: HilbertCurve,
}

impl Target {
    /// Reads the newest schema of the array in `folder`; `None` if there is none, or one whose fragments libtiledb must write.
    ///
    /// # Errors
    /// [`Error::Batch`] if the array has a schema later than `timestamp_ms`; [`Error::File`] and [`Error::Format`] if a file cannot be
    /// read.
    pub(crate) fn open(uri: &str, folder: ArrayFiles, timestamp_ms: u64) -> Result<Option<Self>> {
        let names = folder.timestamped_names(SCHEMAS)?;
        let Some(newest) = names.iter().max_by_key(|name| (name.last, name.to_string())) else { return Ok(None) };
        // As libtiledb: the newest schema is written with, and an only schema also applies to the time before it.
        if names.len() > 1 && newest.last > timestamp_ms {
            let newest = newest.last;
            let reason = format!("expected a timestamp at or after the newest schema ({newest}), found {timestamp_ms}");
            return Err(Error::Batch { uri: uri.to_owned(), reason });
        }
        let schema_name = newest.to_string();
        let schema = match folder.decoded(&format!("{SCHEMAS}/{schema_name}"), Schema::parse) {
            // Such as dense arrays, of which libtiledb says the same.
            Err(Error::Format { source, .. }) if matches!(*source, tiledb_format::Error::Unsupported { .. }) => {
                return Ok(None);
            }
            parsed => parsed?,
        };
        let Some((layout, mut columns)) = stored::layout_and_columns(&schema)? else { return Ok(None) };
        if layout.cell_order != CellOrder::Hilbert || !layout.allows_duplicates || !filters_are_known(&schema) {
            return Ok(None);
        }
        let Ok(curve) = HilbertCurve::new(&layout.dimensions.iter().map(|d| limits(d.domain)).collect::<Vec<_>>())
        else {
            return Ok(None);
        };
        // How NULL is stored, and the texts of dictionaries.
        field_metadata::restore(&mut columns, &metadata(&folder, timestamp_ms)?)?;
        let uri = uri.to_owned();
        Ok(Some(Self { folder, uri, schema_name, schema, layout, columns, curve }))
    }
}

/// The lowest and the highest coordinate as the curve takes them.
fn limits(domain: Domain) -> (f64, f64) {
    match domain {
        Domain::Float32 { low, high, .. } => (low.into(), high.into()),
        Domain::Float64 { low, high, .. } => (low, high),
        Domain::Int64 { low, high, .. } | Domain::TimestampNs { low, high, .. } => (low as f64, high as f64),
    }
}

fn filters_are_known(schema: &Schema) -> bool {
    let dimensions = schema.dimensions.iter().map(|dimension| schema.dimension_filters(dimension));
    let attributes = schema.attributes.iter().map(|attribute| &attribute.filters);
    let mut pipelines = dimensions.chain(attributes).chain([&schema.offsets, &schema.validity]);
    pipelines.all(|pipeline| !pipeline.filters.iter().any(|filter| matches!(filter, Filter::Unsupported { .. })))
}

/// The metadata of an array as of `timestamp_ms`.
fn metadata(folder: &ArrayFiles, timestamp_ms: u64) -> Result<BTreeMap<String, MetadataValue>> {
    let mut names = folder.timestamped_names(METADATA)?;
    names.retain(|name| name.last <= timestamp_ms);
    // Of consolidated files and those that they replace, the latter come later and say the same.
    names.sort_by_key(|name| (name.first, std::cmp::Reverse(name.last), name.to_string()));
    let mut metadata = BTreeMap::new();
    for name in names {
        for MetadataEntry { key, value } in folder.decoded(&format!("{METADATA}/{name}"), MetadataEntry::parse)? {
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

impl ArrayFiles {
    /// The files in a folder of the array with timestamps in their names; none if the folder does not exist.
    fn timestamped_names(&self, folder: &str) -> Result<Vec<TimestampedName>> {
        let names = match self {
            ArrayFiles::Folder(array) => local_names(&array.join(folder)),
            ArrayFiles::Storage(storage, _) => storage.names(folder),
        };
        let names = names.map_err(|source| Error::File { path: self.path(folder), source })?;
        Ok(names.iter().filter_map(|name| TimestampedName::parse(name).ok()).collect())
    }

    /// Reads and parses a file that is one generic tile.
    fn decoded<T>(&self, path: &str, parse: impl FnOnce(&[u8]) -> tiledb_format::Result<T>) -> Result<T> {
        let bytes = match self {
            ArrayFiles::Folder(array) => std::fs::read(array.join(path)),
            ArrayFiles::Storage(storage, _) => storage.read(path),
        };
        let bytes = bytes.map_err(|source| Error::File { path: self.path(path), source })?;
        let parsed = generic_tile::read(&bytes, 0).and_then(|content| parse(&content));
        parsed.map_err(|source| Error::Format { path: self.path(path), column: None, source: Box::new(source) })
    }

    /// A path below the array's folder, for errors.
    fn path(&self, path: &str) -> String {
        match self {
            ArrayFiles::Folder(array) => array.join(path).display().to_string(),
            ArrayFiles::Storage(_, uri) => format!("{uri}/{path}"),
        }
    }
}

fn local_names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}
