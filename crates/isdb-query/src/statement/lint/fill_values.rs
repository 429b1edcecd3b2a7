//! Warns about comparisons with fill values of the product: `canopy_h = -999` and `canopy_h > 3.4e38` find nothing, because they
//! are NULL in a database.

use datafusion::logical_expr::Operator;
use isdb_schema::catalogue::named;

use super::codes::{column_codes, integer_fill};
use super::columns::Columns;
use super::comparison::Comparison;
use super::constant::{as_number, constant};
use super::warning::Warning;
use crate::sql_text::sql_literal;

/// Lower limit for the fill of floats, 3.4028235e38.
const MIN_FLOAT_FILL: f64 = 3.4e38;
/// Values that many tools write for a missing value.
const COMMON_FILLS: [f64; 3] = [-999.0, -9999.0, -99999.0];

pub(super) fn check(comparison: &Comparison<'_>, columns: &Columns<'_>) -> Option<Warning> {
    let column = comparison.column()?;
    let values: Vec<_> = comparison.constants.iter().filter_map(|value| constant(value)).collect();
    let seems_fill = |number: f64| match comparison.op {
        Operator::Eq => COMMON_FILLS.contains(&number) || number >= MIN_FLOAT_FILL,
        Operator::Lt | Operator::LtEq => COMMON_FILLS.contains(&number),
        Operator::Gt | Operator::GtEq => number >= MIN_FLOAT_FILL,
        _ => false,
    };
    // Finding the origin of a column is slow, so the numbers are checked first.
    let seems_integer_fill = |number: f64| comparison.op == Operator::Eq && number.fract() == 0.0 && number > 100.0;
    let suspect =
        values.iter().find(|value| as_number(value).is_some_and(|n| seems_fill(n) || seems_integer_fill(n)))?;
    let origin = (columns.origin)(column)?;
    named(&origin.column)?;
    let n = as_number(suspect)?;
    #[expect(clippy::cast_precision_loss, reason = "fills of integers that are not codes are small")]
    let is_fill = seems_fill(n)
        || (column_codes(&origin).is_none() && integer_fill(&origin).is_some_and(|fill| fill as f64 == n));
    is_fill.then(|| Warning {
        text: format!(
            "{} {} {} finds nothing: fill values of the product are NULL here",
            column.name,
            comparison.op,
            sql_literal(suspect)
        ),
        hint: format!("write {} IS NULL", column.name),
    })
}
