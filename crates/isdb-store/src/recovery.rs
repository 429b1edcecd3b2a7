//! Recovery: what an earlier writer wrote and never committed. Most of it no snapshot can see, and it is removed; what a
//! snapshot could see is declared dead instead, so that no reader is disturbed.

use std::collections::BTreeSet;

use tiledb::Vfs;

use crate::commit::{DeadFragment, Recorded};
use crate::error::Result;
use crate::listing::{OnDisk, fragments_on_disk, timestamp_of};
use crate::location::Location;

/// Fragments of one array that no commit records.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    removable: Vec<OnDisk>,
    /// Those that snapshots at the commit's timestamp can see, written late by a writer that had been taken over.
    pub(crate) seen: Vec<DeadFragment>,
}

/// The strays of `segments` and of `granules`. Must be listed before the commit by which a writer takes over: what is written
/// later is another writer's.
pub(crate) fn strays(vfs: &Vfs, location: &Location, recorded: &Recorded, timestamp: u64) -> Result<(Strays, Strays)> {
    let names = |live: &std::collections::BTreeMap<_, crate::commit::FragmentRecord>| -> BTreeSet<String> {
        live.values().map(|fragment| fragment.name.clone()).collect()
    };
    Ok((
        strays_of(vfs, &location.segments(), &names(&recorded.segments), timestamp)?,
        strays_of(vfs, &location.granules(), &names(&recorded.granules), timestamp)?,
    ))
}

fn strays_of(vfs: &Vfs, array: &str, known: &BTreeSet<String>, timestamp: u64) -> Result<Strays> {
    let mut strays = Strays::default();
    for (name, on_disk) in fragments_on_disk(vfs, array)? {
        if known.contains(&name) {
            continue;
        }
        let is_seen = timestamp_of(&name).is_none_or(|written| written <= timestamp);
        match on_disk.commit_file.is_some() && is_seen {
            true => strays.seen.push(DeadFragment { id: None, name }),
            false => strays.removable.push(on_disk),
        }
    }
    Ok(strays)
}

/// Removes the strays that no snapshot can see.
pub(crate) fn remove(vfs: &Vfs, strays: &Strays) -> Result<()> {
    // The commit file first: a fragment whose data goes first would make every later open fail.
    for file in strays.removable.iter().filter_map(|stray| stray.commit_file.as_ref()) {
        vfs.remove_file(file)?;
    }
    for folder in strays.removable.iter().filter_map(|stray| stray.folder.as_ref()) {
        vfs.remove_dir(folder)?;
    }
    Ok(())
}
