//! Dictionary columns, whose texts all batches share.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray, UInt8Array, UInt8DictionaryArray};
use arrow::error::ArrowError;
use isdb_schema::segments::{BEAMS, STRENGTHS};

/// The texts of the column `beam`.
pub(crate) static BEAM_TEXTS: LazyLock<ArrayRef> = LazyLock::new(|| texts(&BEAMS));
/// The texts of the column `beam_strength`.
pub(crate) static STRENGTH_TEXTS: LazyLock<ArrayRef> = LazyLock::new(|| texts(&STRENGTHS));

fn texts(texts: &[&'static str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// The key of a text.
pub(crate) fn key(texts: &[&str], text: &str) -> Option<u8> {
    texts.iter().zip(0_u8..).find(|(known, _)| **known == text).map(|(_, key)| key)
}

/// The column with these keys of `texts`.
pub(crate) fn dictionary(keys: UInt8Array, texts: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(UInt8DictionaryArray::try_new(keys, Arc::clone(texts))?))
}
