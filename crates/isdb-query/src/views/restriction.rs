//! Restricts a view to a region and a period.

use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::{col, lit};
use isdb_region::Region;
use isdb_schema::period::Period;

use crate::error::Result;
use crate::functions::in_region::region_predicate;

/// Returns the rows of `view` in `region` and `period`.
///
/// # Errors
/// When `view` has no `latitude`, `longitude` or `time`.
pub(crate) fn restrict(view: DataFrame, region: Option<&Region>, period: &Period) -> Result<DataFrame> {
    let utc = |nanoseconds: i64| lit(ScalarValue::TimestampNanosecond(Some(nanoseconds), Some("UTC".into())));
    let conditions = [
        region.map(|region| region_predicate(region, &col("latitude"), &col("longitude"))),
        period.start.map(|start| col("time").gt_eq(utc(start))),
        period.end.map(|end| col("time").lt(utc(end))),
    ];
    match conditions.into_iter().flatten().reduce(|all, one| all.and(one)) {
        Some(condition) => Ok(view.filter(condition)?),
        None => Ok(view),
    }
}
