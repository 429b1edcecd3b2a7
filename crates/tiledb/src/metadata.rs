//! Array and group metadata: plain key-value pairs, and the Arrow field metadata kept among them as `<field>.<key>`.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{c_char, c_void};
use std::ptr;

use arrow::datatypes::{Field, Schema, SchemaRef};
use tiledb_sys as sys;

use crate::column::{ADDED_LATER, Column, ELEMENT_NULL, ITEM_NULLABLE};
use crate::context::{Context, c_text};
use crate::error::{Error, Result};

/// A metadata value.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataValue {
    /// Text, stored as UTF-8.
    Text(String),
    /// An integer, stored with 64 bits.
    Int(i64),
    /// A float, stored with 64 bits.
    Float(f64),
}

/// Writes one entry; `put` gets key, datatype, number of values and the values.
pub(crate) fn write(
    ctx: &Context,
    uri: &str,
    key: &str,
    value: &MetadataValue,
    put: impl FnOnce(*const c_char, sys::tiledb_datatype_t, u32, *const c_void) -> i32,
) -> Result<()> {
    let c_key = c_text(key)?;
    let too_long = || Error::Batch { uri: uri.to_owned(), reason: format!("the metadata value {key} is too long") };
    let code = match value {
        MetadataValue::Text(text) => {
            let length = u32::try_from(text.len()).map_err(|_| too_long())?;
            put(c_key.as_ptr(), sys::TILEDB_STRING_UTF8, length, text.as_ptr().cast())
        }
        MetadataValue::Int(int) => put(c_key.as_ptr(), sys::TILEDB_INT64, 1, ptr::from_ref(int).cast()),
        MetadataValue::Float(float) => put(c_key.as_ptr(), sys::TILEDB_FLOAT64, 1, ptr::from_ref(float).cast()),
    };
    ctx.check(code, "write metadata of", uri)
}

/// What one entry looks like from C.
pub(crate) struct Entry {
    pub(crate) key: *const c_char,
    pub(crate) key_length: u32,
    pub(crate) datatype: sys::tiledb_datatype_t,
    pub(crate) count: u32,
    pub(crate) value: *const c_void,
}

/// Reads `count` entries; `get` fills in the one at an index. Values that are neither text nor one number are passed over.
pub(crate) fn read(
    ctx: &Context,
    uri: &str,
    count: u64,
    get: impl Fn(u64, &mut Entry) -> i32,
) -> Result<BTreeMap<String, MetadataValue>> {
    let mut entries = BTreeMap::new();
    for index in 0..count {
        let mut entry = Entry { key: ptr::null(), key_length: 0, datatype: 0, count: 0, value: ptr::null() };
        ctx.check(get(index, &mut entry), "read metadata of", uri)?;
        // SAFETY: libtiledb lends key and value for as long as the array or group is open, which the caller sees to.
        let (key, value) = unsafe { (bytes(entry.key.cast(), entry.key_length), value(&entry)) };
        if let Some(value) = value {
            entries.insert(String::from_utf8_lossy(key).into_owned(), value);
        }
    }
    Ok(entries)
}

/// # Safety
/// `start` is null or holds `length` bytes for the lifetime chosen.
unsafe fn bytes<'a>(start: *const u8, length: u32) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: this function's contract.
        Ok(length) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, length) },
        _ => &[],
    }
}

/// # Safety
/// `entry` is as libtiledb filled it in, and its value still alive.
unsafe fn value(entry: &Entry) -> Option<MetadataValue> {
    if matches!(entry.datatype, sys::TILEDB_STRING_UTF8 | sys::TILEDB_STRING_ASCII | sys::TILEDB_CHAR) {
        // SAFETY: text has one byte per value.
        let text = unsafe { bytes(entry.value.cast(), entry.count) };
        return Some(MetadataValue::Text(String::from_utf8_lossy(text).into_owned()));
    }
    if entry.count != 1 || entry.value.is_null() {
        return None;
    }
    // SAFETY: one value of the type told, at any alignment.
    unsafe {
        Some(match entry.datatype {
            sys::TILEDB_INT8 => MetadataValue::Int(entry.value.cast::<i8>().read_unaligned().into()),
            sys::TILEDB_INT16 => MetadataValue::Int(entry.value.cast::<i16>().read_unaligned().into()),
            sys::TILEDB_INT32 => MetadataValue::Int(entry.value.cast::<i32>().read_unaligned().into()),
            sys::TILEDB_INT64 => MetadataValue::Int(entry.value.cast::<i64>().read_unaligned()),
            sys::TILEDB_UINT8 | sys::TILEDB_BOOL => {
                MetadataValue::Int(entry.value.cast::<u8>().read_unaligned().into())
            }
            sys::TILEDB_UINT16 => MetadataValue::Int(entry.value.cast::<u16>().read_unaligned().into()),
            sys::TILEDB_UINT32 => MetadataValue::Int(entry.value.cast::<u32>().read_unaligned().into()),
            sys::TILEDB_UINT64 => MetadataValue::Int(i64::try_from(entry.value.cast::<u64>().read_unaligned()).ok()?),
            sys::TILEDB_FLOAT32 => MetadataValue::Float(entry.value.cast::<f32>().read_unaligned().into()),
            sys::TILEDB_FLOAT64 => MetadataValue::Float(entry.value.cast::<f64>().read_unaligned()),
            _ => return None,
        })
    }
}

/// The entries that keep the metadata of `schema`'s fields.
///
/// # Errors
/// [`Error::Unsupported`] if a key would be read back as another field's.
pub(crate) fn of_fields(schema: &Schema, columns: &[Column]) -> Result<Vec<(String, MetadataValue)>> {
    let mut entries = Vec::new();
    for column in columns {
        let field = schema.field_with_name(&column.name);
        let metadata = field.iter().flat_map(|field| field.metadata());
        for (key, value) in metadata.filter(|(key, _)| *key != ADDED_LATER) {
            let full = format!("{}.{key}", column.name);
            if split(&full, columns) != Some((&column.name, key)) {
                let reason = format!("its metadata key {key} would be mistaken for another column's");
                return Err(Error::Unsupported { column: column.name.clone(), reason });
            }
            entries.push((full, MetadataValue::Text(value.clone())));
        }
        if column.element_null.is_some() {
            entries.push((format!("{}.{ITEM_NULLABLE}", column.name), MetadataValue::Int(1)));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

/// Restores the fields' metadata, and on the columns what it decides.
pub(crate) fn restore(columns: &mut [Column], entries: &BTreeMap<String, MetadataValue>) -> Result<SchemaRef> {
    let mut by_column: HashMap<String, HashMap<String, String>> = HashMap::new();
    let mut nullable_items: Vec<String> = Vec::new();
    for (full, value) in entries {
        match (split(full, columns), value) {
            (Some((column, ITEM_NULLABLE)), _) => nullable_items.push(column.to_owned()),
            (Some((column, key)), MetadataValue::Text(text)) => {
                by_column.entry(column.to_owned()).or_default().insert(key.to_owned(), text.clone());
            }
            _ => {}
        }
    }
    let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
    for column in columns {
        let mut metadata = by_column.remove(&column.name).unwrap_or_default();
        metadata.remove(ADDED_LATER);
        if column.lacking_in > 0 {
            metadata.insert(ADDED_LATER.to_owned(), "true".to_owned());
        }
        if nullable_items.contains(&column.name) {
            column.element_null = Some(column.element_null_of(metadata.get(ELEMENT_NULL).map(String::as_str))?);
        }
        fields.push(column.field().with_metadata(metadata));
    }
    Ok(SchemaRef::new(Schema::new(fields)))
}

/// The column and key of `<column>.<key>`; the longest column name wins.
fn split<'a>(full: &'a str, columns: &[Column]) -> Option<(&'a str, &'a str)> {
    let key_of = |column: &Column| full.strip_prefix(&column.name)?.strip_prefix('.');
    let longest = columns.iter().filter(|column| key_of(column).is_some()).max_by_key(|column| column.name.len())?;
    let key = key_of(longest)?;
    full.get(..longest.name.len()).map(|name| (name, key))
}
