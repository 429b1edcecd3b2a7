//! The view `atl08` within a region and a period.

use datafusion::common::ScalarValue;
use datafusion::prelude::{SessionContext, col, lit};
use isdb_schema::period::Period;
use isdb_schema::region::Region;

use crate::error::Result;
use crate::region::lies_in;

/// Lets the view `atl08` show, from now on, only segments whose position lies in `region` and whose time lies in `period`.
///
/// # Errors
/// When `context` has no view `atl08`.
pub async fn within(context: &SessionContext, region: Option<&Region>, period: &Period) -> Result<()> {
    let utc = |nanoseconds: i64| lit(ScalarValue::TimestampNanosecond(Some(nanoseconds), Some("UTC".into())));
    let conditions = [
        region.map(|region| lies_in(region, &col("latitude"), &col("longitude"))),
        period.start.map(|start| col("time").gt_eq(utc(start))),
        period.end.map(|end| col("time").lt(utc(end))),
    ];
    let Some(condition) = conditions.into_iter().flatten().reduce(|all, one| all.and(one)) else { return Ok(()) };
    let shown = context.table("atl08").await?.filter(condition)?;
    context.deregister_table("atl08")?;
    context.register_table("atl08", shown.into_view())?;
    Ok(())
}
