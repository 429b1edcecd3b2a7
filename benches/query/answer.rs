//! Describes an answer so that answers of different engines can be compared. `answer.py` computes the same in Python.
//!
//! The order of rows does not matter. The sum of a hash of each row must be equal where values come from storage; where they are
//! computed, the sums of the columns must be close. Columns other than numbers, times and flags are only counted.

use std::error::Error;

use isdb::datafusion::arrow::array::{Array, AsArray, RecordBatch};
use isdb::datafusion::arrow::compute::cast;
use isdb::datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit};
use serde_json::{Value, json};

/// An odd number with well mixed bits.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// What is hashed for NULL: a NaN that no computation returns.
const NULL: u64 = 0x7FF8_0000_0000_0BAD;

/// What is known of one column. Engines add in different orders: the magnitude scales what that may change.
#[derive(Default)]
struct Column {
    valid: usize,
    sum: f64,
    magnitude: f64,
}

/// Describes the rows as JSON: their number, the sum of their hashes, and sums of each column.
pub(crate) fn describe(batches: &[RecordBatch]) -> Result<Value, Box<dyn Error>> {
    let (mut rows, mut hash, mut columns) = (0, 0_u64, Vec::new());
    for batch in batches {
        rows += batch.num_rows();
        columns.resize_with(batch.num_columns(), Column::default);
        let mut hashes = vec![0_u64; batch.num_rows()];
        for (column, values) in columns.iter_mut().zip(batch.columns()) {
            column.valid += values.len() - values.logical_null_count();
            let Some(numbers) = numbers(values.as_ref())? else { continue };
            for (hash, number) in hashes.iter_mut().zip(numbers.as_primitive::<Float64Type>()) {
                // -0.0 + 0.0 is 0.0.
                *hash = (*hash ^ number.map_or(NULL, |number| (number + 0.0).to_bits())).wrapping_mul(MULTIPLIER);
                *hash ^= *hash >> 32;
                column.sum += number.unwrap_or_default();
                column.magnitude += number.unwrap_or_default().abs();
            }
        }
        hash = hashes.into_iter().fold(hash, u64::wrapping_add);
    }
    // Without a row there may be no batch, and thus no column.
    let columns = if rows == 0 { Vec::new() } else { columns };
    let columns: Vec<Value> = columns
        .iter()
        .map(|column| json!({ "valid": column.valid, "sum": column.sum, "magnitude": column.magnitude }))
        .collect();
    Ok(json!({ "rows": rows, "hash": hash, "columns": columns }))
}

/// Returns numbers, times in microseconds and flags as numbers, and `None` for other columns.
fn numbers(values: &dyn Array) -> Result<Option<Box<dyn Array>>, Box<dyn Error>> {
    let times = match values.data_type() {
        DataType::Timestamp(_, zone) => {
            let microseconds = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            Some(cast(&microseconds, &DataType::Int64)?)
        }
        kind if kind.is_numeric() || *kind == DataType::Boolean => None,
        _ => return Ok(None),
    };
    Ok(Some(Box::new(cast(times.as_deref().unwrap_or(values), &DataType::Float64)?)))
}
