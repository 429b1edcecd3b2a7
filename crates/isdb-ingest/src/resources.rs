//! What an ingest or a consolidation may use of the machine.

use isdb_pipeline::Resources;
use isdb_store::Location;

use crate::error::{Error, Result};

/// For the writer that has taken over: `threads` cores and `memory` bytes, spilling beside the database: that disk has room for what is to be stored on it.
pub(crate) fn resources(location: &Location, threads: usize, memory: usize) -> Result<Resources> {
    let spill = location.spill();
    std::fs::create_dir_all(&spill).map_err(|source| Error::Io { path: spill.clone(), source })?;
    Ok(Resources { threads, memory, spill })
}
