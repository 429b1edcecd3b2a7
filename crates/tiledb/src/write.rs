//! Record batches become one fragment: checked first, then written some columns at a time, so that few are in memory twice.

mod buffers;
mod check;
mod unfinished;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;
use tiledb_sys as sys;

use crate::array::Open;
use crate::column::Column;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::metadata;
use buffers::WriteBuffers;
use check::check;
use unfinished::Unfinished;

const ACTION: &str = "write to";

/// About so many bytes of columns are given to libtiledb at a time. It makes tiles of all it is given before it writes the first of
/// them; these are enough for its threads to share. The small fragments of tests have parts, too.
const PART_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 8 << 20 };

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
/// not fit the array or hold no row. Nothing has been written then. Any other error may leave files behind that no reader sees.
pub fn write_fragment(ctx: &Context, uri: &str, timestamp_ms: u64, mut batches: Vec<RecordBatch>) -> Result<String> {
    let open = Open::new(ctx, uri, sys::TILEDB_READ, Some(timestamp_ms))?;
    let (layout, mut columns, entries) = open.describe(uri)?;
    metadata::restore(&mut columns, &entries)?;
    drop(open);
    batches.retain(|batch| batch.num_rows() > 0);
    check(uri, &layout, &columns, &batches)?;

    let mut fragment = Unfinished::begin(ctx, uri, timestamp_ms)?;
    let parts = Parts { uri, dimensions: layout.dimensions.len(), columns: &columns, begun: 0, batches };
    for part in parts {
        fragment.write(part?)?;
    }
    fragment.finish()
}

/// The columns of a fragment that are given to libtiledb together.
type Part<'a> = Vec<(&'a Column, WriteBuffers)>;

/// All columns of a fragment, in parts. The coordinates are the first, since they tell libtiledb the order of the cells.
struct Parts<'a> {
    uri: &'a str,
    dimensions: usize,
    columns: &'a [Column],
    /// Columns that are taken out of the batches.
    begun: usize,
    batches: Vec<RecordBatch>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>>;

    fn next(&mut self) -> Option<Result<Part<'a>>> {
        let mut part = Vec::new();
        let mut bytes = 0;
        while let Some(column) = self.columns.get(self.begun).filter(|_| bytes < PART_BYTES) {
            self.begun += 1;
            match gather(self.uri, column, &mut self.batches) {
                Ok(values) => part.push((column, WriteBuffers::new(column, &values))),
                Err(error) => return Some(Err(error)),
            }
            // The first part has all coordinates, however many bytes they are.
            bytes += part.last().filter(|_| self.begun > self.dimensions).map_or(0, |(_, buffers)| buffers.bytes());
        }
        (!part.is_empty()).then_some(Ok(part))
    }
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
