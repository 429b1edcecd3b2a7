//! Writing a fragment: the coordinates of the rows give the order of their cells, then columns are read, ordered, encoded, stored and
//! freed, a few at a time.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use tiledb_format::fragment::FragmentMetadataBuilder;
use tiledb_format::generic_tile::Compression;

use super::columns::{Columns, WrittenColumn};
use super::folder::FragmentFolder;
use super::order::CellSequence;
use super::step::{BeforeStep, WriteStep};
use super::target::Target;
use crate::error::{Error, Result};
use crate::native::array_files::ArrayFiles;
use crate::native::fragment::METADATA;
use crate::native::live::FileChecksum;
use crate::native::storage::WritableStorage;
use crate::schema::column::Column;
use crate::schema::layout::Dimension;
use crate::write::buffers::ValueBuffers;
use crate::write::check::check;
use crate::write::gather::gather;
use crate::write::rows::{Rows, batch_rows, read_column};

/// A fragment that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFragment {
    /// The name of its folder, `__<T>_<T>_<uuid>_<version>`.
    pub name: String,
    /// Size and checksum of its `__fragment_metadata.tdb`.
    pub metadata: FileChecksum,
}

/// Writes all batches as one fragment of the array in `folder`, as [`write_fragment`](crate::write_fragment) does, but without libtiledb.
///
/// One column of tiles at a time is in memory in addition to the batches. All files are on disk when this returns.
///
/// # Errors
/// As [`write_fragment`](crate::write_fragment), and [`Error::Unsupported`] for an array that is not in Hilbert order, that does not allow
/// duplicates, or that this crate would not create. After an error, nothing is left of the fragment.
pub fn write_tiles(folder: &Path, timestamp_ms: u64, batches: Vec<RecordBatch>) -> Result<NewFragment> {
    write_tiles_stepwise(folder, timestamp_ms, &batches, 1, &|_| {})
}

/// Writes `rows` as [`write_tiles`] does, but reads and encodes `threads` columns at a time, and calls `before` before each step. A test can
/// end the process there, and examine the files.
///
/// # Errors
/// As [`write_tiles`], and [`Error::Rows`] if a column of the rows cannot be read.
pub fn write_tiles_stepwise(
    folder: &Path,
    timestamp_ms: u64,
    rows: &dyn Rows,
    threads: usize,
    before: &BeforeStep<'_>,
) -> Result<NewFragment> {
    let uri = folder.display().to_string();
    write_to(&uri, ArrayFiles::Folder(folder.to_owned()), timestamp_ms, rows, threads, before)
}

/// Writes `rows` as [`write_tiles_stepwise`] does, to the array with these files at `uri`.
///
/// # Errors
/// As [`write_tiles_stepwise`].
pub fn write_tiles_to(
    storage: Arc<dyn WritableStorage>,
    uri: &str,
    timestamp_ms: u64,
    rows: &dyn Rows,
    threads: usize,
    before: &BeforeStep<'_>,
) -> Result<NewFragment> {
    write_to(uri, ArrayFiles::Storage(storage, uri.to_owned()), timestamp_ms, rows, threads, before)
}

fn write_to(
    uri: &str,
    files: ArrayFiles,
    timestamp_ms: u64,
    rows: &dyn Rows,
    threads: usize,
    before: &BeforeStep<'_>,
) -> Result<NewFragment> {
    match Target::open(uri, files, timestamp_ms)? {
        Some(target) => target.write(timestamp_ms, rows, threads, before),
        None => {
            let reason = format!(
                "expected {uri} to be an array in Hilbert order that allows duplicates, found another one or no array"
            );
            Err(Error::Unsupported { column: "*".to_owned(), reason })
        }
    }
}

impl Target {
    /// Writes `rows` as one fragment, `threads` columns at a time, and calls `before` before each step.
    pub(crate) fn write(
        &self,
        timestamp_ms: u64,
        rows: &dyn Rows,
        threads: usize,
        before: &BeforeStep<'_>,
    ) -> Result<NewFragment> {
        let counts = batch_rows(&self.uri, &self.columns, rows)?;
        let starts: Option<Vec<u32>> = std::iter::once(Some(0))
            .chain(counts.iter().scan(0_usize, |end, rows| {
                *end = end.saturating_add(*rows);
                Some(u32::try_from(*end).ok())
            }))
            .collect();
        let (Some(starts), Ok(capacity)) = (starts, usize::try_from(self.layout.capacity)) else {
            let reason = format!("expected at most {} rows in a fragment, found more", u32::MAX);
            return Err(Error::Batch { uri: self.uri.clone(), reason });
        };
        let coordinates = self.coordinates(rows, &counts)?;
        let sequence = self.sequence(&coordinates, &starts, capacity)?;
        let cells = starts.last().copied().map_or(0, u64::from);

        let folder = FragmentFolder::create(&self.folder, timestamp_ms)?;
        let metadata = folder.fill(|files| {
            let columns = Columns::new(self, rows, &counts, coordinates, &sequence, before);
            self.metadata(columns.write(files, threads)?, cells)
        })?;
        // Alone, so that the file without which a fragment cannot be read reaches the disk after all others.
        before(WriteStep::Metadata);
        folder.fill(|files| files.write(METADATA, &metadata))?;
        before(WriteStep::Commit);
        Ok(NewFragment { metadata: FileChecksum::new(&metadata), name: folder.commit()? })
    }

    /// Reads and checks the coordinates: the parts of each dimension.
    fn coordinates(&self, rows: &dyn Rows, counts: &[usize]) -> Result<Vec<Vec<ArrayRef>>> {
        let dimensions = self.columns.iter().zip(&self.layout.dimensions);
        let read = |(column, dimension): (&Column, &Dimension)| {
            let parts = read_column(&self.uri, column, rows, counts)?;
            check(&self.uri, column, Some(dimension.domain), &parts)?;
            Ok(parts)
        };
        dimensions.map(read).collect()
    }

    /// Returns the order of the cells at `coordinates`. `starts` are the numbers of the first row of each batch, and of all rows.
    fn sequence(&self, coordinates: &[Vec<ArrayRef>], starts: &[u32], capacity: usize) -> Result<CellSequence> {
        let buffers = self.columns.iter().zip(coordinates).map(|(column, parts)| {
            let values = gather(&self.uri, column, parts.clone())?;
            Ok(ValueBuffers::new(column, &values).data)
        });
        let buffers = buffers.collect::<Result<Vec<_>>>()?;
        CellSequence::new(&self.curve, &self.layout, &buffers, starts, capacity)
            .map_err(|source| self.encode_error("*", source))
    }

    /// The content of the metadata file of a fragment of `cells` cells, which has these `columns`, dimensions first.
    fn metadata(&self, columns: Vec<WrittenColumn>, cells: u64) -> Result<Vec<u8>> {
        let dimensions = columns.iter().take(self.layout.dimensions.len());
        let mut ranges: Vec<_> = dimensions.map(|column| column.statistics.ranges()).collect();
        let mut leaves = Vec::new();
        while let Some(rectangle) = ranges.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
            rectangle.into_iter().flatten().for_each(|coordinate| leaves.extend_from_slice(coordinate));
        }
        drop(ranges);
        let mut builder = FragmentMetadataBuilder::new(&self.schema, &self.schema_name, cells, leaves);
        for column in columns {
            builder = builder.field(column.field, column.metadata);
        }
        builder.build(Compression::default()).map_err(|source| self.encode_error("*", source))
    }

    pub(super) fn encode_error(&self, column: &str, source: tiledb_format::Error) -> Error {
        Error::Encode { uri: self.uri.clone(), column: column.to_owned(), source: Box::new(source) }
    }
}
