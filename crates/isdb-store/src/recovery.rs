//! Recovery: what an earlier writer wrote and never committed. Most of it no snapshot can see, and it is removed; what a
//! snapshot could see is declared dead instead, so that no reader is disturbed.

use std::collections::{BTreeMap, BTreeSet};

use tiledb::Vfs;

use crate::commit::{DeadFragment, FragmentRecord, Recorded};
use crate::error::Result;
use crate::ids::Id;
use crate::listing::{OnDisk, fragments_on_disk, schemas_on_disk, timestamp_of};
use crate::location::Location;

/// How old a fragment that was never committed must be before its folder goes: a writer that was stopped while writing it
/// and wakes up later must find it whole.
const FOLDER_AGE_MS: u64 = 24 * 3_600_000;

/// Fragments of one array that no commit records.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    commit_files: Vec<String>,
    schemas: Vec<String>,
    folders: Vec<String>,
    /// Those that snapshots at the commit's timestamp can see, written late by a writer that had been taken over.
    pub(crate) seen: Vec<DeadFragment>,
}

/// The strays of `segments` and of `granules`, as the clock says `now_ms`. Must be listed before the commit by which a writer
/// takes over: what is written later is another writer's.
pub(crate) fn strays(
    vfs: &Vfs,
    location: &Location,
    recorded: &Recorded,
    timestamp: u64,
    now_ms: u64,
) -> Result<(Strays, Strays)> {
    let of = |array: &str, live| -> Result<Strays> {
        let strays = strays_of(fragments_on_disk(vfs, array)?, &names(live), timestamp, now_ms);
        Ok(Strays { schemas: later_schemas(schemas_on_disk(vfs, array)?, timestamp), ..strays })
    };
    Ok((of(&location.segments(), &recorded.segments)?, of(&location.granules(), &recorded.granules)?))
}

fn names(live: &BTreeMap<Id, FragmentRecord>) -> BTreeSet<&str> {
    live.values().map(|fragment| fragment.name.as_str()).collect()
}

fn strays_of(listed: BTreeMap<String, OnDisk>, known: &BTreeSet<&str>, timestamp: u64, now_ms: u64) -> Strays {
    let mut strays = Strays::default();
    for (name, on_disk) in listed {
        if known.contains(name.as_str()) {
            continue;
        }
        let written = timestamp_of(&name);
        match on_disk.commit_file {
            Some(_) if written.is_none_or(|written| written <= timestamp) => {
                strays.seen.push(DeadFragment { id: None, name });
                continue;
            }
            Some(file) => strays.commit_files.push(file),
            None => {}
        }
        if written.is_some_and(|written| now_ms.saturating_sub(written) > FOLDER_AGE_MS) {
            strays.folders.extend(on_disk.folder);
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

/// Removes the strays that no snapshot can see.
pub(crate) fn remove(vfs: &Vfs, strays: &Strays) -> Result<()> {
    // The commit files first: a fragment whose data goes first would make every later open fail.
    for file in strays.commit_files.iter().chain(&strays.schemas) {
        vfs.remove_file(file)?;
    }
    for folder in &strays.folders {
        vfs.remove_dir(folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 2_000_000_000_000;

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
        let known = BTreeSet::from(["__5_5_x_22"]);
        let strays = strays_of(on_disk(&[(5, true)]), &known, 10, NOW);
        assert!(strays.commit_files.is_empty() && strays.folders.is_empty() && strays.seen.is_empty());
    }

    #[test]
    fn an_uncommitted_fragment_becomes_invisible_at_once_and_its_data_go_a_day_later() {
        let fresh = strays_of(on_disk(&[(NOW - 1_000, true)]), &BTreeSet::new(), 10, NOW);
        assert_eq!((fresh.commit_files.len(), fresh.folders.len()), (1, 0));
        let old = strays_of(on_disk(&[(NOW - 2 * FOLDER_AGE_MS, false)]), &BTreeSet::new(), 10, NOW);
        assert_eq!((old.commit_files.len(), old.folders.len()), (0, 1));
    }

    #[test]
    fn a_schema_that_was_never_committed_goes_and_the_array_keeps_its_first_whatever_its_date() {
        let schemas = |times: &[u64]| times.iter().map(|at| (*at, format!("__{at}_{at}_x"))).collect::<Vec<_>>();
        assert_eq!(later_schemas(schemas(&[1, 9, 10, 11]), 10), ["__11_11_x"]);
        assert!(later_schemas(schemas(&[NOW]), 10).is_empty());
    }

    #[test]
    fn a_late_write_that_snapshots_can_see_is_declared_dead_and_not_removed() {
        let strays = strays_of(on_disk(&[(9, true)]), &BTreeSet::new(), 10, NOW);
        assert_eq!(strays.seen, [DeadFragment { id: None, name: "__9_9_x_22".to_owned() }]);
        assert!(strays.commit_files.is_empty() && strays.folders.is_empty());
    }
}
