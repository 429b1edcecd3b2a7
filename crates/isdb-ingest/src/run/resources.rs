//! The threads, memory and disk that a run or a consolidation may use.

use isdb_pipeline::Resources;
use isdb_store::Location;

use crate::error::{Error, Result};

/// Returns `threads` cores and `memory` bytes, and creates the folder for spilled rows beside the database: the rows
/// have to fit on that disk anyway. Only for a writer with the lock.
pub(crate) fn resources(location: &Location, threads: usize, memory: usize) -> Result<Resources> {
    let spill = location.spill();
    std::fs::create_dir_all(&spill).map_err(|source| Error::Io { path: spill.clone(), source })?;
    Ok(Resources { threads, memory, spill })
}
