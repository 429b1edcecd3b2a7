//! Geometries in formats of text: well-known text instead of bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use isdb_query::{geometry_texts, is_geometry};

use crate::program::error::CliError;
use crate::program::output::row_writer::RowWriter;

/// Writes rows with a text for each geometry.
pub(crate) struct GeometryTexts<W> {
    rows: W,
    schema: SchemaRef,
    /// Which columns are geometries; empty if none is.
    geometries: Vec<usize>,
}

impl<W: RowWriter> GeometryTexts<W> {
    /// Creates a writer for rows of `schema`, over the one that `writer` creates for their texts.
    pub(crate) fn new(
        schema: &SchemaRef,
        writer: impl FnOnce(&SchemaRef) -> Result<W, CliError>,
    ) -> Result<GeometryTexts<W>, CliError> {
        let fields = schema.fields();
        let geometries = (0..fields.len()).filter(|index| is_geometry(&fields[*index])).collect();
        let text = |field: &FieldRef| match is_geometry(field) {
            true => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
            false => Arc::clone(field),
        };
        let schema =
            Arc::new(Schema::new(fields.iter().map(text).collect::<Vec<_>>()).with_metadata(schema.metadata().clone()));
        Ok(GeometryTexts { rows: writer(&schema)?, schema, geometries })
    }
}

impl<W: RowWriter> RowWriter for GeometryTexts<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        if self.geometries.is_empty() {
            return self.rows.write(batch);
        }
        let mut columns = batch.columns().to_vec();
        for index in &self.geometries {
            let texts: ArrayRef = Arc::new(geometry_texts(&columns[*index]));
            columns[*index] = texts;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        self.rows.write(&RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    fn finish(self: Box<Self>) -> Result<(), CliError> {
        Box::new(self.rows).finish()
    }
}
