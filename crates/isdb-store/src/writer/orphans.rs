//! Orphans: files that an earlier writer wrote and no commit records. Files that no snapshot can see are removed. Fragments that a
//! snapshot may see are marked dead instead, so that readers are not disturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::fault;
use crate::files::array_files::{COMMIT_FILES, FragmentFiles, end_timestamp, unrecorded_schemas};
use crate::files::durable::io_error;
use crate::files::fragment_list::{fragments, remove_objects, schemas};
use crate::files::location::{Location, Place, SEGMENTS, SPILL, STAGING};
use crate::files::remote::bucket::{Bucket, Entry};
use crate::ledger::files::LEDGER;
use crate::log::commit_log::STAGED_COMMIT;
use crate::log::names::is_fragment_name;
use crate::log::state::LogState;

/// The age at which a file in `staging` is removed. Younger files may belong to a suspended process that will continue.
const MAX_STAGED_AGE_MS: u64 = 24 * 3_600_000;

/// Files that no commit records. They must be listed before the fence of a takeover: files written later belong to another writer.
#[derive(Debug)]
pub(super) struct Orphans {
    /// Orphans of `segments`.
    pub(super) fragments: FragmentOrphans,
    ledger: Vec<PathBuf>,
    staged: Vec<PathBuf>,
}

/// Files of `segments` that no commit records.
#[derive(Debug, Default)]
pub(super) struct FragmentOrphans {
    /// Fragments that snapshots at the state's timestamp can see, because a replaced writer wrote them late.
    pub(super) visible: Vec<String>,
    /// Folders of fragments that no snapshot can see.
    pub(super) folders: Vec<String>,
    /// Names and commit files of fragments that a later commit would make visible.
    commit_files: Vec<(String, PathBuf)>,
    schemas: Vec<PathBuf>,
}

impl Orphans {
    /// Lists the orphans of the database at `location` after the newest commit, whose state is `recorded`, at the corrected clock's
    /// `now_ms`.
    pub(super) fn list(location: &Location, recorded: &LogState, now_ms: u64) -> Result<Orphans> {
        let segments = &recorded.segments;
        let live = segments.live.into_iter().map(|(_, fragment)| fragment.record.name.as_str());
        let known = live.chain(segments.dead.into_iter().map(|(name, _)| name.as_str())).collect();
        // A file of another name is not a fragment, and a commit cannot name it.
        let mut listed = fragments(location)?;
        listed.retain(|name, _| is_fragment_name(name));
        let mut of_segments = unrecorded(listed, &known, recorded.timestamp);
        of_segments.folders.retain(|name| segments.hidden.get(name).is_none());
        of_segments.schemas = unrecorded_schemas(schemas(location)?, &recorded.schema_timestamps);
        let ledger = ledger_orphans(location, recorded)?;
        Ok(Orphans { fragments: of_segments, ledger, staged: staged_orphans(location, now_ms)? })
    }

    /// The number of files of fragments, schemas and the ledger, and of staged files, that [`remove`](Self::remove) removes.
    pub(super) fn count(&self) -> (usize, usize) {
        let FragmentOrphans { commit_files, schemas, .. } = &self.fragments;
        (commit_files.len() + schemas.len() + self.ledger.len(), self.staged.len())
    }

    /// Removes files that must not become visible, and staged files. Returns the fragments whose commit files could not be removed.
    pub(super) fn remove(&self, location: &Location) -> Result<Vec<String>> {
        if let Some(bucket) = location.bucket() {
            return self.remove_from(bucket);
        }
        let mut failed = Vec::new();
        for (name, file) in &self.fragments.commit_files {
            fault::reached("sweep-each");
            if fs::remove_file(file).is_err() && file.exists() {
                failed.push(name.clone());
            }
        }
        // A commit file that a power cut brings back would name a folder that a vacuum has removed, and every open would fail.
        if !self.fragments.commit_files.is_empty() {
            location.sync(&format!("{SEGMENTS}/{COMMIT_FILES}"))?;
        }
        for file in self.fragments.schemas.iter().chain(&self.ledger) {
            fault::reached("sweep-each");
            match fs::remove_file(file) {
                // Another takeover was faster.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(|source| io_error(file, source))?,
            }
        }
        for path in &self.staged {
            // No process reads staged files; a later takeover tries again.
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        Ok(failed)
    }

    /// [`remove`](Self::remove) in an object store.
    fn remove_from(&self, bucket: &Bucket) -> Result<Vec<String>> {
        let (names, files): (Vec<&String>, Vec<PathBuf>) =
            self.fragments.commit_files.iter().map(|(name, file)| (name, file.clone())).unzip();
        let left = remove_objects(bucket, &files);
        let is_left = |file: &PathBuf| left.iter().any(|(left, _)| left == file);
        let failed = names.into_iter().zip(&files).filter(|(_, file)| is_left(file)).map(|(name, _)| name.clone());
        let others: Vec<PathBuf> = self.fragments.schemas.iter().chain(&self.ledger).cloned().collect();
        if let Some((_, error)) = remove_objects(bucket, &others).into_iter().next() {
            return Err(error);
        }
        // No process reads staged files; a later takeover tries again.
        remove_objects(bucket, &self.staged);
        Ok(failed.collect())
    }
}

/// The files of the ledger that no commit names.
fn ledger_orphans(location: &Location, recorded: &LogState) -> Result<Vec<PathBuf>> {
    let folder = location.path(LEDGER);
    let names = location.names(LEDGER)?.into_iter();
    let is_known = |name: &String| recorded.ledger.live.get(name).is_some() || recorded.ledger.dead.get(name).is_some();
    Ok(names.filter(|name| !is_known(name)).map(|name| folder.join(name)).collect())
}

/// The fragments in `listed` that are not `known`, grouped by whether a snapshot at `timestamp` sees them.
fn unrecorded(listed: BTreeMap<String, FragmentFiles>, known: &BTreeSet<&str>, timestamp: u64) -> FragmentOrphans {
    let mut orphans = FragmentOrphans::default();
    for (name, files) in listed.into_iter().filter(|(name, _)| !known.contains(name.as_str())) {
        let written = end_timestamp(&name);
        match files.commit_file {
            // A writer that was suspended within libtiledb finished it after its folder was vacuumed. It makes every open fail.
            Some(file) if !files.has_folder => {
                orphans.commit_files.push((name.clone(), file));
                orphans.visible.push(name);
                continue;
            }
            Some(_) if written.is_none_or(|written| written <= timestamp) => {
                orphans.visible.push(name);
                continue;
            }
            Some(file) => orphans.commit_files.push((name.clone(), file)),
            None => {}
        }
        if files.has_folder && written.is_some() {
            orphans.folders.push(name);
        }
    }
    orphans
}

/// Files in `staging` that are of no use: commits that were not created and spilled rows, because this takeover ends their writers, and
/// everything older than a day.
fn staged_orphans(location: &Location, now_ms: u64) -> Result<Vec<PathBuf>> {
    let oldest_ms = now_ms.saturating_sub(MAX_STAGED_AGE_MS);
    let root = match location.place() {
        Place::Folder(root) => root,
        Place::Bucket(bucket) => {
            let of = bucket.clone();
            let entries = bucket.wait(async move { of.list(STAGING).await })?;
            let is_old = |entry: &Entry| entry.object.is_some_and(|object| object.modified_ms < oldest_ms);
            let names = entries.into_iter().filter(is_old).map(|entry| entry.name);
            return Ok(names.map(|name| Path::new(STAGING).join(name)).collect());
        }
    };
    let folder = root.join(STAGING);
    let failed = |source| Error::Io { path: folder.display().to_string(), source };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let oldest_kept = UNIX_EPOCH + Duration::from_millis(oldest_ms);
    let mut orphans = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let is_of_writer = name == SPILL || name.to_string_lossy().starts_with(STAGED_COMMIT);
        let is_old = || entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|at| at < oldest_kept);
        if is_of_writer || is_old() {
            orphans.push(entry.path());
        }
    }
    Ok(orphans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_disk(fragments: &[(u64, bool)]) -> BTreeMap<String, FragmentFiles> {
        let files = |(timestamp, finished): &(u64, bool)| {
            let name = format!("__{timestamp}_{timestamp}_x_22");
            let commit_file = finished.then(|| PathBuf::from(format!("{name}.wrt")));
            (name.clone(), FragmentFiles { commit_file, has_folder: true })
        };
        fragments.iter().map(files).collect()
    }

    #[test]
    fn recorded_fragments_are_not_orphans() {
        let orphans =
            unrecorded(on_disk(&[(5, true), (15, true)]), &BTreeSet::from(["__5_5_x_22", "__15_15_x_22"]), 10);
        assert!(orphans.commit_files.is_empty() && orphans.folders.is_empty() && orphans.visible.is_empty());
    }

    #[test]
    fn the_commit_file_of_an_uncommitted_fragment_is_removed_and_its_folder_recorded_as_hidden() {
        let orphans = unrecorded(on_disk(&[(12, true), (13, false)]), &BTreeSet::new(), 10);
        assert_eq!(orphans.commit_files, [("__12_12_x_22".to_owned(), PathBuf::from("__12_12_x_22.wrt"))]);
        assert_eq!(orphans.folders, ["__12_12_x_22", "__13_13_x_22"]);
        assert!(orphans.visible.is_empty());
    }

    #[test]
    fn a_late_fragment_that_snapshots_can_see_is_marked_dead_and_not_removed() {
        let orphans = unrecorded(on_disk(&[(9, true)]), &BTreeSet::new(), 10);
        assert_eq!(orphans.visible, ["__9_9_x_22"]);
        assert!(orphans.commit_files.is_empty() && orphans.folders.is_empty());
    }
}
