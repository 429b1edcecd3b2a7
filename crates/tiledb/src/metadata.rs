//! Key-value metadata of arrays and groups.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::ptr;

use tiledb_sys as sys;

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

/// Writes one entry through `put`, which receives key, datatype, number of values and the values.
pub(crate) fn write(
    ctx: &Context,
    uri: &str,
    key: &str,
    value: &MetadataValue,
    put: impl FnOnce(*const c_char, sys::tiledb_datatype_t, u32, *const c_void) -> i32,
) -> Result<()> {
    let c_key = c_text(key)?;
    let too_long =
        || Error::Batch { uri: uri.to_owned(), reason: format!("the value of the metadata key {key} exceeds 4 GiB") };
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

/// One entry, as libtiledb returns it.
pub(crate) struct MetadataEntry {
    pub(crate) key: *const c_char,
    pub(crate) key_length: u32,
    pub(crate) datatype: sys::tiledb_datatype_t,
    pub(crate) count: u32,
    pub(crate) value: *const c_void,
}

/// Reads `count` entries through `get`, which fills in the entry at an index. Skips values that are neither text nor one number.
pub(crate) fn read(
    ctx: &Context,
    uri: &str,
    count: u64,
    get: impl Fn(u64, &mut MetadataEntry) -> i32,
) -> Result<BTreeMap<String, MetadataValue>> {
    let mut entries = BTreeMap::new();
    for index in 0..count {
        let mut entry = MetadataEntry { key: ptr::null(), key_length: 0, datatype: 0, count: 0, value: ptr::null() };
        ctx.check(get(index, &mut entry), "read metadata of", uri)?;
        // SAFETY: key and value stay valid while the array or group is open, and the caller keeps it open.
        let (key, value) = unsafe { (bytes(entry.key.cast(), entry.key_length), value(&entry)) };
        if let Some(value) = value {
            entries.insert(String::from_utf8_lossy(key).into_owned(), value);
        }
    }
    Ok(entries)
}

/// The bytes behind a pointer that may be null.
///
/// # Safety
/// `start` is null or holds `length` bytes for the lifetime chosen.
unsafe fn bytes<'a>(start: *const u8, length: u32) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: this function's contract.
        Ok(length) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, length) },
        _ => &[],
    }
}

/// The entry's value, if it is text or one number.
///
/// # Safety
/// libtiledb filled in `entry`, and its value is still valid.
unsafe fn value(entry: &MetadataEntry) -> Option<MetadataValue> {
    if matches!(entry.datatype, sys::TILEDB_STRING_UTF8 | sys::TILEDB_STRING_ASCII | sys::TILEDB_CHAR) {
        // SAFETY: text has one byte per value.
        let text = unsafe { bytes(entry.value.cast(), entry.count) };
        return Some(MetadataValue::Text(String::from_utf8_lossy(text).into_owned()));
    }
    if entry.count != 1 || entry.value.is_null() {
        return None;
    }
    // SAFETY: one value of the entry's datatype, read unaligned.
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
