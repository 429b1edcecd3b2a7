//! Refuses elements that no list of the column has: `canopy_h_metrics[98]` would be NULL.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ExprSchemable};
use isdb_schema::catalogue::named;

use super::columns::Columns;
use super::constant::constant;
use crate::error::Error;
use crate::sql_text::sql_text;

/// Functions that return one element of a list; `list[i]` is planned as the first.
const ELEMENT_FUNCTIONS: [&str; 2] = ["array_element", "list_element"];

pub(super) fn check(part: &Expr, columns: &Columns<'_>) -> Result<()> {
    let Expr::ScalarFunction(call) = part else { return Ok(()) };
    let [list, index] = call.args.as_slice() else { return Ok(()) };
    if !ELEMENT_FUNCTIONS.contains(&call.func.name()) {
        return Ok(());
    }
    let Some(index) = constant(index).and_then(|value| integer(&value)) else { return Ok(()) };
    let Ok(DataType::FixedSizeList(_, size)) = list.get_type(&(columns.schema)()) else { return Ok(()) };
    // Negative numbers count from the end: [-1] is the last element.
    let is_element = (1..=i64::from(size)).contains(&index.abs());
    if is_element {
        return Ok(());
    }
    let name = sql_text(list);
    let percentile = match list {
        Expr::Column(column) => (columns.origin)(column).and_then(|origin| percentile_position(&origin.column, index)),
        _ => None,
    };
    let hint = percentile.map_or_else(
        || format!("the first is {name}[1], the last {name}[{size}]; `isdb variables {name}` describes them"),
        |position| format!("the percentile {index} is {name}[{position}]; `isdb variables {name}` describes them"),
    );
    Err(Error::statement(format!("{name} has no element {index}: expected 1 to {size}"), hint).into())
}

/// Returns the position, from 1, of a percentile in a column of percentiles.
fn percentile_position(column: &str, percentile: i64) -> Option<usize> {
    let labels = named(column)?.labels.filter(|labels| labels.name == "percentile")?;
    let at = labels.values.split_whitespace().position(|value| value.parse() == Ok(percentile))?;
    Some(at + 1)
}

fn integer(value: &ScalarValue) -> Option<i64> {
    match value.cast_to(&DataType::Int64).ok()? {
        ScalarValue::Int64(integer) => integer,
        _ => None,
    }
}
