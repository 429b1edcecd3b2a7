//! Downloaded files that are no longer needed: files of ingested granules, which a killed run left behind, and
//! unreadable files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use isdb_cmr::{delete_downloaded, rename_unreadable};
use isdb_schema::granule_name::GranuleName;

use crate::archive::source::{Archive, Keep};
use crate::decide::ledger::Ledger;
use crate::error::{Error, Result};
use crate::find::stage::IDENTIFY;
use crate::report::IngestReport;
use crate::report::outcome::{OutcomeKind, Warning};

/// The stages in which a failure is due to the file itself, and not to a filter or the database.
const UNREADABLE: [&str; 2] = [IDENTIFY, "decode"];

/// The name of the file that marks a folder whose files are kept.
const KEPT: &str = ".keep";

/// Whether files in `folder` were downloaded to be kept.
#[must_use]
pub fn is_kept(folder: &Path) -> bool {
    folder.join(KEPT).exists()
}

/// Marks the folder if its files are to be kept, for later runs without that option.
pub(super) fn mark_kept(archive: &Archive) -> Result<()> {
    let mark = archive.options.folder.join(KEPT);
    match archive.keep {
        Keep::All => std::fs::write(&mark, "").map_err(|source| Error::Io { path: mark, source }),
        Keep::Earlier | Keep::Nothing => Ok(()),
    }
}

/// Returns the downloaded files of granules that are done in `ledger`, if the folder exists only for downloads.
pub(crate) fn leftovers(archive: &Archive, ledger: &Ledger) -> Vec<PathBuf> {
    if archive.keep != Keep::Nothing {
        return Vec::new();
    }
    let done = ledger.attempts().iter().filter(|attempt| attempt.state.is_done());
    let done: HashSet<&str> = done.map(|attempt| &*attempt.granule).collect();
    let is_done = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()?.parse::<GranuleName>().ok());
        name.is_some_and(|name| done.contains(name.id().as_str()))
    };
    let folders = entries(&archive.options.folder);
    folders.iter().flat_map(|folder| entries(folder)).filter(|path| is_done(path)).collect()
}

/// Deletes the [`leftovers`], and then the folder if it is empty. The caller has the database's lock, so that no other
/// ingest is about to read them.
pub(crate) fn delete_leftovers(archive: &Archive, ledger: &Ledger) {
    for path in leftovers(archive, ledger) {
        let _ = delete_downloaded(&path);
    }
    if archive.keep == Keep::Nothing {
        // Fails if partial downloads of failed granules are left, which the next run resumes.
        let _ = std::fs::remove_dir(&archive.options.folder);
    }
}

/// Renames those of the downloaded `files` that could not be read, so that the next run downloads them again. The
/// outcomes from index `from` of `report` say which.
pub(super) fn set_aside_unreadable(report: &mut IngestReport, from: usize, files: &[PathBuf]) {
    let is_unreadable = |path: &Path| {
        let path = path.display().to_string();
        let mut new = report.granules.iter().skip(from);
        new.any(|outcome| {
            let is_due_to_file = outcome.stage.as_deref().is_some_and(|stage| UNREADABLE.contains(&stage));
            outcome.state == OutcomeKind::Failed && is_due_to_file && outcome.path == path
        })
    };
    let renamed: Vec<(&PathBuf, PathBuf)> = files
        .iter()
        .filter(|path| is_unreadable(path))
        .filter_map(|path| Some((path, rename_unreadable(path)?)))
        .collect();
    for (path, new_path) in renamed {
        let text = format!("cannot be read, renamed to {}; --retry downloads it again", new_path.display());
        report.warnings.push(Warning { path: path.display().to_string(), text });
    }
}

/// Returns the paths in `folder`; none if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
