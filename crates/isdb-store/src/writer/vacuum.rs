//! Vacuum: what is dead goes in two steps, a grace period apart. First the commit files, and TileDB no longer sees the
//! fragments; then the folders, which a read that began before may have needed until then.

use std::collections::BTreeSet;
use std::path::Path;

use tiledb::Vfs;

use super::Writer;
use crate::blocking::blocking;
use crate::commit::{Commit, DeadFragment, HiddenFragment, Kind};
use crate::durable::sync_folder;
use crate::error::Result;
use crate::fault;
use crate::listing::{COMMIT_FILES, FRAGMENTS, fragments_on_disk};

/// What a vacuum removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Fragments whose folders are gone.
    pub fragments: u64,
    /// The files in them.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// Names of fragments of `segments` and of `granules`.
type Names = [BTreeSet<String>; 2];

impl Writer {
    /// Removes what has been dead for `older_than_ms`. Snapshots that need it expire before anything is touched. A fragment
    /// goes in two steps, its commit file and then its folder, each when it is due: several calls may be needed, the period
    /// apart. With a period of 0 both are due at once, and reads that are running may fail.
    ///
    /// # Errors
    /// [`Error::Unfinished`](crate::Error::Unfinished) within a window; [`Error::Overtaken`](crate::Error::Overtaken).
    pub async fn vacuum(&mut self, now_ms: u64, older_than_ms: u64) -> Result<Vacuumed> {
        if self.in_window {
            return Err(self.unfinished());
        }
        let now = now_ms.max(self.head.at);
        let is_due = |at: u64| now.saturating_sub(at) >= older_than_ms;
        let dead = self.head.arrays().map(|state| state.dead.iter().filter(|dead| is_due(dead.at)));
        let horizon = dead.clone().into_iter().flatten().map(|dead| dead.since).max().unwrap_or(0);
        let dead: Names = dead.map(|dead| dead.map(|dead| dead.name.clone()).collect());
        if horizon > self.head.horizon {
            let mut commit = self.following(Kind::Horizon, now);
            commit.horizon = horizon;
            self.advance(commit).await?;
        }
        fault::reached("vacuum-horizon");

        let listed = self.remove_commit_files(dead).await?;
        fault::reached("vacuum-listed");
        let mut commit = self.following(Kind::Vacuum, now);
        hide(&mut commit, &listed);
        self.forget_ingests(&mut commit);
        let forgets = commit.dead_ingests.len() < self.head.dead_ingests.len();
        let due = self.due(&commit, &listed, is_due);
        let has_due = due.iter().any(|names| !names.is_empty());
        if has_due {
            commit.deleting = commit.number;
        }
        if has_due || forgets || commit.arrays() != self.head.following(Kind::Vacuum, now).arrays() {
            self.advance(commit).await?;
        }
        fault::reached("vacuum-committed");

        let (gone, removed) = self.remove_folders(due).await?;
        if removed.fragments > 0 {
            let mut commit = self.following(Kind::Vacuum, now);
            for (state, gone) in commit.arrays_mut().into_iter().zip(gone) {
                state.gone = gone;
            }
            self.advance(commit).await?;
        }
        fault::reached("vacuum-done");
        let Vacuumed { fragments, files, bytes } = removed;
        tracing::debug!(fragments, files, bytes, "vacuumed");
        Ok(removed)
    }

    /// Removes the commit files of `dead` fragments, as far as possible, and then lists those of all that have one.
    async fn remove_commit_files(&self, dead: Names) -> Result<Names> {
        let (context, arrays) = (self.database.context().clone(), self.database.location().arrays());
        blocking(move || {
            let vfs = Vfs::new(&context)?;
            let mut listed = Names::default();
            for ((uri, dead), listed) in arrays.iter().zip(dead).zip(&mut listed) {
                let mut has_removed = false;
                for (name, on_disk) in fragments_on_disk(&vfs, uri)? {
                    if let Some(file) = on_disk.commit_file.filter(|_| dead.contains(&name)) {
                        fault::reached("vacuum-each-commit-file");
                        has_removed = true;
                        if let Err(error) = vfs.remove_file(&file) {
                            tracing::warn!(%error, "left for the next vacuum");
                        }
                    }
                }
                if has_removed {
                    // Before a folder goes: a power cut must not bring back a commit file without its folder.
                    sync_folder(&Path::new(uri).join(COMMIT_FILES))?;
                }
                let finished = fragments_on_disk(&vfs, uri)?.into_iter();
                listed.extend(finished.filter(|(_, on_disk)| on_disk.commit_file.is_some()).map(|(name, _)| name));
            }
            Ok(listed)
        })
        .await
    }

    /// Forgets the dead attempts whose segments are in no fragment any more that could be opened.
    fn forget_ingests(&self, commit: &mut Commit) {
        let live = self.recorded.segments.live.keys().copied();
        let dead = commit.segments.dead.iter().filter_map(|dead| dead.id);
        let there: BTreeSet<_> = live.chain(dead).collect();
        commit.dead_ingests.retain(|ingest| !ingest.fragments.is_disjoint(&there));
    }

    /// The folders that have been hidden long enough by `commit`, and that TileDB does not see.
    fn due(&self, commit: &Commit, listed: &Names, is_due: impl Fn(u64) -> bool) -> Names {
        let mut recorded = self.recorded.clone();
        recorded.apply(commit);
        let mut due = Names::default();
        for ((fragments, listed), due) in recorded.arrays().into_iter().zip(listed).zip(&mut due) {
            let names = fragments.hidden.iter().filter(|(name, at)| is_due(**at) && !listed.contains(*name));
            due.extend(names.map(|(name, _)| name.clone()));
        }
        due
    }

    /// Removes folders, file by file, and tells which are gone.
    async fn remove_folders(&self, due: Names) -> Result<(Names, Vacuumed)> {
        let (context, arrays) = (self.database.context().clone(), self.database.location().arrays());
        blocking(move || {
            let vfs = Vfs::new(&context)?;
            let (mut gone, mut removed) = (Names::default(), Vacuumed::default());
            for ((uri, due), gone) in arrays.iter().zip(due).zip(&mut gone) {
                for name in due {
                    fault::reached("vacuum-each-folder");
                    match remove_folder(&vfs, &format!("{uri}/{FRAGMENTS}/{name}"), &mut removed) {
                        Ok(()) => {
                            removed.fragments += 1;
                            gone.insert(name);
                        }
                        Err(error) => tracing::warn!(%error, "left for the next vacuum"),
                    }
                }
            }
            Ok((gone, removed))
        })
        .await
    }
}

/// Dead fragments that TileDB no longer lists become hidden.
fn hide(commit: &mut Commit, listed: &Names) {
    let at = commit.at;
    for (state, listed) in commit.arrays_mut().into_iter().zip(listed) {
        let is_listed = |dead: &DeadFragment| listed.contains(&dead.name);
        let (dead, hid) = std::mem::take(&mut state.dead).into_iter().partition(is_listed);
        state.dead = dead;
        let hid: Vec<DeadFragment> = hid;
        state.hid = hid.into_iter().map(|dead| HiddenFragment { name: dead.name, at }).collect();
    }
}

fn remove_folder(vfs: &Vfs, folder: &str, removed: &mut Vacuumed) -> Result<()> {
    if !vfs.is_dir(folder)? {
        return Ok(());
    }
    for file in vfs.list(folder)? {
        let bytes = vfs.size(&file)?;
        vfs.remove_file(&file)?;
        removed.files += 1;
        removed.bytes += bytes;
    }
    Ok(vfs.remove_dir(folder)?)
}
