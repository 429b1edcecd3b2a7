//! Rows as Arrow: the IPC file format (Feather) in a file, the stream format in a pipe, both uncompressed, so that a reader can
//! memory-map them. Field metadata is kept, and the origin of the rows is metadata of the schema. Rows with positions get a column of
//! points with GeoArrow's metadata.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use crate::error::CliError;
use crate::output::geometry::GeometryColumn;
use crate::output::origin::Origin;
use crate::output::row_writer::RowWriter;

/// Creates a writer of the file format, which readers open from its end. `geometry` comes after the columns of `schema`.
pub(crate) fn file<W: Write>(
    sink: W,
    schema: &SchemaRef,
    geometry: Option<GeometryColumn>,
    origin: &Origin,
) -> Result<IpcWriter<FileWriter<W>>, ArrowError> {
    let schema = origin.add_to(geometry.as_ref().map_or(schema, |geometry| geometry.schema()));
    Ok(IpcWriter { rows: FileWriter::try_new(sink, &schema)?, geometry })
}

/// Creates a writer of the stream format, which readers can follow while it is written. `geometry` comes after the columns of `schema`.
pub(crate) fn stream<W: Write>(
    sink: W,
    schema: &SchemaRef,
    geometry: Option<GeometryColumn>,
    origin: &Origin,
) -> Result<IpcWriter<StreamWriter<W>>, ArrowError> {
    let schema = origin.add_to(geometry.as_ref().map_or(schema, |geometry| geometry.schema()));
    Ok(IpcWriter { rows: StreamWriter::try_new(sink, &schema)?, geometry })
}

/// A writer of Arrow's and the column of points that it adds.
pub(crate) struct IpcWriter<W> {
    rows: W,
    geometry: Option<GeometryColumn>,
}

impl<W> IpcWriter<W> {
    fn with_geometry(&mut self, batch: &RecordBatch) -> Result<RecordBatch, CliError> {
        self.geometry.as_mut().map_or_else(|| Ok(batch.clone()), |geometry| geometry.add_to(batch))
    }
}

impl<W: Write> RowWriter for IpcWriter<FileWriter<W>> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let batch = self.with_geometry(batch)?;
        Ok(self.rows.write(&batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(self.rows.finish()?)
    }
}

impl<W: Write> RowWriter for IpcWriter<StreamWriter<W>> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let batch = self.with_geometry(batch)?;
        Ok(self.rows.write(&batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(self.rows.finish()?)
    }
}
