//! Vacuum: removal of dead fragments in two steps, a grace period apart. First their commit files, so that TileDB no longer sees them;
//! then their folders, which a read that began earlier may need until then.

use std::collections::BTreeSet;
use std::path::Path;

use tiledb::Vfs;

use super::handle::Writer;
use crate::blocking::blocking;
use crate::error::Result;
use crate::fault;
use crate::files::array_files::{COMMIT_FILES, FRAGMENTS, list_fragments};
use crate::files::durable::sync_folder;
use crate::log::array_state::{DeadFragment, HiddenFragment};
use crate::log::commit::{Commit, CommitKind};

/// The files that a vacuum removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Fragments whose folders were removed.
    pub fragments: u64,
    /// The files in them.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// Names of fragments of `segments` and of `granules`.
type FragmentNames = [BTreeSet<String>; 2];

impl Writer {
    /// Removes fragments that have been dead for `older_than_ms`. Snapshots that need them expire before anything is removed. The
    /// commit file of a fragment is removed first and its folder after another such period, so several calls may be needed. With a
    /// period of 0 both are removed at once, and running reads may fail.
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
        let dead: FragmentNames = dead.map(|dead| dead.map(|dead| dead.name.clone()).collect());
        if horizon > self.head.horizon {
            let mut commit = self.next_commit(CommitKind::Horizon, now);
            commit.horizon = horizon;
            self.append(commit).await?;
        }
        fault::reached("vacuum-horizon");

        let listed = self.remove_commit_files(dead).await?;
        fault::reached("vacuum-listed");
        let mut commit = self.next_commit(CommitKind::Vacuum, now);
        hide(&mut commit, &listed);
        self.forget_attempts(&mut commit);
        let has_forgotten = commit.dead_attempts.len() < self.head.dead_attempts.len();
        let due = self.due_folders(&commit, &listed, is_due);
        let has_due = due.iter().any(|names| !names.is_empty());
        if has_due {
            commit.deleting = commit.number;
        }
        if has_due || has_forgotten || commit.arrays() != self.head.successor(CommitKind::Vacuum, now).arrays() {
            self.append(commit).await?;
        }
        fault::reached("vacuum-committed");

        let (gone, removed) = self.remove_folders(due).await?;
        if removed.fragments > 0 {
            let mut commit = self.next_commit(CommitKind::Vacuum, now);
            for (state, gone) in commit.arrays_mut().into_iter().zip(gone) {
                state.gone = gone;
            }
            self.append(commit).await?;
        }
        fault::reached("vacuum-done");
        let Vacuumed { fragments, files, bytes } = removed;
        tracing::debug!(fragments, files, bytes, "vacuumed");
        Ok(removed)
    }

    /// Removes the commit files of `dead` fragments as far as possible, and then lists the fragments that still have one.
    async fn remove_commit_files(&self, dead: FragmentNames) -> Result<FragmentNames> {
        let (context, arrays) = (self.database.context().clone(), self.database.location().arrays());
        blocking(move || {
            let vfs = Vfs::new(&context)?;
            let mut listed = FragmentNames::default();
            for ((uri, dead), listed) in arrays.iter().zip(dead).zip(&mut listed) {
                let mut is_changed = false;
                for (name, on_disk) in list_fragments(&vfs, uri)? {
                    if let Some(file) = on_disk.commit_file.filter(|_| dead.contains(&name)) {
                        fault::reached("vacuum-each-commit-file");
                        is_changed = true;
                        if let Err(error) = vfs.remove_file(&file) {
                            tracing::warn!(%error, "cannot remove a file of a dead fragment; the next vacuum tries again");
                        }
                    }
                }
                if is_changed {
                    // Before a folder is removed: a power cut must not bring back a commit file without its folder.
                    sync_folder(&Path::new(uri).join(COMMIT_FILES))?;
                }
                let finished = list_fragments(&vfs, uri)?.into_iter();
                listed.extend(finished.filter(|(_, on_disk)| on_disk.commit_file.is_some()).map(|(name, _)| name));
            }
            Ok(listed)
        })
        .await
    }

    /// Drops the dead attempts from `commit` whose segments are no longer in any live or dead fragment.
    fn forget_attempts(&self, commit: &mut Commit) {
        let live = self.state.segments.live.keys().copied();
        let dead = commit.segments.dead.iter().filter_map(|dead| dead.id);
        let existing: BTreeSet<_> = live.chain(dead).collect();
        commit.dead_attempts.retain(|attempt| !attempt.fragments.is_disjoint(&existing));
    }

    /// The folders that have been hidden long enough at `commit`, and that TileDB does not see.
    fn due_folders(&self, commit: &Commit, listed: &FragmentNames, is_due: impl Fn(u64) -> bool) -> FragmentNames {
        let mut state = self.state.clone();
        state.apply(commit);
        let mut due = FragmentNames::default();
        for ((fragments, listed), due) in state.arrays().into_iter().zip(listed).zip(&mut due) {
            let names = fragments.hidden.iter().filter(|(name, at)| is_due(**at) && !listed.contains(*name));
            due.extend(names.map(|(name, _)| name.clone()));
        }
        due
    }

    /// Removes folders, file by file, and returns the removed ones.
    async fn remove_folders(&self, due: FragmentNames) -> Result<(FragmentNames, Vacuumed)> {
        let (context, arrays) = (self.database.context().clone(), self.database.location().arrays());
        blocking(move || {
            let vfs = Vfs::new(&context)?;
            let (mut gone, mut removed) = (FragmentNames::default(), Vacuumed::default());
            for ((uri, due), gone) in arrays.iter().zip(due).zip(&mut gone) {
                for name in due {
                    fault::reached("vacuum-each-folder");
                    match remove_folder(&vfs, &format!("{uri}/{FRAGMENTS}/{name}"), &mut removed) {
                        Ok(()) => {
                            removed.fragments += 1;
                            gone.insert(name);
                        }
                        Err(error) => tracing::warn!(%error, "cannot remove a file of a dead fragment; the next vacuum tries again"),
                    }
                }
            }
            Ok((gone, removed))
        })
        .await
    }
}

/// Moves dead fragments that are not in `listed`, because they have no commit file, to the hidden ones.
fn hide(commit: &mut Commit, listed: &FragmentNames) {
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
