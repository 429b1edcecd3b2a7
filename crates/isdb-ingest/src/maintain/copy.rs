//! Copy: a database at another place, in an object store or on a local disk.

use isdb_store::{Copied, CopyProgress, Location};

use crate::clock::now_ms;
use crate::error::Result;

/// Copies the database `from` to `to`, which must be empty or have an unfinished copy of the same database: then only what is missing is
/// copied. The copy has the newest state, the states of tags and the commit log.
///
/// # Errors
/// When no database exists at `from`, another one or other files are at `to`, a file cannot be read or written, or a vacuum of `from` removed
/// what was still to be copied. Calling it again continues the copy.
pub async fn copy(from: &Location, to: &Location, progress: impl FnMut(CopyProgress)) -> Result<Copied> {
    Ok(isdb_store::copy(from, to, now_ms(), progress).await?)
}
