//! Writing a fragment: batches are checked first, then one column after the other is ordered, encoded, stored and freed.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use tiledb_format::fragment::{FieldMetadata, FragmentMetadataBuilder};
use tiledb_format::generic_tile::Compression;

use super::folder::{ArrayFiles, Files, FragmentFolder};
use super::order::CellSequence;
use super::statistics::Statistics;
use super::step::WriteStep;
use super::target::Target;
use super::tiles::{ColumnEncoder, FieldOf};
use crate::error::{Error, Result};
use crate::native::fragment::METADATA;
use crate::native::live::FileChecksum;
use crate::native::storage::WritableStorage;
use crate::schema::column::Column;
use crate::write::buffers::WriteBuffers;
use crate::write::check::check;
use crate::write::gather::gather;

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
/// One column at a time is in memory in addition to the batches, and each is freed once it is written. All files are on disk when this
/// returns.
///
/// # Errors
/// As [`write_fragment`](crate::write_fragment), and [`Error::Unsupported`] for an array that is not in Hilbert order, that does not allow
/// duplicates, or that this crate would not create. After an error, nothing is left of the fragment.
pub fn write_tiles(folder: &Path, timestamp_ms: u64, batches: Vec<RecordBatch>) -> Result<NewFragment> {
    write_tiles_stepwise(folder, timestamp_ms, batches, &|_| {})
}

/// Writes all batches as [`write_tiles`] does, and calls `before` before each step. A test can end the process there, and examine the files.
///
/// # Errors
/// As [`write_tiles`].
pub fn write_tiles_stepwise(
    folder: &Path,
    timestamp_ms: u64,
    batches: Vec<RecordBatch>,
    before: &dyn Fn(WriteStep),
) -> Result<NewFragment> {
    let uri = folder.display().to_string();
    write_to(&uri, ArrayFiles::Folder(folder.to_owned()), timestamp_ms, batches, before)
}

/// Writes all batches as [`write_tiles_stepwise`] does, to the array with these files at `uri`.
///
/// # Errors
/// As [`write_tiles`].
pub fn write_tiles_to(
    storage: Arc<dyn WritableStorage>,
    uri: &str,
    timestamp_ms: u64,
    batches: Vec<RecordBatch>,
    before: &dyn Fn(WriteStep),
) -> Result<NewFragment> {
    write_to(uri, ArrayFiles::Storage(storage, uri.to_owned()), timestamp_ms, batches, before)
}

fn write_to(
    uri: &str,
    files: ArrayFiles,
    timestamp_ms: u64,
    batches: Vec<RecordBatch>,
    before: &dyn Fn(WriteStep),
) -> Result<NewFragment> {
    match Target::open(uri, files, timestamp_ms)? {
        Some(target) => target.write(timestamp_ms, batches, before),
        None => {
            let reason = format!(
                "expected {uri} to be an array in Hilbert order that allows duplicates, found another one or no array"
            );
            Err(Error::Unsupported { column: "*".to_owned(), reason })
        }
    }
}

impl Target {
    /// Writes all batches as one fragment, and calls `before` before each step.
    pub(crate) fn write(
        &self,
        timestamp_ms: u64,
        mut batches: Vec<RecordBatch>,
        before: &dyn Fn(WriteStep),
    ) -> Result<NewFragment> {
        batches.retain(|batch| batch.num_rows() > 0);
        check(&self.uri, &self.layout, &self.columns, &batches)?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let (Ok(rows), Ok(capacity)) = (u32::try_from(rows), usize::try_from(self.layout.capacity)) else {
            let reason = format!("expected at most {} rows in a fragment, found {rows}", u32::MAX);
            return Err(Error::Batch { uri: self.uri.clone(), reason });
        };
        let (dimensions, attributes) = self.columns.split_at(self.layout.dimensions.len());
        let mut coordinates = Vec::with_capacity(dimensions.len());
        for column in dimensions {
            coordinates.push(WriteBuffers::new(column, &gather(&self.uri, column, &mut batches)?));
        }
        let buffers: Vec<_> = coordinates.iter().map(|column| column.data.clone()).collect();
        let sequence = CellSequence::new(&self.curve, &self.layout, &buffers, rows, capacity);
        let sequence = sequence.map_err(|source| self.encode_error("*", source))?;
        drop(buffers);

        let folder = FragmentFolder::create(&self.folder, timestamp_ms)?;
        let metadata = folder.fill(|files| {
            let mut fragment =
                FragmentColumns { target: self, files, encoder: ColumnEncoder::new(), fields: Vec::new() };
            let mut ranges = Vec::with_capacity(dimensions.len());
            for (column, buffers) in dimensions.iter().zip(coordinates) {
                before(WriteStep::Column);
                ranges.push(fragment.write(column, &buffers, &sequence)?);
            }
            for column in attributes {
                before(WriteStep::Column);
                let values = gather(&self.uri, column, &mut batches)?;
                let buffers = WriteBuffers::new(column, &values);
                drop(values);
                fragment.write(column, &buffers, &sequence)?;
            }
            fragment.metadata(u64::from(rows), &ranges)
        })?;
        // Alone, so that the file without which a fragment cannot be read reaches the disk after all others.
        before(WriteStep::Metadata);
        folder.fill(|files| files.write(METADATA, &metadata))?;
        before(WriteStep::Commit);
        Ok(NewFragment { metadata: FileChecksum::new(&metadata), name: folder.commit()? })
    }

    fn encode_error(&self, column: &str, source: tiledb_format::Error) -> Error {
        Error::Encode { uri: self.uri.clone(), column: column.to_owned(), source: Box::new(source) }
    }
}

/// A fragment of which some columns are written.
struct FragmentColumns<'t> {
    target: &'t Target,
    files: &'t Files<'t>,
    encoder: ColumnEncoder,
    fields: Vec<(tiledb_format::Field, FieldMetadata)>,
}

impl FragmentColumns<'_> {
    /// Writes a column, and returns the least and the greatest value of each tile.
    fn write(&mut self, column: &Column, buffers: &WriteBuffers, sequence: &CellSequence) -> Result<Statistics> {
        let field = FieldOf::find(&self.target.schema, &column.name)
            .ok_or_else(|| Error::UnknownColumn { uri: self.target.uri.clone(), column: column.name.clone() })?;
        let encoded = self.encoder.encode(field, buffers, sequence);
        let (mut metadata, statistics) = encoded.map_err(|source| self.target.encode_error(&column.name, source))?;
        for (part, content) in self.encoder.files(field.shape) {
            self.files.write(&field.field.file(part), content)?;
        }
        statistics.describe(&mut metadata);
        self.fields.push((field.field, metadata));
        Ok(statistics)
    }

    /// The content of the metadata file of a fragment of `cells` cells. `dimensions` are the statistics of all dimensions.
    fn metadata(self, cells: u64, dimensions: &[Statistics]) -> Result<Vec<u8>> {
        let mut leaves = Vec::new();
        let mut ranges: Vec<_> = dimensions.iter().map(Statistics::ranges).collect();
        while let Some(rectangle) = ranges.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
            rectangle.into_iter().flatten().for_each(|coordinate| leaves.extend_from_slice(coordinate));
        }
        let (schema, name) = (&self.target.schema, &self.target.schema_name);
        let mut builder = FragmentMetadataBuilder::new(schema, name, cells, leaves);
        for (field, metadata) in self.fields {
            builder = builder.field(field, metadata);
        }
        builder.build(Compression::default()).map_err(|source| self.target.encode_error("*", source))
    }
}
