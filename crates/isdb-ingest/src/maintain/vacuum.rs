//! Vacuum: deletes files that no snapshot can see any more.

use isdb_store::{Database, Location, Vacuumed, Writer};

use crate::clock::now_ms;
use crate::error::Result;

/// Deletes files of the database at `location` whose content has not been visible for `older_than_ms` milliseconds.
///
/// # Errors
/// When the database does not exist, another process is writing, or a file cannot be deleted.
pub async fn vacuum(location: &Location, older_than_ms: u64) -> Result<Vacuumed> {
    let database = Database::open(location).await?;
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    Ok(writer.vacuum(now_ms(), older_than_ms).await?)
}
