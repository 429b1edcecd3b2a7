//! Rows as JSON objects, NULL written out: one array of them, or one a line.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, WriterBuilder};
use arrow::json::{ArrayWriter, LineDelimitedWriter, Writer};

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

impl<W: Write, F: JsonFormat> RowWriter for Writer<W, F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(Writer::write(self, batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        Ok(Writer::finish(&mut self)?)
    }
}
