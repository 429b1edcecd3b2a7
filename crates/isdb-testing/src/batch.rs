//! Batches of which a test fills only the columns that it is about.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, LargeStringArray, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};

/// Returns a batch of `schema` with these columns. The others are NULL, or where that is not allowed 0 or empty.
#[must_use]
pub fn batch(schema: &SchemaRef, columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let rows = columns.first().map_or(0, |(_, column)| column.len());
    let filled = schema.fields().iter().map(|field| -> ArrayRef {
        let given = columns.iter().find(|(name, _)| name == field.name());
        match (given, field.data_type()) {
            (Some((_, column)), kind) => cast(column, kind).expect("a test may fail"),
            (None, kind) if field.is_nullable() => new_null_array(kind, rows),
            (None, kind @ DataType::Dictionary(..)) => {
                let first = field.metadata()["enumeration"].split(' ').next().unwrap_or_default();
                cast(&LargeStringArray::from(vec![first; rows]), kind).expect("a test may fail")
            }
            (None, DataType::LargeUtf8) => Arc::new(LargeStringArray::from(vec![""; rows])),
            (None, kind) => cast(&Int64Array::from(vec![0; rows]), kind).expect("a test may fail"),
        }
    });
    RecordBatch::try_new(Arc::clone(schema), filled.collect()).expect("a test may fail")
}
