//! Writing batches as a fragment, some columns at a time, so that few are in memory twice.

use arrow::array::{ArrayRef, RecordBatch};
use tiledb_sys as sys;

use super::buffers::WriteBuffers;
use super::check::check;
use super::fragment_writer::FragmentWriter;
use super::gather::gather;
use super::rows::{batch_rows, read_column};
use crate::array::history::columns_to_write;
use crate::array::open::OpenArray;
use crate::context::Context;
use crate::error::Result;
use crate::location::local_folder;
use crate::native::array_files::ArrayFiles;
use crate::native::write::Target;
use crate::schema::column::Column;

/// About this many bytes of columns are passed to libtiledb at a time. It builds tiles from all of them before it writes the
/// first; this many bytes are enough to keep its threads busy. Tests use less, so that their small fragments are written in
/// groups too.
const GROUP_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 8 << 20 };

/// Writes all batches as one fragment stamped `timestamp_ms` (milliseconds since 1970), and returns its name
/// (`__<T>_<T>_<uuid>_<version>`).
///
/// Fragments of a local array in Hilbert order with duplicates are written as by [`write_tiles`](crate::write_tiles), others by libtiledb.
///
/// A few columns are in memory in addition to the batches.
///
/// Columns are matched by name, in any order; `Utf8` is read as `LargeUtf8`, and timestamps without a zone as UTC. Every batch
/// must have all columns of the array and no others. Rows may have any order.
///
/// The other fragments of the array are not read, so the cost does not depend on their number.
///
/// # Errors
/// [`Error::Coordinate`](crate::Error::Coordinate) for a coordinate that is NULL, NaN or outside the domain (TileDB would accept a NaN,
/// and hide cells near it), [`Error::ElementNull`](crate::Error::ElementNull) for a list element equal to the column's marker of NULL,
/// [`Error::Batch`](crate::Error::Batch) for batches that do not match the array or have no rows, or if the array has a schema later
/// than `timestamp_ms`. After any error, no reader sees anything of the fragment; libtiledb may leave files.
pub fn write_fragment(ctx: &Context, uri: &str, timestamp_ms: u64, mut batches: Vec<RecordBatch>) -> Result<String> {
    batches.retain(|batch| batch.num_rows() > 0);
    if let Some(folder) = local_folder(uri)
        && let Some(target) = Target::open(uri, ArrayFiles::Folder(folder.to_owned()), timestamp_ms)?
    {
        return target.write(timestamp_ms, &batches, 1, &|_| {}).map(|written| written.name);
    }
    write_by_library(ctx, uri, timestamp_ms, batches)
}

/// As [`write_fragment`], whatever the array's layout.
pub(crate) fn write_by_library(
    ctx: &Context,
    uri: &str,
    timestamp_ms: u64,
    mut batches: Vec<RecordBatch>,
) -> Result<String> {
    batches.retain(|batch| batch.num_rows() > 0);
    let array = OpenArray::new(ctx, uri, sys::TILEDB_WRITE, Some(timestamp_ms))?;
    let (layout, columns) = columns_to_write(&array, uri, timestamp_ms)?;
    let counts = batch_rows(uri, &columns, &batches)?;
    let mut parts = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let values = read_column(uri, column, &batches, &counts)?;
        check(uri, column, layout.dimensions.get(index).map(|dimension| dimension.domain), &values)?;
        parts.push(values);
    }
    drop(batches);

    let mut fragment = FragmentWriter::begin(ctx, uri, array)?;
    let groups = ColumnGroups { uri, dimensions: layout.dimensions.len(), columns: &columns, gathered: 0, parts };
    for group in groups {
        fragment.write(group?)?;
    }
    fragment.finish()
}

/// Columns of a fragment that are passed to libtiledb together.
type ColumnGroup<'a> = Vec<(&'a Column, WriteBuffers)>;

/// All columns of a fragment, in groups. The dimensions are in the first group, because they decide the order of the cells.
struct ColumnGroups<'a> {
    uri: &'a str,
    dimensions: usize,
    columns: &'a [Column],
    /// How many columns have been gathered.
    gathered: usize,
    /// The parts of all columns. Those of gathered ones are freed.
    parts: Vec<Vec<ArrayRef>>,
}

impl<'a> Iterator for ColumnGroups<'a> {
    type Item = Result<ColumnGroup<'a>>;

    fn next(&mut self) -> Option<Result<ColumnGroup<'a>>> {
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some(column) = self.columns.get(self.gathered).filter(|_| bytes < GROUP_BYTES) {
            let parts = self.parts.get_mut(self.gathered).map(std::mem::take).unwrap_or_default();
            self.gathered += 1;
            match gather(self.uri, column, parts) {
                Ok(values) => group.push((column, WriteBuffers::new(column, &values))),
                Err(error) => return Some(Err(error)),
            }
            // The first group has all dimensions, regardless of their size.
            bytes += group.last().filter(|_| self.gathered > self.dimensions).map_or(0, |(_, buffers)| buffers.bytes());
        }
        (!group.is_empty()).then_some(Ok(group))
    }
}
