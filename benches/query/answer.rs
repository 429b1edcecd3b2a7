//! Describes an answer so that answers of different engines can be compared. `answer.py` computes the same for DuckDB.
//!
//! The order of rows does not matter. Integers, times and flags have a wrapping sum, which must be equal; numbers with a fraction
//! have a sum and a magnitude, by which the tolerance is scaled. Times count in microseconds. Sums over the products of neighbouring
//! columns show whether the values of a row belong together.

use std::error::Error;

use isdb::datafusion::arrow::array::{Array, AsArray, RecordBatch};
use isdb::datafusion::arrow::compute::cast;
use isdb::datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use serde_json::{Value, json};

/// What is known of one column.
#[derive(Default)]
struct Column {
    kind: &'static str,
    valid: usize,
    integers: i64,
    sum: f64,
    magnitude: f64,
    pairs: f64,
    pairs_magnitude: f64,
}

/// Describes the rows as JSON: their number, and sums of each column.
pub(crate) fn describe(batches: &[RecordBatch]) -> Result<Value, Box<dyn Error>> {
    let mut columns: Vec<Column> = Vec::new();
    for batch in batches {
        columns.resize_with(batch.num_columns(), Column::default);
        let mut before: Option<Vec<f64>> = None;
        for (column, values) in columns.iter_mut().zip(batch.columns()) {
            let numbers = column.add(values.as_ref())?;
            if let (Some(left), Some(right)) = (&before, &numbers) {
                for product in left.iter().zip(right).map(|(left, right)| left * right) {
                    column.pairs += product;
                    column.pairs_magnitude += product.abs();
                }
            }
            before = numbers;
        }
    }
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let columns: Vec<Value> = if rows == 0 { Vec::new() } else { columns.iter().map(Column::to_json).collect() };
    Ok(json!({ "rows": rows, "columns": columns }))
}

impl Column {
    /// Adds the values of a batch, and returns them as numbers with 0 for NULL.
    fn add(&mut self, values: &dyn Array) -> Result<Option<Vec<f64>>, Box<dyn Error>> {
        self.valid += values.len() - values.logical_null_count();
        let microseconds = |zone: &Option<_>| DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
        let times = match values.data_type() {
            DataType::Timestamp(_, zone) => Some(cast(values, &microseconds(zone))?),
            _ => None,
        };
        let values = times.as_deref().unwrap_or(values);
        match values.data_type() {
            kind if kind.is_floating() => {
                self.kind = "float";
                let numbers = cast(values, &DataType::Float64)?;
                let numbers: Vec<f64> =
                    numbers.as_primitive::<Float64Type>().iter().map(Option::unwrap_or_default).collect();
                self.sum += numbers.iter().sum::<f64>();
                self.magnitude += numbers.iter().map(|number| number.abs()).sum::<f64>();
                Ok(Some(numbers))
            }
            kind if kind.is_integer() || matches!(kind, DataType::Boolean | DataType::Timestamp(..)) => {
                self.kind = "integer";
                let numbers = cast(values, &DataType::Int64)?;
                let numbers = numbers.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default);
                Ok(Some(
                    numbers
                        .map(|number| {
                            self.integers = self.integers.wrapping_add(number);
                            number as f64
                        })
                        .collect(),
                ))
            }
            _ => {
                self.kind = "other";
                Ok(None)
            }
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "kind": self.kind,
            "valid": self.valid,
            "integers": self.integers,
            "sum": self.sum,
            "magnitude": self.magnitude,
            "pairs": self.pairs,
            "pairs_magnitude": self.pairs_magnitude,
        })
    }
}
