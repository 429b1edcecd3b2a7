//! The tally: one row per granule that flows through the ingest plan behind the granule's own rows, and tells what was
//! read. It travels in the data, so that the plan needs no side channel and runs on any engine.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray, Int64Array, LargeStringArray, RecordBatch, StructArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use isdb_schema::catalogue::Variable;
use isdb_schema::columns::granule_fields;
use isdb_schema::ledger::Removed;
use isdb_schema::segments::{self, FRAGMENT_ID};

/// The column of the ingest plan that is NULL in a granule's rows and holds the tally in its last one. No derived column can
/// have this name.
pub(crate) const TALLY: &str = "#tally";

/// What was read of one granule, and why not if it could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

/// The type of the tally column.
pub(crate) fn tally_fields() -> Fields {
    let count = |name: &str| Field::new(name, DataType::Int64, false);
    let text = |name: &str| Field::new(name, DataType::LargeUtf8, true);
    Fields::from(vec![
        count("ingest_id"),
        count("rows_read"),
        count("rows_kept"),
        count("rows_rejected"),
        count("rows_removed"),
        text("removed"),
        count("beams_read"),
        count("beams_empty"),
        count("beams_missing"),
        text("missing_variables"),
        text("notes"),
        text("stage"),
        text("error"),
        text("checksum"),
    ])
}

/// The columns that leave the granule source: those of the segments with their `ingest_id`, the asked ones of the granule as
/// a whole, then the tally. All are nullable: a tally row has nothing else.
pub(crate) fn granule_rows_schema(variables: &[&Variable], granule_columns: &[&str]) -> SchemaRef {
    let segment = segments::stored_fields(variables).into_iter().filter(|field| field.name() != FRAGMENT_ID);
    let granule = granule_fields().into_iter().filter(|field| granule_columns.contains(&field.name().as_str()));
    let mut fields: Vec<Field> = segment.chain(granule).map(|field| field.with_nullable(true)).collect();
    fields.push(Field::new(TALLY, DataType::Struct(tally_fields()), true));
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
        let count = |value| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
        let text = |value: &Option<String>| -> ArrayRef { Arc::new(LargeStringArray::from(vec![value.as_deref()])) };
        let tally = StructArray::try_new(
            tally_fields(),
            vec![
                count(self.ingest_id),
                count(self.rows_read),
                count(self.rows_kept),
                count(self.rows_rejected),
                count(self.rows_removed),
                text(&(!self.removed.is_empty()).then(|| Removed::to_json(&self.removed))),
                count(self.beams_read),
                count(self.beams_empty),
                count(self.beams_missing),
                text(&self.missing_variables),
                text(&self.notes),
                text(&self.stage),
                text(&self.error),
                text(&self.checksum),
            ],
            None,
        )?;
        let column = |field: &Arc<Field>| -> ArrayRef {
            if field.name() == TALLY { Arc::new(tally.clone()) } else { new_null_array(field.data_type(), 1) }
        };
        RecordBatch::try_new(Arc::clone(schema), schema.fields().iter().map(column).collect())
    }

    /// The tallies of a tally column, NULL rows passed over.
    pub(crate) fn from_column(column: &StructArray) -> Vec<Tally> {
        let count = |index: usize| column.column(index).as_primitive::<Int64Type>();
        let text = |index: usize| column.column(index).as_string::<i64>();
        let maybe = |index: usize, row: usize| text(index).is_valid(row).then(|| text(index).value(row).to_owned());
        (0..column.len())
            .filter(|row| column.is_valid(*row))
            .map(|row| Tally {
                ingest_id: count(0).value(row),
                rows_read: count(1).value(row),
                rows_kept: count(2).value(row),
                rows_rejected: count(3).value(row),
                rows_removed: count(4).value(row),
                removed: maybe(5, row).map(|text| Removed::from_json(&text)).unwrap_or_default(),
                beams_read: count(6).value(row),
                beams_empty: count(7).value(row),
                beams_missing: count(8).value(row),
                missing_variables: maybe(9, row),
                notes: maybe(10, row),
                stage: maybe(11, row),
                error: maybe(12, row),
                checksum: maybe(13, row),
            })
            .collect()
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
            removed: vec![Removed { filter: "night".into(), removed: 4, null: 2, alone: 5 }],
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
        assert_eq!(Tally::from_column(row.column_by_name(TALLY).unwrap().as_struct()), [tally]);
    }
}
