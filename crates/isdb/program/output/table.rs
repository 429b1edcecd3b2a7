//! Rows as an aligned table. Column widths come from the first batch, so that any number of rows streams through in bounded memory;
//! a wider value of a later batch moves the rest of its line.

use std::fmt::Write as _;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::program::error::CliError;
use crate::program::output::row_writer::RowWriter;

/// Writes batches of one schema as one table.
pub(crate) struct TableWriter<W: Write> {
    sink: W,
    names: Vec<String>,
    numeric: Vec<bool>,
    widths: Vec<usize>,
    has_header: bool,
}

impl<W: Write> TableWriter<W> {
    pub(crate) fn new(sink: W, schema: &SchemaRef) -> TableWriter<W> {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        TableWriter {
            sink,
            numeric: schema.fields().iter().map(|field| is_number(field.data_type())).collect(),
            widths: names.iter().map(|name| name.chars().count()).collect(),
            names,
            has_header: false,
        }
    }

    fn header(&mut self) -> Result<(), ArrowError> {
        self.has_header = true;
        let mut line = String::new();
        for (column, name) in self.names.iter().enumerate() {
            self.pad(&mut line, column, name);
        }
        writeln!(self.sink, "{}", line.trim_end())?;
        let rules: Vec<String> = self.widths.iter().map(|width| "-".repeat(*width)).collect();
        writeln!(self.sink, "{}", rules.join("-+-"))?;
        Ok(())
    }

    fn pad(&self, line: &mut String, column: usize, cell: &str) {
        if column > 0 {
            line.push_str(" | ");
        }
        let width = self.widths.get(column).copied().unwrap_or(0);
        // Writing into a string cannot fail.
        let _ = match self.numeric.get(column) {
            Some(true) => write!(line, "{cell:>width$}"),
            _ => write!(line, "{cell:<width$}"),
        };
    }
}

impl<W: Write> RowWriter for TableWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let options = FormatOptions::default().with_null("NULL");
        let formatters: Vec<ArrayFormatter<'_>> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<_, _>>()?;
        if !self.has_header {
            for (width, formatter) in self.widths.iter_mut().zip(&formatters) {
                for row in 0..batch.num_rows() {
                    *width = (*width).max(formatter.value(row).to_string().chars().count());
                }
            }
            self.header()?;
        }
        let (mut line, mut cell) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            line.clear();
            for (column, formatter) in formatters.iter().enumerate() {
                cell.clear();
                formatter.value(row).write(&mut cell)?;
                self.pad(&mut line, column, &cell);
            }
            writeln!(self.sink, "{}", line.trim_end()).map_err(ArrowError::from)?;
        }
        Ok(())
    }

    /// A table without rows consists of its header.
    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        if !self.has_header {
            self.header()?;
        }
        Ok(())
    }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_numeric()
}
