//! Writing a fragment: batches are checked first, then columns are ordered, encoded, stored and freed, a few at a time.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use arrow::array::RecordBatch;
use tiledb_format::fragment::{FieldMetadata, FragmentMetadataBuilder};
use tiledb_format::generic_tile::Compression;

use super::folder::{Files, FragmentFolder};
use super::order::CellSequence;
use super::statistics::Statistics;
use super::target::Target;
use super::tiles::{ColumnEncoder, FieldOf};
use crate::error::{Error, Result};
use crate::native::fragment::METADATA;
use crate::native::live::FileChecksum;
use crate::schema::column::Column;
use crate::write::buffers::WriteBuffers;
use crate::write::check::check;
use crate::write::gather::{concatenate, gather, take};

/// Columns that are encoded at a time: with one, a core would have nothing to do while the last fragment is written.
const ENCODERS: usize = 2;

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
/// Two columns at a time are in memory in addition to the batches, and each is freed once it is written. All files are on disk when this
/// returns.
///
/// # Errors
/// As [`write_fragment`](crate::write_fragment), and [`Error::Unsupported`] for an array that is not in Hilbert order, that does not allow
/// duplicates, or that this crate would not create. After an error, nothing is left of the fragment.
pub fn write_tiles(folder: &Path, timestamp_ms: u64, batches: Vec<RecordBatch>) -> Result<NewFragment> {
    let uri = folder.display().to_string();
    match Target::open(&uri, folder, timestamp_ms)? {
        Some(target) => target.write(timestamp_ms, batches),
        None => {
            let reason = format!(
                "expected {uri} to be an array in Hilbert order that allows duplicates, found another one or no array"
            );
            Err(Error::Unsupported { column: "*".to_owned(), reason })
        }
    }
}

impl Target {
    /// Writes all batches as one fragment.
    pub(crate) fn write(&self, timestamp_ms: u64, mut batches: Vec<RecordBatch>) -> Result<NewFragment> {
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
            let mut writer = ColumnWriter::new(self, files);
            let (mut fields, mut ranges) =
                (Vec::with_capacity(self.columns.len()), Vec::with_capacity(dimensions.len()));
            for (column, buffers) in dimensions.iter().zip(coordinates) {
                let (field, statistics) = writer.write(column, &buffers, &sequence)?;
                fields.push(field);
                ranges.push(statistics);
            }
            drop(writer);
            fields.extend(self.write_attributes(files, attributes, batches, &sequence)?);
            self.metadata(fields, u64::from(rows), &ranges)
        })?;
        // Alone, so that the file without which a fragment cannot be read reaches the disk after all others.
        folder.fill(|files| files.write(METADATA, &metadata))?;
        Ok(NewFragment { metadata: FileChecksum::new(&metadata), name: folder.commit()? })
    }

    /// Writes `attributes` of all batches, and returns them in their order.
    fn write_attributes(
        &self,
        files: &Files<'_>,
        attributes: &[Column],
        batches: Vec<RecordBatch>,
        sequence: &CellSequence,
    ) -> Result<Vec<DescribedField>> {
        let (next, batches) = (AtomicUsize::new(0), Mutex::new(batches));
        let write = |writer: &mut ColumnWriter<'_>, column: &Column| {
            let parts = take(&self.uri, column, &mut batches.lock().unwrap_or_else(PoisonError::into_inner))?;
            let values = concatenate(&self.uri, column, parts)?;
            let buffers = WriteBuffers::new(column, &values);
            drop(values);
            Ok(writer.write(column, &buffers, sequence)?.0)
        };
        let encode = || {
            let (mut writer, mut written) = (ColumnWriter::new(self, files), Vec::new());
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(column) = attributes.get(at) else { return Ok(written) };
                match write(&mut writer, column) {
                    Ok(field) => written.push((at, field)),
                    Err(error) => {
                        // No more columns are begun.
                        next.store(attributes.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        };
        let encoded: Vec<Result<_>> = thread::scope(|scope| {
            let others: Vec<_> = (1..ENCODERS).map(|_| scope.spawn(encode)).collect();
            let own = encode();
            let joined =
                others.into_iter().map(|thread| thread.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
            joined.chain([own]).collect()
        });
        let mut fields = encoded.into_iter().collect::<Result<Vec<_>>>()?.concat();
        fields.sort_by_key(|(at, _)| *at);
        Ok(fields.into_iter().map(|(_, field)| field).collect())
    }

    /// The content of the metadata file of a fragment of `cells` cells. `dimensions` are the statistics of all dimensions.
    fn metadata(&self, fields: Vec<DescribedField>, cells: u64, dimensions: &[Statistics]) -> Result<Vec<u8>> {
        let mut leaves = Vec::new();
        let mut ranges: Vec<_> = dimensions.iter().map(Statistics::ranges).collect();
        while let Some(rectangle) = ranges.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
            rectangle.into_iter().flatten().for_each(|coordinate| leaves.extend_from_slice(coordinate));
        }
        let mut builder = FragmentMetadataBuilder::new(&self.schema, &self.schema_name, cells, leaves);
        for (field, metadata) in fields {
            builder = builder.field(field, metadata);
        }
        builder.build(Compression::default()).map_err(|source| self.encode_error("*", source))
    }

    fn encode_error(&self, column: &str, source: tiledb_format::Error) -> Error {
        Error::Encode { uri: self.uri.clone(), column: column.to_owned(), source: Box::new(source) }
    }
}

/// A column that was written: where its tiles are, and what is in them.
type DescribedField = (tiledb_format::Field, FieldMetadata);

/// Writes columns of a fragment, one after the other.
struct ColumnWriter<'t> {
    target: &'t Target,
    files: &'t Files<'t>,
    encoder: ColumnEncoder,
}

impl<'t> ColumnWriter<'t> {
    fn new(target: &'t Target, files: &'t Files<'t>) -> Self {
        Self { target, files, encoder: ColumnEncoder::new() }
    }

    /// Writes a column, and returns the least and the greatest value of each tile as well.
    fn write(
        &mut self,
        column: &Column,
        buffers: &WriteBuffers,
        sequence: &CellSequence,
    ) -> Result<(DescribedField, Statistics)> {
        let field = FieldOf::find(&self.target.schema, &column.name)
            .ok_or_else(|| Error::UnknownColumn { uri: self.target.uri.clone(), column: column.name.clone() })?;
        let encoded = self.encoder.encode(field, buffers, sequence);
        let (mut metadata, statistics) = encoded.map_err(|source| self.target.encode_error(&column.name, source))?;
        for (part, content) in self.encoder.files(field.shape) {
            self.files.write(&field.field.file(part), content)?;
        }
        statistics.describe(&mut metadata);
        Ok(((field.field, metadata), statistics))
    }
}
