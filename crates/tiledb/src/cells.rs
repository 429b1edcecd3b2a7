//! The cells of a column, as buffers read from TileDB, as Arrow arrays.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayData, ArrayRef, FixedSizeListArray, make_array};
use arrow::buffer::{Buffer, NullBuffer};
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
    let data_type = column.data_type();
    let builder = ArrayData::builder(data_type).len(rows).nulls(nulls);
    let builder = match (column.physical, offsets) {
        (PhysicalType::Bool, _) => builder.add_buffer(validity::pack(data.as_slice()).into_inner()),
        (PhysicalType::Text, Some(offsets)) => builder.add_buffer(offsets).add_buffer(data),
        _ => builder.add_buffer(data),
    };
    builder.build().map(make_array)
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
