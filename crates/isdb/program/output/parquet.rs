//! Rows as Parquet: zstd, row groups of bounded size, the Arrow schema with its field metadata (units, meanings of flags), and the
//! origin of the rows as key-value metadata. A profile is a list; readers of the Arrow schema see its fixed size. Rows with positions are
//! GeoParquet.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;

use crate::program::error::CliError;
use crate::program::output::file_columns::{FileColumns, FileOptions};
use crate::program::output::origin::Origin;
use crate::program::output::row_writer::RowWriter;

/// A row group ends at this many rows …
const ROWS: usize = 1 << 20;
/// … or bytes: it is held in memory until it is complete.
const BYTES: usize = 64 << 20;

/// Writes batches of one schema as one Parquet file.
pub(crate) struct ParquetWriter<W: Write + Send> {
    rows: ArrowWriter<W>,
    columns: FileColumns,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Creates a file with these columns. A compatible one has no encoding that is younger than Parquet 1.0.
    pub(crate) fn new(
        sink: W,
        columns: FileColumns,
        options: FileOptions,
        origin: &Origin,
    ) -> Result<ParquetWriter<W>, ParquetError> {
        let schema = columns.schema();
        // The entries are in the file for every reader, and in the schema for readers of the Arrow schema.
        let entries = origin.entries().into_iter().map(|(key, value)| KeyValue::new(key, value));
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS))
            .set_max_row_group_bytes(Some(BYTES))
            .set_key_value_metadata(Some(entries.collect()));
        for path in schema.fields().iter().filter_map(|field| measured(field)) {
            let encoding = if options.is_compatible { Encoding::PLAIN } else { Encoding::BYTE_STREAM_SPLIT };
            properties =
                properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
        }
        if let Some(geometry) = columns.geometry() {
            // No two points are equal, and the least of their bytes says nothing.
            let path = ColumnPath::new(vec![geometry.to_owned()]);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        }
        let rows = ArrowWriter::try_new(sink, origin.add_to(schema), Some(properties.build()))?;
        Ok(ParquetWriter { rows, columns })
    }
}

/// Returns the leaf column of a field with measured values. Such values hardly repeat, so a dictionary costs time without benefit,
/// while their bytes, split by significance, compress well.
fn measured(field: &Field) -> Option<ColumnPath> {
    match field.data_type() {
        DataType::Float32 | DataType::Float64 => Some(ColumnPath::new(vec![field.name().clone()])),
        DataType::FixedSizeList(item, _) if item.data_type().is_floating() => {
            Some(ColumnPath::new(vec![field.name().clone(), "list".to_owned(), item.name().clone()]))
        }
        _ => None,
    }
}

impl<W: Write + Send> RowWriter for ParquetWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        Ok(self.rows.write(&self.columns.rows(batch)?)?)
    }

    /// Writes the last row group and the footer, without which the file is invalid.
    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        if let Some(geo) = self.columns.geo() {
            self.rows.append_key_value_metadata(KeyValue::new("geo".to_owned(), geo));
        }
        self.rows.close()?;
        Ok(())
    }
}
