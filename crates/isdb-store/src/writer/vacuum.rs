//! Vacuum: removal of what has been dead for a while. A dead fragment goes in two steps, a grace period apart: first its commit file, so
//! that TileDB no longer sees it; then its folder, which a read that began earlier may need until then. A dead file of the ledger goes in
//! one step, because only reads that name it open it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::handle::Writer;
use crate::blocking::blocking;
use crate::error::Result;
use crate::fault;
use crate::files::array_files::{COMMIT_FILES, FRAGMENTS};
use crate::files::durable::io_error;
use crate::files::fragment_list::{commit_file, finished_fragments, remove_objects};
use crate::files::location::{Location, SEGMENTS};
use crate::ledger::files::ledger_path;
use crate::log::commit::CommitKind;
use crate::log::state::Death;

/// The files that a vacuum removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Fragments whose folders were removed.
    pub fragments: u64,
    /// The files in them, and files of the ledger.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// What a vacuum may remove: names of fragments and of files of the ledger.
#[derive(Debug, Default)]
struct Due {
    fragments: BTreeSet<String>,
    ledger: BTreeSet<String>,
    /// Snapshots of commits before this one need some of it.
    horizon: u64,
}

impl Writer {
    /// Removes what has been dead for `older_than_ms` and is not needed by a tag. Snapshots that need it expire before anything is
    /// removed. The commit file of a fragment is removed first and its folder after another such period, so several calls may be needed.
    /// With a period of 0 both are removed at once, and running reads may fail.
    ///
    /// # Errors
    /// [`Error::Unfinished`](crate::Error::Unfinished) within a window; [`Error::Overtaken`](crate::Error::Overtaken).
    pub async fn vacuum(&mut self, now_ms: u64, older_than_ms: u64) -> Result<Vacuumed> {
        if self.in_window {
            return Err(self.unfinished());
        }
        let now = self.clock.correct(now_ms);
        // Commits by a clock that was ahead have times in the future. Their age is 0, so that nothing is removed early.
        let is_due = |at: u64| now.saturating_sub(at) >= older_than_ms;
        let due = self.due(is_due);
        if due.horizon > self.state.horizon {
            let mut commit = self.next_commit(CommitKind::Horizon, now);
            commit.horizon = due.horizon;
            self.append(commit).await?;
        }
        fault::reached("vacuum-horizon");

        let listed = self.remove_commit_files(&due.fragments).await?;
        fault::reached("vacuum-listed");
        let mut commit = self.next_commit(CommitKind::Vacuum, now);
        commit.segments.hid = due.fragments.difference(&listed).cloned().collect();
        let mut hidden = self.state.segments.hidden.clone();
        for name in &commit.segments.hid {
            hidden.insert_cow(name.clone(), commit.made_at);
        }
        let folders = hidden.into_iter().filter(|(name, at)| is_due(**at) && !listed.contains(*name));
        let folders: BTreeSet<String> = folders.map(|(name, _)| name.clone()).collect();
        if !folders.is_empty() || !due.ledger.is_empty() {
            commit.deleting = commit.number;
        }
        if commit.deleting == commit.number || !commit.segments.hid.is_empty() || !commit.segments.abandoned.is_empty()
        {
            self.append(commit).await?;
        }
        fault::reached("vacuum-committed");

        let (gone, removed) = self.remove_files(folders, due.ledger).await?;
        if !gone.fragments.is_empty() || !gone.ledger.is_empty() {
            let mut commit = self.next_commit(CommitKind::Vacuum, now);
            (commit.segments.gone, commit.ledger.gone) = (gone.fragments, gone.ledger);
            self.append(commit).await?;
        }
        self.database.log().checkpoint(&self.state).await;
        fault::reached("vacuum-done");
        let Vacuumed { fragments, files, bytes } = removed;
        tracing::debug!(fragments, files, bytes, "vacuumed");
        Ok(removed)
    }

    /// The dead fragments and files that are old enough and that no tag needs.
    fn due(&self, is_due: impl Fn(u64) -> bool) -> Due {
        let mut due = Due::default();
        let is_removable = |death: &Death| is_due(death.at) && !death.is_kept_by(self.state.tags.values());
        for (name, dead) in self.state.segments.dead.into_iter().filter(|(_, dead)| is_removable(&dead.death)) {
            due.horizon = due.horizon.max(dead.death.since);
            due.fragments.insert(name.clone());
        }
        for (name, death) in self.state.ledger.dead.into_iter().filter(|(_, death)| is_removable(death)) {
            due.horizon = due.horizon.max(death.since);
            due.ledger.insert(name.clone());
        }
        due
    }

    /// Removes the commit files of `dead` fragments as far as possible, and then lists the fragments that have one.
    async fn remove_commit_files(&self, dead: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let (location, dead) = (self.database.location().clone(), dead.clone());
        blocking(move || {
            if let Some(bucket) = location.bucket() {
                let files: Vec<PathBuf> = dead.iter().map(|name| PathBuf::from(commit_file(name))).collect();
                remove_objects(bucket, &files).iter().for_each(|(file, error)| warn_not_removed(file, error));
                return Ok(finished_fragments(&location)?.into_iter().collect());
            }
            for name in &dead {
                let file = location.path(&commit_file(name));
                if file.exists() {
                    fault::reached("vacuum-each-commit-file");
                    if let Err(error) = fs::remove_file(&file) {
                        warn_not_removed(&file, &error);
                    }
                }
            }
            // Before a folder is removed: a power cut must not bring back a commit file without its folder. An earlier vacuum, takeover or
            // repair that died may have removed commit files and not synced that.
            location.sync(&format!("{SEGMENTS}/{COMMIT_FILES}"))?;
            Ok(finished_fragments(&location)?.into_iter().collect())
        })
        .await
    }

    /// Removes folders of fragments, file by file, and files of the ledger, and returns the removed ones.
    async fn remove_files(&self, folders: BTreeSet<String>, ledger: BTreeSet<String>) -> Result<(Due, Vacuumed)> {
        let location = self.database.location().clone();
        blocking(move || {
            let (mut gone, mut removed) = (Due::default(), Vacuumed::default());
            for name in folders {
                fault::reached("vacuum-each-folder");
                let path = format!("{SEGMENTS}/{FRAGMENTS}/{name}");
                match remove_at(&location, &path, &mut removed) {
                    Ok(()) => {
                        removed.fragments += 1;
                        gone.fragments.insert(name);
                    }
                    Err(error) => warn_not_removed(&location.path(&path), &error),
                }
            }
            for name in ledger {
                fault::reached("vacuum-each-ledger-file");
                let path = ledger_path(&name);
                match remove_at(&location, &path, &mut removed) {
                    Ok(()) => {
                        gone.ledger.insert(name);
                    }
                    Err(error) => warn_not_removed(&location.path(&path), &error),
                }
            }
            Ok((gone, removed))
        })
        .await
    }
}

fn warn_not_removed(path: &Path, error: &dyn std::fmt::Display) {
    tracing::warn!(path = %path.display(), %error, "cannot remove a file of a dead fragment; the next vacuum tries again");
}

/// Removes a folder of files, or a file, which may be gone already.
fn remove_at(location: &Location, path: &str, removed: &mut Vacuumed) -> Result<()> {
    let Some(bucket) = location.bucket() else {
        let path = location.path(path);
        let removal = if path.is_dir() { remove_folder(&path, removed) } else { remove_file(&path, removed) };
        return removal.map_err(|source| io_error(&path, source));
    };
    let (of, path) = (bucket.clone(), path.to_owned());
    let (files, bytes) = bucket.wait(async move {
        let mut files = of.list_all(&path).await?;
        if files.is_empty() {
            files.extend(of.head(&path).await?.map(|object| (path, object.bytes)));
        }
        let sizes = (files.len() as u64, files.iter().map(|(_, bytes)| bytes).sum::<u64>());
        of.remove(files.into_iter().map(|(path, _)| path).collect()).await?;
        Ok(sizes)
    })?;
    removed.files += files;
    removed.bytes += bytes;
    Ok(())
}

fn remove_folder(folder: &Path, removed: &mut Vacuumed) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        remove_file(&entry?.path(), removed)?;
    }
    fs::remove_dir(folder)
}

/// Removes a file, which may be gone already.
fn remove_file(path: &Path, removed: &mut Vacuumed) -> std::io::Result<()> {
    let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
    fs::remove_file(path)?;
    removed.files += 1;
    removed.bytes += metadata.len();
    Ok(())
}
