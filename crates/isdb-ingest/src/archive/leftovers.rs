//! Fetched files that are of no more use: those of granules that are in the database, which a killed run has left behind, and
//! those that cannot be read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use isdb_cmr::{delete_downloaded, rename_unreadable};
use isdb_schema::granule_name::GranuleName;
use isdb_store::LedgerRow;

use crate::archive::{Archive, Keep};
use crate::error::{Error, Result};
use crate::report::{Ended, Report, Warning};

/// Where a file can be at fault. What fails later fails for the sake of a filter, or of the database.
const UNREADABLE: [&str; 2] = ["identify", "decode"];

/// Marks a folder whose files stay.
const KEPT: &str = ".keep";

/// Whether files in `folder` were fetched to be kept.
#[must_use]
pub fn is_kept(folder: &Path) -> bool {
    folder.join(KEPT).exists()
}

/// Notes that files in the folder are to be kept, if so, for runs that do not say.
pub(super) fn mark_kept(archive: &Archive) -> Result<()> {
    let mark = archive.options.folder.join(KEPT);
    match archive.keep {
        Keep::All => std::fs::write(&mark, "").map_err(|source| Error::Io { path: mark, source }),
        Keep::Earlier | Keep::Nothing => Ok(()),
    }
}

/// Fetched files of granules that the ledger calls done, in a folder that is there for fetching only.
pub(crate) fn leftovers(archive: &Archive, ledger: &[LedgerRow]) -> Vec<PathBuf> {
    if archive.keep != Keep::Nothing {
        return Vec::new();
    }
    let done: HashSet<&str> = ledger.iter().filter(|row| row.state.is_done()).map(|row| row.granule.as_str()).collect();
    let is_done = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()?.parse::<GranuleName>().ok());
        name.is_some_and(|name| done.contains(name.id().as_str()))
    };
    let folders = entries(&archive.options.folder);
    folders.iter().flat_map(|folder| entries(folder)).filter(|path| is_done(path)).collect()
}

/// Deletes the [`leftovers`], and the folder when it is empty then. The caller holds the database, so that no other ingest is
/// about to read them.
pub(crate) fn clean_up(archive: &Archive, ledger: &[LedgerRow]) {
    for path in leftovers(archive, ledger) {
        let _ = delete_downloaded(&path);
    }
    if archive.keep == Keep::Nothing {
        // Unfinished files of granules that failed stay for the next run.
        let _ = std::fs::remove_dir(&archive.options.folder);
    }
}

/// Gives those of the `fetched` files that could not be read another name, so that the next run fetches them again. What
/// `report` holds since `from` tells which.
pub(super) fn set_aside_unreadable(report: &mut Report, from: usize, fetched: &[PathBuf]) {
    let is_unreadable = |path: &Path| {
        let path = path.display().to_string();
        let mut new = report.granules.iter().skip(from);
        new.any(|told| {
            let is_of_file = told.stage.as_deref().is_some_and(|stage| UNREADABLE.contains(&stage));
            told.state == Ended::Failed && is_of_file && told.path == path
        })
    };
    let aside: Vec<(&PathBuf, PathBuf)> = fetched
        .iter()
        .filter(|path| is_unreadable(path))
        .filter_map(|path| Some((path, rename_unreadable(path)?)))
        .collect();
    for (path, aside) in aside {
        let text = format!("cannot be read, and is now {}; --retry downloads it again", aside.display());
        report.warnings.push(Warning { path: path.display().to_string(), text });
    }
}

/// What is in `folder`; nothing of what cannot be looked into.
fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
