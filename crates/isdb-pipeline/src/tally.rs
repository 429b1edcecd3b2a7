//! The tally: counts of one granule, in one row behind the granule's own rows. It travels in the data, so that the plan needs no
//! side channel and runs on any engine.
//!
//! A tally is JSON text. The granule source writes it, the carry operator adds those of carried attempts, the write operator passes it on, and the commit operator reads it. Text costs four bytes in each of the other
//! rows, as a list column would; a list of structs would repeat every field of the tally in the schemas of all operators.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use isdb_schema::catalogue::Variable;
use isdb_schema::columns::granule_fields;
use isdb_schema::ledger::Removed;
use isdb_schema::segments::{self, FRAGMENT_ID};
use serde::{Deserialize, Serialize};

/// The column of the ingest plan that is NULL in a granule's rows and holds the tally in its last one. No derived column can have
/// this name.
pub(crate) const TALLY: &str = "#tally";

/// Counts of one granule, and the error if it cannot be ingested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The attempt's id.
    pub ingest_id: i64,
    /// Checksum of the file's content.
    pub checksum: Option<String>,
    /// Segments in the granule.
    pub rows_read: i64,
    /// Segments to store.
    pub rows_kept: i64,
    /// Segments without position or time.
    pub rows_rejected: i64,
    /// Segments that a filter removed, or that another attempt has stored.
    pub rows_removed: i64,
    /// The removed segments by filter, in the order of the filters.
    pub removed: Vec<Removed>,
    /// Beams with rows.
    pub beams_read: i64,
    /// Beams without rows.
    pub beams_empty: i64,
    /// Beams that the granule does not have.
    pub beams_missing: i64,
    /// Requested variables that are not in the granule, separated by blanks.
    pub missing_variables: Option<String>,
    /// Anomalies of the granule, in words.
    pub notes: Option<String>,
    /// Where the granule failed: one of [`stage`](crate::stage).
    pub stage: Option<String>,
    /// Why nothing of the granule is stored.
    pub error: Option<String>,
}

/// Returns the field of the tally column.
pub(crate) fn tally_field() -> Field {
    Field::new(TALLY, DataType::Utf8, true)
}

/// Returns the columns from which those to store are computed: the segment columns with their `ingest_id`, the requested columns of the
/// granule as a whole, then the tally. All are nullable, because a tally row has nothing else.
pub(crate) fn granule_rows_schema(variables: &[&Variable], granule_columns: &[&str]) -> SchemaRef {
    let segment = segments::stored_fields(variables).into_iter().filter(|field| field.name() != FRAGMENT_ID);
    let granule = granule_fields().into_iter().filter(|field| granule_columns.contains(&field.name().as_str()));
    let mut fields: Vec<Field> = segment.chain(granule).map(|field| field.with_nullable(true)).collect();
    fields.push(tally_field());
    Arc::new(Schema::new(fields))
}

impl Tally {
    /// Marks the granule as failed: none of its rows are passed on. Checksum, beams and notes are kept.
    pub(crate) fn fail(&mut self, stage: &str, error: String) {
        (self.rows_read, self.rows_kept, self.rows_rejected) = (0, 0, 0);
        self.stage = Some(stage.to_owned());
        self.error = Some(error);
    }

    /// Encodes the tally as the last row of its granule.
    pub(crate) fn encode(&self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let text = serde_json::to_string(self).map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let column = |field: &Arc<Field>| -> ArrayRef {
            if field.name() == TALLY {
                Arc::new(StringArray::from_iter_values([&text]))
            } else {
                new_null_array(field.data_type(), 1)
            }
        };
        RecordBatch::try_new(Arc::clone(schema), schema.fields().iter().map(column).collect())
    }

    /// Decodes the tallies of a tally column; NULL rows are skipped.
    ///
    /// # Errors
    /// When the column is not text, or a text is not a tally.
    pub(crate) fn decode(column: &ArrayRef) -> Result<Vec<Tally>, ArrowError> {
        let Some(texts) = column.as_string_opt::<i32>() else {
            return Err(ArrowError::CastError(format!("expected tallies as text, found {}", column.data_type())));
        };
        let read = |text| serde_json::from_str(text).map_err(|error| ArrowError::ExternalError(Box::new(error)));
        texts.iter().flatten().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_survives_encoding_and_decoding() {
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
        let row = tally.encode(&schema).unwrap();
        assert_eq!(row.num_rows(), 1);
        assert_eq!(row.column(0).null_count(), 1);
        assert_eq!(Tally::decode(row.column_by_name(TALLY).unwrap()).unwrap(), [tally]);
    }
}
