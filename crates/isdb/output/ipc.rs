//! Rows as Arrow: the IPC file format (Feather) where they go to a file, the stream format where they go to a pipe, both
//! uncompressed, so that a reader can map them. Field metadata is kept, and where the rows come from is metadata of the schema.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use crate::failure::Failure;
use crate::output::{Origin, RowWriter};

/// Writes batches of one schema as one Arrow file or stream.
pub(crate) enum IpcWriter<W: Write> {
    File(FileWriter<W>),
    Stream(StreamWriter<W>),
}

impl<W: Write> IpcWriter<W> {
    pub(crate) fn file(sink: W, schema: &SchemaRef, origin: &Origin) -> Result<IpcWriter<W>, ArrowError> {
        Ok(IpcWriter::File(FileWriter::try_new(sink, &with_origin(schema, origin))?))
    }

    pub(crate) fn stream(sink: W, schema: &SchemaRef, origin: &Origin) -> Result<IpcWriter<W>, ArrowError> {
        Ok(IpcWriter::Stream(StreamWriter::try_new(sink, &with_origin(schema, origin))?))
    }
}

impl<W: Write> RowWriter for IpcWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        match self {
            IpcWriter::File(rows) => rows.write(batch)?,
            IpcWriter::Stream(rows) => rows.write(batch)?,
        }
        Ok(())
    }

    /// Writes the end mark, and a file's footer.
    fn finish(self: Box<Self>) -> Result<(), Failure> {
        match *self {
            IpcWriter::File(mut rows) => rows.finish()?,
            IpcWriter::Stream(mut rows) => rows.finish()?,
        }
        Ok(())
    }
}

fn with_origin(schema: &SchemaRef, origin: &Origin) -> Schema {
    let mut metadata = schema.metadata().clone();
    metadata.extend(origin.entries());
    Schema::new(schema.fields().clone()).with_metadata(metadata)
}
