//! The columns of rows as the attributes of features, for formats that are written row by row: each has one of a few types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type, TimeUnit};
use arrow::error::ArrowError;

use crate::program::output::labelled::LabelledColumns;

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttributeType {
    Boolean,
    Int32,
    Int64,
    Float32,
    Float64,
    Text,
    /// A date and time in UTC, as ISO 8601.
    DateTime,
}

/// The value of an attribute. NULL is `None` of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AttributeValue<'a> {
    Boolean(bool),
    Int32(i32),
    Int64(i64),
    Float32(f32),
    Float64(f64),
    Text(&'a str),
    DateTime(&'a str),
}

/// The attributes of the rows of a result.
pub(crate) struct Attributes {
    labelled: LabelledColumns,
    types: Vec<AttributeType>,
}

/// The attributes of the rows of a batch, each of the Arrow type of its [`AttributeType`].
pub(crate) struct AttributeRows<'a> {
    types: &'a [AttributeType],
    columns: Vec<ArrayRef>,
}

impl Attributes {
    /// Describes the attributes of rows with these columns.
    pub(crate) fn new(labelled: LabelledColumns) -> Attributes {
        let types = labelled.schema().fields().iter().map(|field| attribute_type(field.data_type())).collect();
        Attributes { labelled, types }
    }

    /// The names and types.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, AttributeType)> {
        let names = self.labelled.schema().fields().iter().map(|field| field.name().as_str());
        names.zip(self.types.iter().copied())
    }

    /// The attributes of the rows of `batch`.
    ///
    /// # Errors
    /// For an unsigned integer that is too large for the signed type of these formats.
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<AttributeRows<'_>, ArrowError> {
        let columns = self.labelled.columns(batch)?;
        let columns = columns.iter().zip(&self.types).map(|(column, kind)| to_type(column, *kind));
        Ok(AttributeRows { types: &self.types, columns: columns.collect::<Result<_, _>>()? })
    }
}

fn attribute_type(kind: &DataType) -> AttributeType {
    match kind {
        DataType::Boolean => AttributeType::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => AttributeType::Int32,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => AttributeType::Int64,
        DataType::Float16 | DataType::Float32 => AttributeType::Float32,
        DataType::Float64 | DataType::Decimal128(..) | DataType::Decimal256(..) => AttributeType::Float64,
        DataType::Timestamp(..) => AttributeType::DateTime,
        _ => AttributeType::Text,
    }
}

fn to_type(column: &ArrayRef, kind: AttributeType) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |column: &ArrayRef, kind: &DataType| cast_with_options(column, kind, &options);
    match kind {
        AttributeType::Boolean => Ok(Arc::clone(column)),
        AttributeType::Int32 => cast(column, &DataType::Int32),
        AttributeType::Int64 => cast(column, &DataType::Int64),
        AttributeType::Float32 => cast(column, &DataType::Float32),
        AttributeType::Float64 => cast(column, &DataType::Float64),
        // Milliseconds are what the readers of these formats have.
        AttributeType::DateTime => {
            let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
            cast(&cast(column, &utc)?, &DataType::Utf8)
        }
        AttributeType::Text => match column.data_type() {
            DataType::Utf8 => Ok(Arc::clone(column)),
            nested if nested.is_nested() => super::csv::to_text(column).and_then(|text| cast(&text, &DataType::Utf8)),
            _ => cast(column, &DataType::Utf8),
        },
    }
}

impl AttributeRows<'_> {
    /// The values of a row, in the order of the columns.
    pub(crate) fn values(&self, row: usize) -> impl Iterator<Item = Option<AttributeValue<'_>>> {
        self.types.iter().zip(&self.columns).map(move |(kind, column)| {
            column.is_valid(row).then(|| match kind {
                AttributeType::Boolean => AttributeValue::Boolean(column.as_boolean().value(row)),
                AttributeType::Int32 => AttributeValue::Int32(column.as_primitive::<Int32Type>().value(row)),
                AttributeType::Int64 => AttributeValue::Int64(column.as_primitive::<Int64Type>().value(row)),
                AttributeType::Float32 => AttributeValue::Float32(column.as_primitive::<Float32Type>().value(row)),
                AttributeType::Float64 => AttributeValue::Float64(column.as_primitive::<Float64Type>().value(row)),
                AttributeType::Text => AttributeValue::Text(column.as_string::<i32>().value(row)),
                AttributeType::DateTime => AttributeValue::DateTime(column.as_string::<i32>().value(row)),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int8Array, TimestampNanosecondArray, UInt64Array};
    use arrow::datatypes::UInt8Type;

    use super::*;

    #[test]
    fn values_have_the_type_of_their_attribute_and_a_number_that_does_not_fit_is_an_error() {
        let beams: DictionaryArray<UInt8Type> = ["gt1l", "gt2r"].into_iter().collect();
        let times = TimestampNanosecondArray::from(vec![Some(1_600_000_000_123_456_789), None]).with_timezone("UTC");
        let batch = |large: u64| {
            let columns: [(&str, ArrayRef); 4] = [
                ("beam", Arc::new(beams.clone())),
                ("time", Arc::new(times.clone())),
                ("flag", Arc::new(Int8Array::from(vec![None, Some(-1)]))),
                ("id", Arc::new(UInt64Array::from(vec![large, 2]))),
            ];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        let attributes = Attributes::new(LabelledColumns::new(&batch(1).schema(), None));
        let types: Vec<AttributeType> = attributes.iter().map(|(_, kind)| kind).collect();
        assert_eq!(types, [AttributeType::Text, AttributeType::DateTime, AttributeType::Int32, AttributeType::Int64]);
        let batch_of_one = batch(1);
        let rows = attributes.rows(&batch_of_one).unwrap();
        let first: Vec<_> = rows.values(0).collect();
        let time = AttributeValue::DateTime("2020-09-13T12:26:40.123Z");
        assert_eq!(first, [Some(AttributeValue::Text("gt1l")), Some(time), None, Some(AttributeValue::Int64(1))]);
        assert_eq!(rows.values(1).nth(2), Some(Some(AttributeValue::Int32(-1))));
        assert!(attributes.rows(&batch(u64::MAX)).is_err());
    }
}
