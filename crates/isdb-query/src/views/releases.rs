//! Releases of the granules in a database: one, except while one release replaces another.

use arrow::array::{Array as _, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;

use crate::error::Result;

/// Returns the releases in the database that is registered in `context`, with the number of current granules of each. Empty if
/// all granules are of one release.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn mixed_releases(context: &SessionContext) -> Result<Vec<(String, i64)>> {
    // Usually there is one release, and one column of the ledger is enough to know that.
    let released = context.sql("SELECT count(DISTINCT release) FROM granules").await?.collect().await?;
    let counted = |index: usize| released.first().map(|batch| batch.column(index).as_primitive::<Int64Type>().values());
    if counted(0).and_then(|counts| counts.first()).is_none_or(|count| *count < 2) {
        return Ok(Vec::new());
    }
    let current = "SELECT release, count(DISTINCT granule) FROM granules_current WHERE release IS NOT NULL \
                    GROUP BY release ORDER BY release";
    let mut releases = Vec::new();
    for batch in context.sql(current).await?.collect().await? {
        let (names, counts) = (batch.column(0).as_string::<i64>(), batch.column(1).as_primitive::<Int64Type>());
        releases.extend((0..names.len()).map(|row| (names.value(row).to_owned(), counts.value(row))));
    }
    Ok(if releases.len() > 1 { releases } else { Vec::new() })
}
