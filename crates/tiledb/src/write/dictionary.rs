//! Text and dictionaries of a batch as the keys that a dictionary column stores.

use arrow::array::{Array as _, ArrayRef, AsArray, StringArray, UInt8Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt8Type};

/// A text that is not one of the column's, and its row.
pub(crate) struct UnknownText {
    pub(super) row: usize,
    pub(super) text: String,
}

/// Whether [`keys`] supports an array of this type.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(key, value) => **key == DataType::UInt8 && **value == DataType::Utf8,
        other => matches!(other, DataType::Utf8 | DataType::LargeUtf8),
    }
}

/// Returns the keys of texts among those of the column. A dictionary of the column's own texts is not looked at.
pub(super) fn keys(texts: &StringArray, values: &ArrayRef) -> Result<UInt8Array, UnknownText> {
    let find = |text: &str| texts.iter().flatten().zip(0_u8..=u8::MAX).find(|(own, _)| *own == text);
    if let Some(dictionary) = values.as_dictionary_opt::<UInt8Type>()
        && let Some(own) = dictionary.values().as_string_opt::<i32>()
    {
        if own == texts {
            return Ok(dictionary.keys().clone());
        }
        let known: Vec<Option<u8>> = own.iter().map(|text| find(text?).map(|(_, key)| key)).collect();
        return each(
            dictionary.keys().iter(),
            |key| known.get(usize::from(key)).copied().flatten(),
            |key| own.iter().nth(usize::from(key)).flatten().unwrap_or_default().to_owned(),
        );
    }
    let as_text = cast(values, &DataType::Utf8);
    let Some(rows) = as_text.as_ref().ok().and_then(|values| values.as_string_opt::<i32>()) else {
        return Err(UnknownText { row: 0, text: values.data_type().to_string() });
    };
    each(rows.iter(), |text| find(text).map(|(_, key)| key), str::to_owned)
}

fn each<T: Copy>(
    values: impl Iterator<Item = Option<T>>,
    key: impl Fn(T) -> Option<u8>,
    text: impl Fn(T) -> String,
) -> Result<UInt8Array, UnknownText> {
    let keys = values.enumerate().map(|(row, value)| match value.map(|value| (value, key(value))) {
        Some((value, None)) => Err(UnknownText { row, text: text(value) }),
        Some((_, key)) => Ok(key),
        None => Ok(None),
    });
    keys.collect()
}
