//! Rows as Arrow: the IPC file format (Feather) in a file, the stream format in a pipe, both uncompressed, so that a reader can
//! memory-map them. Field metadata is kept, and the origin of the rows is metadata of the schema.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use crate::error::CliError;
use crate::output::origin::Origin;
use crate::output::row_writer::RowWriter;

/// Creates a writer of the file format, which readers open from its end.
pub(crate) fn file<W: Write>(sink: W, schema: &SchemaRef, origin: &Origin) -> Result<FileWriter<W>, ArrowError> {
    FileWriter::try_new(sink, &origin.add_to(schema))
}

/// Creates a writer of the stream format, which readers can follow while it is written.
pub(crate) fn stream<W: Write>(sink: W, schema: &SchemaRef, origin: &Origin) -> Result<StreamWriter<W>, ArrowError> {
    StreamWriter::try_new(sink, &origin.add_to(schema))
}

impl<W: Write> RowWriter for FileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        Ok(FileWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(FileWriter::finish(&mut self)?)
    }
}

impl<W: Write> RowWriter for StreamWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        Ok(StreamWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(StreamWriter::finish(&mut self)?)
    }
}
