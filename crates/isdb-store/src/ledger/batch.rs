//! Ledger rows as Arrow record batches, the form in which the ledger's files store them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::FieldRef;
use isdb_schema::ledger::ledger_schema;

use super::row::LedgerRow;
use crate::error::{Error, Result};

impl LedgerRow {
    /// Converts rows to one batch with the columns of [`ledger_schema`].
    ///
    /// # Errors
    /// [`Error::Damaged`] if the fields of the rows do not match the schema.
    pub fn to_batch(rows: &[LedgerRow]) -> Result<RecordBatch> {
        let schema = ledger_schema();
        let fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
        let batch = serde_arrow::to_record_batch(&fields, &rows).map_err(|error| damaged("the ledger", &error))?;
        Ok(RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec())?)
    }

    /// Converts a batch with those columns to rows.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a column is missing or has another type, or a value cannot be parsed.
    pub fn from_batch(batch: &RecordBatch) -> Result<Vec<LedgerRow>> {
        from_batch(batch, "the ledger")
    }
}

fn from_batch(batch: &RecordBatch, uri: &str) -> Result<Vec<LedgerRow>> {
    for field in ledger_schema().fields() {
        let column = batch.schema_ref().field_with_name(field.name()).ok();
        if column.is_none_or(|column| column.data_type() != field.data_type()) {
            let problem = format!("column {} of the ledger is missing or has another type", field.name());
            return Err(Error::Damaged { object: uri.to_owned(), problem });
        }
    }
    serde_arrow::from_record_batch(batch).map_err(|error| damaged(uri, &error))
}

fn damaged(object: &str, error: &serde_arrow::Error) -> Error {
    Error::Damaged { object: object.to_owned(), problem: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::id::Id;
    use crate::ledger::row::tests::row;

    #[test]
    fn rows_are_the_same_after_their_batch() {
        let rows = vec![row(Id(1), "a"), LedgerRow { error: Some("e".to_owned()), subset: None, ..row(Id(2), "b") }];
        let batch = LedgerRow::to_batch(&rows).unwrap();
        assert_eq!(batch.schema(), Arc::new(ledger_schema()));
        assert_eq!(LedgerRow::from_batch(&batch).unwrap(), rows);
    }

    #[test]
    fn every_column_of_the_schema_is_a_field_of_the_row() {
        let text = || Some("x".to_owned());
        let full = LedgerRow {
            cycle: Some(8),
            revision: text(),
            identity_source: text(),
            area: text(),
            missing_variables: text(),
            stage: text(),
            error: text(),
            ..row(Id(1), "a")
        };
        let batch = LedgerRow::to_batch(&[full]).unwrap();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            assert_eq!(column.null_count(), 0, "{}", field.name());
        }
    }

    #[test]
    fn a_row_without_an_outcome_has_null_in_every_optional_column() {
        let batch = LedgerRow::to_batch(&[LedgerRow::new(Id(1))]).unwrap();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            assert_eq!(column.null_count(), usize::from(field.is_nullable()), "{}", field.name());
        }
    }

    #[test]
    fn a_batch_without_a_column_is_refused() {
        let batch = LedgerRow::to_batch(&[row(Id(1), "a")]).unwrap();
        let without_notes: Vec<usize> =
            (0..batch.num_columns()).filter(|at| *at != batch.schema().index_of("notes").unwrap()).collect();
        let error = LedgerRow::from_batch(&batch.project(&without_notes).unwrap()).unwrap_err().to_string();
        assert!(error.contains("column notes"), "{error}");
    }
}
