//! Repair: restores damaged files, and drops what cannot be read.

use isdb_store::{CheckProgress, CheckReport, Location, Repaired};

use crate::clock::now_ms;
use crate::error::Result;

/// Checks the database at `location` and repairs it if `confirm` returns true for what was found; returns None if it does not. The next
/// [`ingest`](fn@crate::ingest) reads the files of incomplete granules again, whatever its request is.
///
/// # Errors
/// When the database does not exist, its newest state is unknown, another process is writing, or a file cannot be read or written now.
pub async fn repair(
    location: &Location,
    progress: impl FnMut(CheckProgress),
    confirm: impl AsyncFnOnce(&CheckReport) -> bool,
) -> Result<Option<Repaired>> {
    Ok(isdb_store::repair(location, now_ms, progress, confirm).await?)
}
