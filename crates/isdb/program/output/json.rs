//! Rows as JSON objects with explicit nulls: in one array, or one per line.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder};
use arrow::json::{ArrayWriter, LineDelimitedWriter};

use crate::program::error::CliError;
use crate::program::output::row_writer::RowWriter;

/// One array of all rows, as objects.
pub(crate) fn array<W: Write>(sink: W) -> ArrayWriter<W> {
    with_nulls().build::<W, JsonArray>(sink)
}

/// One object per line.
pub(crate) fn lines<W: Write>(sink: W) -> LineDelimitedWriter<W> {
    with_nulls().build::<W, LineDelimited>(sink)
}

fn with_nulls() -> WriterBuilder {
    WriterBuilder::new().with_explicit_nulls(true)
}

impl<W: Write> RowWriter for ArrayWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        Ok(ArrayWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        ArrayWriter::finish(&mut self)?;
        // Arrow's writer ends each line of NDJSON, but not the line of an array.
        Ok(self.into_inner().write_all(b"\n").map_err(ArrowError::from)?)
    }
}

impl<W: Write> RowWriter for LineDelimitedWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        Ok(LineDelimitedWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(LineDelimitedWriter::finish(&mut self)?)
    }
}
