//! The cells of a column, as buffers read from TileDB, as Arrow arrays.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayData, ArrayRef, FixedSizeListArray, StringArray, UInt8Array, UInt8DictionaryArray, make_array,
    new_null_array,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::error::ArrowError;

use crate::elements;
use crate::schema::column::Column;
use crate::schema::physical::PhysicalType;
use crate::validity;

/// Returns the cells of `column` as an Arrow array. Checks what another program may have written: that offsets ascend, and that text is
/// UTF-8.
///
/// # Errors
/// If the buffers do not match the column, or each other.
pub(crate) fn build(
    column: &Column,
    rows: usize,
    data: Buffer,
    offsets: Option<Buffer>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    if column.width > 1 {
        return list(column, rows, data, nulls);
    }
    let data = if column.is_widened() { widened(&data) } else { data };
    if let Some(texts) = &column.enumeration {
        let keys = UInt8Array::try_new(ScalarBuffer::new(data, 0, rows), nulls)?;
        return Ok(Arc::new(UInt8DictionaryArray::try_new(keys, Arc::<StringArray>::clone(texts))?));
    }
    let builder = ArrayData::builder(column.data_type()).len(rows).nulls(nulls);
    let builder = match (column.physical, offsets) {
        (PhysicalType::Bool, _) => builder.add_buffer(validity::pack(data.as_slice()).into_inner()),
        (PhysicalType::Text, Some(offsets)) => builder.add_buffer(offsets).add_buffer(data),
        _ => builder.add_buffer(data),
    };
    builder.build().map(make_array)
}

/// Returns cells that are all NULL. A dictionary has the same texts as one with values, so that joining them compares none.
pub(crate) fn nulls(column: &Column, rows: usize) -> Result<ArrayRef, ArrowError> {
    Ok(match &column.enumeration {
        Some(texts) => {
            Arc::new(UInt8DictionaryArray::try_new(UInt8Array::new_null(rows), Arc::<StringArray>::clone(texts))?)
        }
        None => new_null_array(&column.data_type(), rows),
    })
}

/// Numbers of single precision as doubles.
fn widened(data: &Buffer) -> Buffer {
    let doubles: Vec<f64> = data.typed_data::<f32>().iter().map(|value| f64::from(*value)).collect();
    doubles.into()
}

fn list(column: &Column, rows: usize, data: Buffer, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
    let width =
        i32::try_from(column.width).map_err(|_| ArrowError::InvalidArgumentError("list too wide".to_owned()))?;
    let elements = data.len() / column.physical.size();
    let element_nulls = column.element_null.as_ref().and_then(|marker| elements::nulls(column.physical, marker, &data));
    let builder = ArrayData::builder(column.physical.to_arrow()).len(elements).nulls(element_nulls).add_buffer(data);
    let values = make_array(builder.build()?);
    let lists = FixedSizeListArray::try_new(column.item(), width, values, nulls)?;
    if lists.len() == rows {
        Ok(Arc::new(lists))
    } else {
        Err(ArrowError::InvalidArgumentError(format!("{} lists for {rows} rows", lists.len())))
    }
}
