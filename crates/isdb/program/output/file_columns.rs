//! The columns of Parquet and Arrow files: those of the rows and their geometry, for readers of all ages if that is wanted.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};

use crate::program::error::CliError;
use crate::program::output::choice::GeometryChoice;
use crate::program::output::geometry::{GEOMETRY, GeometryColumn};
use crate::program::output::labelled::LabelledColumns;

/// How the columns of a file differ from those of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileOptions {
    /// Profiles become a column for each element.
    pub(crate) is_flat: bool,
    /// Timestamps in microseconds and plain encodings.
    pub(crate) is_compatible: bool,
}

/// The columns of a file.
pub(crate) struct FileColumns {
    geometry: Option<GeometryColumn>,
    labelled: Option<LabelledColumns>,
    schema: SchemaRef,
}

impl FileColumns {
    /// The columns for rows of `schema`.
    ///
    /// # Errors
    /// As for [`GeometryColumn::new`].
    pub(crate) fn new(
        schema: &SchemaRef,
        geometry: &GeometryChoice,
        options: FileOptions,
    ) -> Result<FileColumns, CliError> {
        let geometry = GeometryColumn::new(schema, geometry)?;
        let schema = geometry.as_ref().map_or(schema, GeometryColumn::schema);
        let labelled = options.is_flat.then(|| LabelledColumns::new(schema, None));
        let schema = labelled.as_ref().map_or(schema, LabelledColumns::schema);
        let schema = if options.is_compatible { in_microseconds(schema) } else { Arc::clone(schema) };
        Ok(FileColumns { geometry, labelled, schema })
    }

    /// The schema of the file.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows with these columns.
    pub(crate) fn rows(&mut self, batch: &RecordBatch) -> Result<RecordBatch, CliError> {
        let with_geometry = self.geometry.as_mut().map(|geometry| geometry.add_to(batch)).transpose()?;
        let batch = with_geometry.as_ref().unwrap_or(batch);
        let columns = match &self.labelled {
            Some(labelled) => labelled.columns(batch)?,
            None => batch.columns().to_vec(),
        };
        let typed = columns.iter().zip(self.schema.fields()).map(|(column, field)| match field.data_type() {
            kind if kind == column.data_type() => Ok(ArrayRef::clone(column)),
            kind => cast(column, kind),
        });
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), typed.collect::<Result<_, _>>()?)?)
    }

    /// The name of the geometry, if there is one.
    pub(crate) fn geometry(&self) -> Option<&'static str> {
        self.geometry.as_ref().map(|_| GEOMETRY)
    }

    /// The value of the key `geo` of a Parquet file with the rows so far.
    pub(crate) fn geo(&self) -> Option<String> {
        self.geometry.as_ref().map(GeometryColumn::geo)
    }
}

fn in_microseconds(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &FieldRef| -> FieldRef {
        match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
                let kind = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                Arc::new(Field::clone(field).with_data_type(kind))
            }
            _ => FieldRef::clone(field),
        }
    };
    let fields: Vec<_> = schema.fields().iter().map(field).collect();
    Arc::new(Schema::new(fields).with_metadata(schema.metadata().clone()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{FixedSizeListArray, TimestampNanosecondArray};
    use arrow::datatypes::Float32Type;

    use super::*;

    #[test]
    fn profiles_become_columns_and_times_microseconds_where_that_is_wanted() {
        let lists = [Some([1.0, 2.0].map(Some)), None];
        let lists = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(lists, 2);
        let times = TimestampNanosecondArray::from(vec![1_999, 2_000]).with_timezone("UTC");
        let columns: [(&str, ArrayRef); 2] = [("time", Arc::new(times)), ("profile", Arc::new(lists))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let options = FileOptions { is_flat: true, is_compatible: true };
        let mut columns = FileColumns::new(&batch.schema(), &GeometryChoice::None, options).unwrap();
        let written = columns.rows(&batch).unwrap();
        let names: Vec<_> = written.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["time", "profile_1", "profile_2"]);
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(written.column(0).data_type(), &utc);
        let mut plain = FileColumns::new(&batch.schema(), &GeometryChoice::None, FileOptions::default()).unwrap();
        assert_eq!(plain.rows(&batch).unwrap(), batch);
    }
}
