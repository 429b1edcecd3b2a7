//! Changes of a database that read no granules: variables added, granules removed, fragments consolidated and vacuumed, damage repaired; and
//! copies of it.

use std::path::Path;

use isdb_schema::catalogue::Variable;
use isdb_schema::config::Policy;
use isdb_store::Location;

use crate::library::error::Result;
use crate::library::ingest_types::{
    AddedVariables, CheckProgress, CheckReport, Consolidated, Copied, CopyProgress, Removal, Repaired, Vacuumed,
};
use crate::library::variables::find_variable;

/// The minimum number of fragments that are joined.
const MIN_FRAGMENTS: usize = 2;

/// Adds variables to the database at `location`, by their names in the product. Segments that are already stored have NULL in the
/// new columns until their granules are ingested again.
///
/// # Errors
/// [`Error::UnknownVariable`](crate::Error::UnknownVariable); then the database is unchanged.
pub async fn add_variables<S: AsRef<str>>(location: &Location, names: &[S]) -> Result<AddedVariables> {
    let mut variables: Vec<&'static Variable> = Vec::new();
    for name in names {
        let variable = find_variable(name.as_ref())?;
        if !variables.contains(&variable) {
            variables.push(variable);
        }
    }
    Ok(isdb_ingest::add_variables(location, &variables).await?)
}

/// Removes granules from the database at `location`, in one commit. A name is a granule's id or file name, or a pattern such as
/// `ATL08_2020*`. If `dry_run` is set, nothing is changed. [`Removal::reread`] lists files that the next
/// [`ingest`](crate::ingest()) reads again.
///
/// # Errors
/// [`Error::Ingest`](crate::Error::Ingest) when no granule has a name; then nothing is removed.
pub async fn remove(location: &Location, names: &[String], dry_run: bool) -> Result<Removal> {
    Ok(isdb_ingest::remove(location, names, dry_run).await?)
}

/// Joins fragments of the database at `location` as `policy` says, with `threads` processors and about `memory` bytes for rows.
/// Rows that do not fit are spilled to the existing folder `spill`, or to a folder within the database.
/// `progress` is called with the number of groups done and their total.
///
/// # Errors
/// [`Error::Ingest`](crate::Error::Ingest); groups that were joined before stay joined.
pub async fn consolidate(
    location: &Location,
    policy: Policy,
    threads: usize,
    memory: usize,
    spill: Option<&Path>,
    progress: impl FnMut(usize, usize),
) -> Result<Consolidated> {
    Ok(isdb_ingest::consolidate(location, policy, MIN_FRAGMENTS, threads, memory, spill, progress).await?)
}

/// Deletes fragments and commits of the database at `location` that no state of the last `older_than_ms` milliseconds shows.
/// Readers of older states end with an error that [`is_expired`](crate::Error::is_expired).
///
/// # Errors
/// [`Error::Ingest`](crate::Error::Ingest) when another writer holds the database, or a file cannot be deleted.
pub async fn vacuum(location: &Location, older_than_ms: u64) -> Result<Vacuumed> {
    Ok(isdb_ingest::vacuum(location, older_than_ms).await?)
}

/// Reads everything that the database at `location` consists of, and reports what is damaged; nothing is changed. A database that TileDB
/// cannot open is checked as well. `progress` is called at the beginning and after each fragment.
///
/// # Errors
/// [`Error::Store`](crate::Error::Store) when no database exists there, or something cannot be read now although it may be whole.
pub async fn check(location: &Location, progress: impl FnMut(CheckProgress)) -> Result<CheckReport> {
    Ok(isdb_store::check(location, progress).await?)
}

/// Checks the database at `location` and repairs it if `confirm` returns true for what was found; returns None if it does not. What other
/// files repeat is restored, and only what cannot be read is dropped. The next [`ingest`](crate::ingest()) reads the files of incomplete
/// granules again. An interrupted repair is continued by the next one.
///
/// # Errors
/// [`Error::Ingest`](crate::Error::Ingest) as for [`check`], when the newest state is unknown, or when another writer holds the database.
pub async fn repair(
    location: &Location,
    progress: impl FnMut(CheckProgress),
    confirm: impl AsyncFnOnce(&CheckReport) -> bool,
) -> Result<Option<Repaired>> {
    Ok(isdb_ingest::repair(location, progress, confirm).await?)
}

/// Copies the database `from` to `to`, which must be empty, or have an unfinished copy of the same database: then only what is missing is
/// copied. The copy has the newest state, the states of tags, and the commit log; states that neither needs have expired in it. Nothing opens
/// it before it is whole. `from` may be written to meanwhile. `progress` is called at the beginning and after each fragment.
///
/// # Errors
/// [`Error::Ingest`](crate::Error::Ingest) when no database exists at `from`, another one or other files are at `to`, a file cannot be read or
/// written, or a vacuum of `from` removed what was still to be copied. Calling it again continues the copy.
pub async fn copy(from: &Location, to: &Location, progress: impl FnMut(CopyProgress)) -> Result<Copied> {
    Ok(isdb_ingest::copy(from, to, progress).await?)
}
