//! Record batches become one fragment: checked first, then written some columns at a time, so that few are in memory twice.

mod buffers;
mod check;
mod unfinished;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;
use tiledb_sys as sys;

use crate::array::Open;
use crate::column::{Column, Physical};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::metadata;
use buffers::WriteBuffers;
use check::check;
use unfinished::Unfinished;

const ACTION: &str = "write to";

/// About so many bytes of columns are given to libtiledb at a time. It makes tiles of all it is given before it writes the first of
/// them; these are enough for its threads to share.
const AT_A_TIME: u64 = 8 << 20;

/// Writes all batches as one fragment stamped `timestamp_ms` (milliseconds since 1970), and returns its name
/// (`__<T>_<T>_<uuid>_<version>`).
///
/// The batches are taken, since their columns are let go as they are written: beside the batches, a few columns are in memory.
///
/// Columns are found by name, in any order; `Utf8` is taken for `LargeUtf8`, and time without a zone for UTC. Every batch must
/// have all columns of the array and no others. Rows need no order.
///
/// # Errors
/// [`Error::Coordinate`] for NULL, NaN or a coordinate outside the domain (TileDB would accept a NaN, and hide its
/// neighbours), [`Error::ElementNull`] for a list element equal to its own marker of NULL, [`Error::Batch`] for batches that do
/// not fit the array or hold no row. Nothing has been written then.
pub fn write_fragment(ctx: &Context, uri: &str, timestamp_ms: u64, mut batches: Vec<RecordBatch>) -> Result<String> {
    let open = Open::new(ctx, uri, sys::TILEDB_READ, Some(timestamp_ms))?;
    let (layout, mut columns, entries) = open.describe(uri)?;
    metadata::restore(&mut columns, &entries)?;
    drop(open);
    batches.retain(|batch| batch.num_rows() > 0);
    check(uri, &layout, &columns, &batches)?;

    // The coordinates tell libtiledb the order of the cells. It looks at offsets of texts with the first columns only.
    let is_first = |at: usize, column: &Column| at < layout.dimensions.len() || column.physical == Physical::Text;
    let (first, rest): (Vec<_>, Vec<_>) = columns.iter().enumerate().partition(|(at, column)| is_first(*at, column));
    let mut fragment = Unfinished::begin(ctx, uri, timestamp_ms)?;
    let mut together = Vec::new();
    for (_, column) in first {
        together.push((column, WriteBuffers::new(column, &gather(uri, column, &mut batches)?)));
    }
    fragment.write(together)?;
    let mut together = Vec::new();
    let mut bytes = 0;
    for (_, column) in rest {
        let buffers = WriteBuffers::new(column, &gather(uri, column, &mut batches)?);
        bytes += buffers.bytes();
        together.push((column, buffers));
        if bytes >= AT_A_TIME {
            fragment.write(std::mem::take(&mut together))?;
            bytes = 0;
        }
    }
    if !together.is_empty() {
        fragment.write(together)?;
    }
    fragment.finish()
}

/// Takes one column out of all batches.
fn gather(uri: &str, column: &Column, batches: &mut [RecordBatch]) -> Result<ArrayRef> {
    let arrow = |source| Error::Data { uri: uri.to_owned(), column: column.name.clone(), source };
    let mut parts: Vec<ArrayRef> = Vec::with_capacity(batches.len());
    for batch in batches {
        let values = batch.remove_column(batch.schema().index_of(&column.name).map_err(arrow)?);
        parts.push(match values.data_type() {
            DataType::Utf8 => cast(&values, &DataType::LargeUtf8).map_err(arrow)?,
            // Zones and the names of list items may differ from batch to batch.
            other if *other != column.data_type() => cast(&values, &column.data_type()).map_err(arrow)?,
            _ => values,
        });
    }
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts).map_err(arrow)
}
