//! Recovery: what an earlier writer wrote and never committed. What no snapshot can see is taken out of TileDB's sight; what a
//! snapshot could see is declared dead instead, so that no reader is disturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tiledb::Vfs;

use crate::commit::Commit;
use crate::durable::sync_folder;
use crate::error::{Error, Result};
use crate::fault;
use crate::listing::{COMMIT_FILES, OnDisk, fragments_on_disk, schemas_on_disk, timestamp_of};
use crate::location::{Location, SPILL, STAGING};
use crate::log::STAGED_COMMIT;
use crate::recorded::Recorded;

/// How old something staged must be before it goes: whoever stages it may have been stopped, and wake up.
const STAGED_AGE_MS: u64 = 24 * 3_600_000;

/// What no commit records. Must be listed before the commit by which a writer takes over: what is written later is another
/// writer's.
#[derive(Debug)]
pub(crate) struct Strays {
    /// Those of `segments` and of `granules`.
    pub(crate) arrays: [ArrayStrays; 2],
    staged: Vec<PathBuf>,
}

/// What no commit records of one array.
#[derive(Debug, Default)]
pub(crate) struct ArrayStrays {
    /// Fragments that snapshots at the commit's timestamp can see, written late by a writer that had been taken over.
    pub(crate) visible: Vec<String>,
    /// Folders of fragments that no snapshot can see.
    pub(crate) folders: Vec<String>,
    /// Names and commit files of fragments that a later commit would make visible.
    commit_files: Vec<(String, String)>,
    schemas: Vec<String>,
}

impl Strays {
    /// Lists the database at `location`, whose newest commit is `head`; the clock says `now_ms`.
    pub(crate) fn list(
        vfs: &Vfs,
        location: &Location,
        head: &Commit,
        recorded: &Recorded,
        now_ms: u64,
    ) -> Result<Strays> {
        let mut arrays: [ArrayStrays; 2] = Default::default();
        let states = head.arrays().into_iter().zip(recorded.arrays());
        for ((array, (state, fragments)), uri) in arrays.iter_mut().zip(states).zip(location.arrays()) {
            let live = fragments.live.values().map(|fragment| fragment.name.as_str());
            let known = live.chain(state.dead.iter().map(|dead| dead.name.as_str())).collect();
            *array = strays_of(fragments_on_disk(vfs, &uri)?, &known, head.timestamp);
            array.folders.retain(|name| !fragments.hidden.contains_key(name));
            array.schemas = later_schemas(schemas_on_disk(vfs, &uri)?, head.timestamp);
        }
        Ok(Strays { arrays, staged: staged(location, now_ms)? })
    }

    /// How many files of fragments and schemas, and how many staged ones, a sweep removes.
    pub(crate) fn count(&self) -> (usize, usize) {
        let files = self.arrays.iter().map(|array| array.commit_files.len() + array.schemas.len());
        (files.sum(), self.staged.len())
    }

    /// Removes what must not become visible, and what was staged. Returns the fragments whose commit files could not be removed.
    pub(crate) fn sweep(&self, vfs: &Vfs, location: &Location) -> Result<[Vec<String>; 2]> {
        let mut left: [Vec<String>; 2] = Default::default();
        for (array, left) in self.arrays.iter().zip(&mut left) {
            for (name, file) in &array.commit_files {
                fault::reached("sweep-each");
                if vfs.remove_file(file).is_err() && vfs.is_file(file)? {
                    left.push(name.clone());
                }
            }
            for file in &array.schemas {
                vfs.remove_file(file)?;
            }
        }
        // A commit file that a power cut brings back would name a folder that a vacuum has removed, and fail every open.
        for (array, uri) in self.arrays.iter().zip(location.arrays()) {
            if !array.commit_files.is_empty() {
                sync_folder(&Path::new(&uri).join(COMMIT_FILES))?;
            }
        }
        for path in &self.staged {
            // Nobody reads it; a later take over tries again.
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
        Ok(left)
    }
}

fn strays_of(listed: BTreeMap<String, OnDisk>, known: &BTreeSet<&str>, timestamp: u64) -> ArrayStrays {
    let mut strays = ArrayStrays::default();
    for (name, on_disk) in listed.into_iter().filter(|(name, _)| !known.contains(name.as_str())) {
        let written = timestamp_of(&name);
        match on_disk.commit_file {
            Some(_) if written.is_none_or(|written| written <= timestamp) => {
                strays.visible.push(name);
                continue;
            }
            Some(file) => strays.commit_files.push((name.clone(), file)),
            None => {}
        }
        if on_disk.folder.is_some() && written.is_some() {
            strays.folders.push(name);
        }
    }
    strays
}

/// The schemas after `timestamp`: variables that were being added when their writer died. The first schema is the array's
/// own, whenever it is dated.
fn later_schemas(mut schemas: Vec<(u64, String)>, timestamp: u64) -> Vec<String> {
    schemas.sort();
    let later = schemas.into_iter().skip(1).filter(|(written, _)| *written > timestamp);
    later.map(|(_, file)| file).collect()
}

/// What lies in `staging` and is of no use: commits that were not created and what was spilled, since their writers end with this
/// take over, and whatever is older than a day.
fn staged(location: &Location, now_ms: u64) -> Result<Vec<PathBuf>> {
    let folder = location.root().join(STAGING);
    let failed = |source| Error::Io { path: folder.display().to_string(), source };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let long_ago = UNIX_EPOCH + Duration::from_millis(now_ms.saturating_sub(STAGED_AGE_MS));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let is_useless = name == SPILL || name.to_string_lossy().starts_with(STAGED_COMMIT);
        let is_old = || entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|at| at < long_ago);
        if is_useless || is_old() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_disk(fragments: &[(u64, bool)]) -> BTreeMap<String, OnDisk> {
        let trace = |(timestamp, finished): &(u64, bool)| {
            let name = format!("__{timestamp}_{timestamp}_x_22");
            let commit_file = finished.then(|| format!("{name}.wrt"));
            (name.clone(), OnDisk { commit_file, folder: Some(name) })
        };
        fragments.iter().map(trace).collect()
    }

    #[test]
    fn what_is_recorded_is_never_touched() {
        let strays = strays_of(on_disk(&[(5, true), (15, true)]), &BTreeSet::from(["__5_5_x_22", "__15_15_x_22"]), 10);
        assert!(strays.commit_files.is_empty() && strays.folders.is_empty() && strays.visible.is_empty());
    }

    #[test]
    fn an_uncommitted_fragment_becomes_invisible_at_once_and_its_folder_is_recorded_as_hidden() {
        let strays = strays_of(on_disk(&[(12, true), (13, false)]), &BTreeSet::new(), 10);
        assert_eq!(strays.commit_files, [("__12_12_x_22".to_owned(), "__12_12_x_22.wrt".to_owned())]);
        assert_eq!(strays.folders, ["__12_12_x_22", "__13_13_x_22"]);
        assert!(strays.visible.is_empty());
    }

    #[test]
    fn a_schema_that_was_never_committed_goes_and_the_array_keeps_its_first_whatever_its_date() {
        let schemas = |times: &[u64]| times.iter().map(|at| (*at, format!("__{at}_{at}_x"))).collect::<Vec<_>>();
        assert_eq!(later_schemas(schemas(&[1, 9, 10, 11]), 10), ["__11_11_x"]);
        assert!(later_schemas(schemas(&[2_000]), 10).is_empty());
    }

    #[test]
    fn a_late_write_that_snapshots_can_see_is_declared_dead_and_not_removed() {
        let strays = strays_of(on_disk(&[(9, true)]), &BTreeSet::new(), 10);
        assert_eq!(strays.visible, ["__9_9_x_22"]);
        assert!(strays.commit_files.is_empty() && strays.folders.is_empty());
    }
}
