//! The releases that a database holds: one, but for the time in which one replaces another.

use arrow::array::{Array as _, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;

use crate::error::Result;

/// How many granules of each release stand in the database that `context` shows, if they are of more than one; else nothing.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn coexisting_releases(context: &SessionContext) -> Result<Vec<(String, i64)>> {
    // Most often one column of the ledger tells that there is one release.
    let released = context.sql("SELECT count(DISTINCT release) FROM granules").await?.collect().await?;
    let counted = |index: usize| released.first().map(|batch| batch.column(index).as_primitive::<Int64Type>().values());
    if counted(0).and_then(|counts| counts.first()).is_none_or(|count| *count < 2) {
        return Ok(Vec::new());
    }
    let standing = "SELECT release, count(DISTINCT granule) FROM granules_current WHERE release IS NOT NULL \
                    GROUP BY release ORDER BY release";
    let mut releases = Vec::new();
    for batch in context.sql(standing).await?.collect().await? {
        let (names, counts) = (batch.column(0).as_string::<i64>(), batch.column(1).as_primitive::<Int64Type>());
        releases.extend((0..names.len()).map(|row| (names.value(row).to_owned(), counts.value(row))));
    }
    Ok(if releases.len() > 1 { releases } else { Vec::new() })
}
