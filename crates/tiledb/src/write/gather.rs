//! One column of all batches at a time, so that each can be freed once it is written.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;

use crate::error::{Error, Result};
use crate::schema::column::Column;

/// Removes one column from all batches and concatenates it.
pub(crate) fn gather(uri: &str, column: &Column, batches: &mut [RecordBatch]) -> Result<ArrayRef> {
    let arrow = |source| Error::Data { uri: uri.to_owned(), column: column.name.clone(), source };
    let mut chunks: Vec<ArrayRef> = Vec::with_capacity(batches.len());
    for batch in batches {
        let values = batch.remove_column(batch.schema().index_of(&column.name).map_err(arrow)?);
        chunks.push(match values.data_type() {
            DataType::Utf8 => cast(&values, &DataType::LargeUtf8).map_err(arrow)?,
            // Zones and the names of list items may differ from batch to batch.
            other if *other != column.data_type() => cast(&values, &column.data_type()).map_err(arrow)?,
            _ => values,
        });
    }
    let chunks: Vec<&dyn arrow::array::Array> = chunks.iter().map(AsRef::as_ref).collect();
    concat(&chunks).map_err(arrow)
}
