//! Rows as CSV. CSV has no lists: a profile is a column for each element, and a list of any length a text such as `[1.5, 2.5, ]`, with
//! nothing for NULL.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, LargeStringBuilder, RecordBatch};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::program::error::CliError;
use crate::program::output::labelled::LabelledColumns;
use crate::program::output::row_writer::RowWriter;

/// Writes batches below one header.
pub(crate) struct CsvWriter<W: Write> {
    sink: W,
    text: Vec<u8>,
    labelled: LabelledColumns,
    schema: SchemaRef,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header, even if no row follows.
    pub(crate) fn new(sink: W, schema: &SchemaRef) -> Result<CsvWriter<W>, ArrowError> {
        let flat = |field: &Arc<Field>| match field.data_type().is_nested() {
            true => Arc::new(Field::new(field.name(), DataType::LargeUtf8, true)),
            false => Arc::clone(field),
        };
        let labelled = LabelledColumns::new(schema, None);
        let schema = Arc::new(Schema::new(labelled.schema().fields().iter().map(flat).collect::<Vec<_>>()));
        let mut writer = CsvWriter { sink, text: Vec::new(), labelled, schema };
        writer.write_flat(&RecordBatch::new_empty(Arc::clone(&writer.schema)), true)?;
        Ok(writer)
    }

    fn write_flat(&mut self, batch: &RecordBatch, header: bool) -> Result<(), ArrowError> {
        // Rows are first written to memory, because arrow's writer turns an error of the sink into text, and a closed pipe could
        // not be recognised.
        self.text.clear();
        WriterBuilder::new().with_header(header).build(&mut self.text).write(batch)?;
        Ok(self.sink.write_all(&self.text)?)
    }
}

impl<W: Write> RowWriter for CsvWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let columns = self.labelled.columns(batch)?.iter().map(to_text_if_nested).collect::<Result<Vec<_>, _>>()?;
        Ok(self.write_flat(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?, false)?)
    }

    /// CSV has no footer.
    fn finish(self: Box<Self>) -> Result<(), CliError> {
        Ok(())
    }
}

fn to_text_if_nested(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if column.data_type().is_nested() { to_text(column) } else { Ok(Arc::clone(column)) }
}

/// The values of a nested column as texts.
pub(super) fn to_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let mut text = LargeStringBuilder::with_capacity(column.len(), column.len() * 32);
    for row in 0..column.len() {
        if column.is_null(row) {
            text.append_null();
        } else {
            formatter.value(row).write(&mut text)?;
            text.append_value("");
        }
    }
    Ok(Arc::new(text.finish()))
}
