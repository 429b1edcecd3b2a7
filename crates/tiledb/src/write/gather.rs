//! The parts that batches have of one column, in the column's type.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::check::unknown_text;
use super::dictionary::{self, UnknownText};
use crate::error::{Error, Result};
use crate::schema::column::Column;

/// Returns a part of a column in the column's type. Of a dictionary column these are the keys.
pub(crate) fn stored(uri: &str, column: &Column, part: ArrayRef) -> Result<ArrayRef> {
    if let Some(texts) = &column.enumeration {
        let unknown = |unknown: UnknownText| unknown_text(uri, column, texts, &unknown, 0);
        return Ok(Arc::new(dictionary::keys(texts, &part).map_err(unknown)?));
    }
    match part.data_type() {
        DataType::Utf8 => cast(&part, &DataType::LargeUtf8).map_err(data_error(uri, column)),
        // Zones and the names of list items may differ from batch to batch.
        other if *other != column.data_type() => cast(&part, &column.data_type()).map_err(data_error(uri, column)),
        _ => Ok(part),
    }
}

/// Concatenates the parts of one column, in the column's type.
pub(crate) fn gather(uri: &str, column: &Column, parts: Vec<ArrayRef>) -> Result<ArrayRef> {
    let parts = parts.into_iter().map(|part| stored(uri, column, part)).collect::<Result<Vec<_>>>()?;
    concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(data_error(uri, column))
}

fn data_error(uri: &str, column: &Column) -> impl Fn(ArrowError) -> Error {
    move |source| Error::Data { uri: uri.to_owned(), column: column.name.clone(), source }
}
