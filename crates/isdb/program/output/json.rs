//! Rows as JSON objects, NULL written out: one array of them, or one a line.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder};
use arrow::json::{ArrayWriter, LineDelimitedWriter};

use crate::failure::Failure;
use crate::output::RowWriter;

/// One array of all rows.
pub(crate) fn array<W: Write>(sink: W) -> ArrayWriter<W> {
    with_nulls().build::<W, JsonArray>(sink)
}

/// One row a line.
pub(crate) fn lines<W: Write>(sink: W) -> LineDelimitedWriter<W> {
    with_nulls().build::<W, LineDelimited>(sink)
}

fn with_nulls() -> WriterBuilder {
    WriterBuilder::new().with_explicit_nulls(true)
}

impl<W: Write> RowWriter for ArrayWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(ArrayWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        ArrayWriter::finish(&mut self)?;
        // Arrow ends lines, but not the line of an array.
        Ok(self.into_inner().write_all(b"\n").map_err(ArrowError::from)?)
    }
}

impl<W: Write> RowWriter for LineDelimitedWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(LineDelimitedWriter::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        Ok(LineDelimitedWriter::finish(&mut self)?)
    }
}
