//! One column of all batches at a time, so that each can be freed once it is written.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use crate::error::{Error, Result};
use crate::schema::column::Column;

/// Removes one column from all batches and concatenates it.
pub(crate) fn gather(uri: &str, column: &Column, batches: &mut [RecordBatch]) -> Result<ArrayRef> {
    concatenate(uri, column, take(uri, column, batches)?)
}

/// Removes one column from all batches.
pub(crate) fn take(uri: &str, column: &Column, batches: &mut [RecordBatch]) -> Result<Vec<ArrayRef>> {
    let failed = |source| Error::Data { uri: uri.to_owned(), column: column.name.clone(), source };
    let part =
        |batch: &mut RecordBatch| Ok::<_, ArrowError>(batch.remove_column(batch.schema().index_of(&column.name)?));
    batches.iter_mut().map(part).collect::<Result<_, _>>().map_err(failed)
}

/// Concatenates the parts of one column.
pub(crate) fn concatenate(uri: &str, column: &Column, parts: Vec<ArrayRef>) -> Result<ArrayRef> {
    let failed = |source| Error::Data { uri: uri.to_owned(), column: column.name.clone(), source };
    let stored = |values: ArrayRef| match values.data_type() {
        DataType::Utf8 => cast(&values, &DataType::LargeUtf8),
        // Zones and the names of list items may differ from batch to batch.
        other if *other != column.data_type() => cast(&values, &column.data_type()),
        _ => Ok(values),
    };
    let parts = parts.into_iter().map(stored).collect::<Result<Vec<ArrayRef>, _>>().map_err(failed)?;
    concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(failed)
}
