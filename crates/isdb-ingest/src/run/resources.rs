//! The threads, memory and disk that a run or a consolidation may use.

use std::path::Path;

use isdb_pipeline::Resources;
use isdb_store::Location;

use crate::error::{Error, Result};

/// Returns `threads` cores and `memory` bytes, with the folder `spill` for rows that do not fit. Without it, creates a folder
/// beside the database: the rows have to fit on that disk anyway. Only for a writer with the lock.
pub(crate) fn resources(location: &Location, threads: usize, memory: usize, spill: Option<&Path>) -> Result<Resources> {
    let spill = match spill {
        Some(folder) => folder.to_owned(),
        None => {
            let folder = location.spill();
            std::fs::create_dir_all(&folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
            folder
        }
    };
    Ok(Resources { threads, memory: memory.saturating_sub(location.upload_memory()), spill })
}

/// Checks that files can be created in the folder `spill`; None is the folder that [`resources`] creates. The engine spills to
/// a folder of its own in it, which it removes at its end.
///
/// # Errors
/// [`Error::Spill`] when it does not exist, or nothing can be created in it.
pub(crate) fn check_spill(spill: Option<&Path>) -> Result<()> {
    let Some(folder) = spill else { return Ok(()) };
    let created = tempfile::Builder::new().prefix("isdb-").tempdir_in(folder).and_then(tempfile::TempDir::close);
    created.map_err(|source| Error::Spill { path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_to_spill_to_must_exist_and_stays_empty_until_rows_are_spilled() {
        let folder = tempfile::tempdir().unwrap();
        check_spill(None).unwrap();
        check_spill(Some(folder.path())).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("missing");
        let error = check_spill(Some(&missing)).unwrap_err().to_string();
        assert_eq!(error, format!("cannot spill rows to {}", missing.display()));
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(check_spill(Some(&file)).is_err());
    }
}
