//! Rows as Arrow: the IPC file format (Feather) where they go to a file, the stream format where they go to a pipe, both
//! uncompressed, so that a reader can map them. Field metadata is kept, and where the rows come from is metadata of the schema.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use crate::failure::Failure;
use crate::output::{Origin, RowWriter};

/// A file, which a reader enters from its end.
pub(crate) fn file<W: Write>(sink: W, schema: &SchemaRef, origin: &Origin) -> Result<FileWriter<W>, ArrowError> {
    FileWriter::try_new(sink, &origin.mark(schema))
}

/// A stream, which a reader can follow while it is written.
pub(crate) fn stream<W: Write>(sink: W, schema: &SchemaRef, origin: &Origin) -> Result<StreamWriter<W>, ArrowError> {
    StreamWriter::try_new(sink, &origin.mark(schema))
}

impl<W: Write> RowWriter for FileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(FileWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        Ok(FileWriter::finish(&mut self)?)
    }
}

impl<W: Write> RowWriter for StreamWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(StreamWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        Ok(StreamWriter::finish(&mut self)?)
    }
}
