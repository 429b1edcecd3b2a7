//! The tally: one row per granule that flows through the ingest plan behind the granule's own rows, and tells what was
//! read. It travels in the data, so that the plan needs no side channel and runs on any engine.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use isdb_schema::catalogue::Variable;
use isdb_schema::columns::granule_fields;
use isdb_schema::ledger::Removed;
use isdb_schema::segments::{self, FRAGMENT_ID};
use serde::{Deserialize, Serialize};

/// The column of the ingest plan that is NULL in a granule's rows and holds the tally in its last one. No derived column can
/// have this name.
pub(crate) const TALLY: &str = "#tally";

/// What was read of one granule, and why not if it could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The attempt's id.
    pub ingest_id: i64,
    /// The checksum of the file's content.
    pub checksum: Option<String>,
    /// Segments in the granule.
    pub rows_read: i64,
    /// Segments handed on.
    pub rows_kept: i64,
    /// Segments without position or time.
    pub rows_rejected: i64,
    /// Segments that a filter removed.
    pub rows_removed: i64,
    /// What each filter removed, in their order.
    pub removed: Vec<Removed>,
    /// Beams with rows.
    pub beams_read: i64,
    /// Beams without rows.
    pub beams_empty: i64,
    /// Beams that the granule does not have.
    pub beams_missing: i64,
    /// Variables that were asked for and are not in the granule, separated by blanks.
    pub missing_variables: Option<String>,
    /// What was found odd in the granule, for people.
    pub notes: Option<String>,
    /// Where it failed: `decode` or `filter`.
    pub stage: Option<String>,
    /// Why nothing of the granule was handed on.
    pub error: Option<String>,
}

/// The tally column: JSON, since a text that is NULL in nearly every row weighs next to nothing on its way.
pub(crate) fn tally_field() -> Field {
    Field::new(TALLY, DataType::Utf8, true)
}

/// The columns that leave the granule source: those of the segments with their `ingest_id`, the asked ones of the granule as
/// a whole, then the tally. All are nullable: a tally row has nothing else.
pub(crate) fn granule_rows_schema(variables: &[&Variable], granule_columns: &[&str]) -> SchemaRef {
    let segment = segments::stored_fields(variables).into_iter().filter(|field| field.name() != FRAGMENT_ID);
    let granule = granule_fields().into_iter().filter(|field| granule_columns.contains(&field.name().as_str()));
    let mut fields: Vec<Field> = segment.chain(granule).map(|field| field.with_nullable(true)).collect();
    fields.push(tally_field());
    Arc::new(Schema::new(fields))
}

impl Tally {
    /// Makes it that of a granule of which nothing is handed on; what was found in the file stays told.
    pub(crate) fn fail(&mut self, stage: &str, error: String) {
        (self.rows_read, self.rows_kept, self.rows_rejected) = (0, 0, 0);
        self.stage = Some(stage.to_owned());
        self.error = Some(error);
    }

    /// The tally as the last row of its granule.
    pub(crate) fn to_row(&self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let told = serde_json::to_string(self).map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let column = |field: &Arc<Field>| -> ArrayRef {
            if field.name() == TALLY {
                Arc::new(StringArray::from_iter_values([&told]))
            } else {
                new_null_array(field.data_type(), 1)
            }
        };
        RecordBatch::try_new(Arc::clone(schema), schema.fields().iter().map(column).collect())
    }

    /// The tallies of a tally column, NULL rows passed over.
    ///
    /// # Errors
    /// When a text of it is no tally.
    pub(crate) fn from_column(column: &ArrayRef) -> Result<Vec<Tally>, ArrowError> {
        let Some(texts) = column.as_string_opt::<i32>() else {
            return Err(ArrowError::CastError(format!("a tally is text, not {}", column.data_type())));
        };
        let read = |text| serde_json::from_str(text).map_err(|error| ArrowError::ExternalError(Box::new(error)));
        texts.iter().flatten().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_comes_out_of_its_row_as_it_went_in() {
        let schema = granule_rows_schema(&[], &[]);
        let tally = Tally {
            ingest_id: 7,
            rows_read: 3,
            rows_kept: 2,
            rows_rejected: 1,
            rows_removed: 4,
            removed: vec![Removed { filter: "night".into(), removed: 4, null: 2, alone: 5, stored_by: vec![3] }],
            beams_read: 4,
            beams_empty: 1,
            beams_missing: 1,
            error: Some("e".into()),
            checksum: Some("xxh64:5".into()),
            ..Tally::default()
        };
        let row = tally.to_row(&schema).unwrap();
        assert_eq!(row.num_rows(), 1);
        assert_eq!(row.column(0).null_count(), 1);
        assert_eq!(Tally::from_column(row.column_by_name(TALLY).unwrap()).unwrap(), [tally]);
    }
}
