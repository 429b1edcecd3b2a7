//! Fill values of the product, which are NULL here: `canopy_h = -999` and `canopy_h > 3.4e38` find nothing.

use datafusion::logical_expr::Operator;
use isdb_schema::catalogue::named;

use super::codes::{fill, of};
use super::comparison::Comparison;
use super::constant::{constant, number, written};
use super::{View, Warning};

/// From here on a single is the fill of floats, 3.4028235e38, or beyond it.
const LARGE: f64 = 3.4e38;
/// What many tools write in place of a missing value.
const SMALL: [f64; 3] = [-999.0, -9999.0, -99999.0];

pub(super) fn check(comparison: &Comparison<'_>, view: &View<'_>) -> Option<Warning> {
    let column = comparison.column()?;
    let values: Vec<_> = comparison.with.iter().filter_map(|value| constant(value)).collect();
    let seems_fill = |number: f64| match comparison.op {
        Operator::Eq => SMALL.contains(&number) || number >= LARGE,
        Operator::Lt | Operator::LtEq => SMALL.contains(&number),
        Operator::Gt | Operator::GtEq => number >= LARGE,
        _ => false,
    };
    // Column by column the origin is looked for, so that the numbers go first.
    let of_integers = |number: f64| comparison.op == Operator::Eq && number.fract() == 0.0 && number > 100.0;
    let suspect = values.iter().find(|value| number(value).is_some_and(|n| seems_fill(n) || of_integers(n)))?;
    let origin = (view.origin)(column)?;
    named(&origin.column)?;
    let n = number(suspect)?;
    #[expect(clippy::cast_precision_loss, reason = "fills of integers that are not codes are small")]
    let is_fill = seems_fill(n) || (of(&origin).is_none() && fill(&origin).is_some_and(|fill| fill as f64 == n));
    is_fill.then(|| Warning {
        text: format!(
            "{} {} {} finds nothing: what the product marks as fill is NULL here",
            column.name,
            comparison.op,
            written(suspect)
        ),
        hint: format!("write {} IS NULL", column.name),
    })
}
