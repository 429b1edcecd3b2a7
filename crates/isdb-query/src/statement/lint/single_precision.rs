//! Warns about columns in single precision compared with decimals that have no exact value in it: `canopy_h = 41.472694` finds
//! nothing, even if a query has printed that number, because the column is compared as a double.

use arrow::datatypes::DataType;

use super::columns::Columns;
use super::comparison::Comparison;
use super::constant::{as_number, constant};
use super::warning::Warning;
use crate::sql_text::sql_literal;

pub(super) fn check(comparison: &Comparison<'_>, columns: &Columns<'_>) -> Option<Warning> {
    let column = comparison.column().filter(|_| comparison.is_equality())?;
    let values = comparison.constants.iter().filter_map(|value| constant(value));
    #[expect(clippy::cast_possible_truncation, reason = "detects the loss")]
    let is_single = |double: f64| f64::from(double as f32) == double;
    let value = values.into_iter().find(|value| as_number(value).is_some_and(|double| !is_single(double)))?;
    let is_double_literal = value.data_type() == DataType::Float64;
    let origin = (columns.origin)(column).filter(|_| is_double_literal)?;
    (origin.data_type == DataType::Float32).then(|| {
        let (name, value) = (&column.name, sql_literal(&value));
        Warning {
            text: format!("no {name} is exactly {value}: it is stored in single precision, with about 7 digits"),
            hint: format!("write abs({name} - {value}) < 0.0001, or {name} {} CAST({value} AS REAL)", comparison.op),
        }
    })
}
