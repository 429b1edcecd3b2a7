//! Rows as Parquet: zstd, row groups of bounded size, the Arrow schema with its field metadata (units, meanings of flags),
//! and where the rows come from as key-value metadata. A profile is a list; readers of the Arrow schema see its fixed size.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;

use crate::failure::Failure;
use crate::output::{Origin, RowWriter};

/// A row group ends at this many rows …
const ROWS: usize = 1 << 20;
/// … or bytes: it is held in memory until it is complete.
const BYTES: usize = 64 << 20;

/// Writes batches of one schema as one Parquet file.
pub(crate) struct ParquetWriter<W: Write + Send> {
    rows: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetWriter<W> {
    pub(crate) fn new(sink: W, schema: &SchemaRef, origin: &Origin) -> Result<ParquetWriter<W>, ParquetError> {
        let entries = origin.entries().into_iter().map(|(key, value)| KeyValue::new(key, value));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS))
            .set_max_row_group_bytes(Some(BYTES))
            .set_key_value_metadata(Some(entries.collect()))
            .build();
        Ok(ParquetWriter { rows: ArrowWriter::try_new(sink, SchemaRef::clone(schema), Some(properties))? })
    }
}

impl<W: Write + Send> RowWriter for ParquetWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(self.rows.write(batch)?)
    }

    /// Writes the last row group and the footer, without which the file is none.
    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.rows.close()?;
        Ok(())
    }
}
