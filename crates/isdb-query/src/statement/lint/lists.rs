//! Elements of profiles that no profile has: `canopy_h_metrics[98]` is NULL to DataFusion.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ExprSchemable};
use isdb_schema::catalogue::named;

use super::constant::constant;
use super::{View, refuse};
use crate::session::dialect::shown;

/// The functions that give one element of a list; `list[i]` is planned as the first.
const ELEMENT: [&str; 2] = ["array_element", "list_element"];

pub(super) fn check(part: &Expr, view: &View<'_>) -> Result<()> {
    let Expr::ScalarFunction(call) = part else { return Ok(()) };
    let [list, index] = call.args.as_slice() else { return Ok(()) };
    if !ELEMENT.contains(&call.func.name()) {
        return Ok(());
    }
    let Some(index) = constant(index).and_then(|value| integer(&value)) else { return Ok(()) };
    let Ok(DataType::FixedSizeList(_, size)) = list.get_type(&(view.schema)()) else { return Ok(()) };
    // From the end, as [-1], is a way to write the last element.
    let is_element = (1..=i64::from(size)).contains(&index.abs());
    if is_element {
        return Ok(());
    }
    let name = shown(list);
    let percentile = match list {
        Expr::Column(column) => (view.origin)(column).and_then(|origin| percentile(&origin.column, index)),
        _ => None,
    };
    let hint = percentile.map_or_else(
        || format!("the first is {name}[1], the last {name}[{size}]; `isdb variables {name}` tells what they are"),
        |element| format!("the percentile {index} is {name}[{element}]; `isdb variables {name}` tells what they are"),
    );
    Err(refuse(format!("{name} has no element {index}: expected 1 to {size}"), hint))
}

/// The element with the label `label` of a profile of percentiles.
fn percentile(column: &str, label: i64) -> Option<usize> {
    let labels = named(column)?.labels.filter(|labels| labels.name == "percentile")?;
    let at = labels.values.split_whitespace().position(|value| value.parse() == Ok(label))?;
    Some(at + 1)
}

fn integer(value: &ScalarValue) -> Option<i64> {
    match value.cast_to(&DataType::Int64).ok()? {
        ScalarValue::Int64(integer) => integer,
        _ => None,
    }
}
