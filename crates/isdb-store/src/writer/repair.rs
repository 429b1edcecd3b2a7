//! Repair: what a check found damaged is made again from other files, and only what cannot be read is dropped.
//!
//! A fragment that cannot be read first leaves the state, in a commit, and then loses its commit file, so that libtiledb can open the array
//! again. A repair that dies in between is finished by the next one, which finds a dead fragment that cannot be opened.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::handle::Writer;
use crate::blocking::blocking;
use crate::check::log::check_log;
use crate::check::repairs::Repairs;
use crate::check::run::check_database;
use crate::check::{CheckProgress, CheckReport};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::array_files::COMMIT_FILES;
use crate::files::durable::{io_error, sync_file, sync_folder};
use crate::files::location::Location;
use crate::files::lock::Lock;
use crate::files::objects::numbered;
use crate::files::staging::staging_folder;
use crate::id::Id;
use crate::log::commit::CommitKind;
use crate::log::commit_log::CHECKPOINTS;

/// What a repair has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// Fragments that were dropped.
    pub fragments: u64,
    /// Segments in them that were visible or replaced.
    pub rows: u64,
    /// Granules that lack segments until the next ingest, which reads their files again.
    pub incomplete: u64,
    /// Granules whose ledger rows and segments are no longer visible. The ledger does not know them any more, so only an ingest that finds
    /// their files reads them again.
    pub without_row: u64,
}

/// Checks the database at `location` and repairs it if `confirm` returns true for what the check found; returns None if it does not.
/// `confirm` is not called when nothing is damaged. `progress` is called before each fragment that the check reads, `now_ms` returns the
/// time in milliseconds since 1970. No other writer can take over meanwhile. Nothing is committed unless there is something to repair.
///
/// Segments that are dropped stay in the ledger: [`Snapshot::attempts_to_reread`](crate::Snapshot::attempts_to_reread) lists their
/// attempts until others replace them. Older states that need a dropped fragment cannot be opened any more.
///
/// # Errors
/// As for [`check`](crate::check()), [`Writer::take_over`] and [`Writer::commit`]. Calling it again continues an interrupted repair.
pub async fn repair(
    location: &Location,
    now_ms: impl Fn() -> u64,
    mut progress: impl FnMut(CheckProgress),
    confirm: impl AsyncFnOnce(&CheckReport) -> bool,
) -> Result<Option<Repaired>> {
    location.local("repair")?;
    let database = Database::open(location).await?;
    let lock = Lock::acquire(location).await?;
    let report = check_database(&database, &mut progress).await?;
    if report.is_sound() {
        return Ok(Some(Repaired::default()));
    }
    if !confirm(&report).await {
        return Ok(None);
    }
    if report.repairs == Repairs::default() {
        return Ok(Some(Repaired::default()));
    }
    let mut writer = Writer::take_over_with(&database, now_ms(), lock).await?;
    // A question may take long, and locks may not exist: nothing is repaired in a state other than the checked one.
    if writer.state.number != report.commit + 1 {
        return Err(Error::Overtaken { uri: location.uri(), number: report.commit + 1 });
    }
    let mut repairs = report.repairs;
    // The takeover has written a checkpoint, and may have removed one that was to replace a lost commit.
    let mut log = CheckReport::default();
    check_log(&database, &mut log).await?;
    repairs.lost_commits = log.repairs.lost_commits;
    repairs.checkpoints = log.repairs.checkpoints;
    writer.apply(repairs, now_ms()).await.map(Some)
}

impl Writer {
    async fn apply(&mut self, repairs: Repairs, now_ms: u64) -> Result<Repaired> {
        let dropped = repairs.dropped.keys().filter_map(|id| self.state.segments.live.get(id));
        let repaired = Repaired {
            fragments: repairs.dropped.len() as u64,
            rows: dropped.map(|fragment| fragment.record.rows).sum(),
            incomplete: repairs.reread.len() as u64,
            without_row: repairs.dead_attempts.len() as u64,
        };
        self.restore_files(&repairs).await?;
        fault::reached("repair-restored");
        self.commit_repair(&repairs, now_ms).await?;
        fault::reached("repair-committed");
        self.unlist(repairs.dropped.values().chain(&repairs.unlisted)).await?;
        self.database.log().write_checkpoint(&self.state).await?;
        Ok(repaired)
    }

    /// Writes missing commit files, schemas and metadata, and removes files that only repeat others.
    async fn restore_files(&self, repairs: &Repairs) -> Result<()> {
        for number in &repairs.checkpoints {
            self.database.log().objects().remove(&numbered(CHECKPOINTS, *number)).await?;
        }
        let location = self.database.location().clone();
        let (files, removed) = (self.commit_files(&repairs.commit_files), repairs.files.clone());
        let (array_files, folder) = (repairs.array_files.clone(), self.commit_folder());
        blocking(move || {
            for (path, content) in &array_files {
                place(&location, path, content)?;
            }
            if !files.is_empty() {
                fs::create_dir_all(&folder).map_err(|source| io_error(&folder, source))?;
                folder.parent().map_or(Ok(()), sync_folder)?;
            }
            for file in &files {
                File::create(file).map_err(|source| io_error(file, source))?;
                sync_file(file)?;
            }
            for file in removed.iter().filter(|file| file.exists()) {
                fs::remove_file(file).map_err(|source| io_error(file, source))?;
            }
            let changed: BTreeSet<&Path> = files.iter().chain(&removed).filter_map(|file| file.parent()).collect();
            changed.into_iter().try_for_each(sync_folder)
        })
        .await
    }

    /// Commits what changes the state, if anything does.
    async fn commit_repair(&mut self, repairs: &Repairs, now_ms: u64) -> Result<()> {
        // A reader may have opened a late fragment that has no id, and then miss its name: nothing would hide its rows.
        let late = repairs.unlisted.iter().filter_map(|name| self.state.segments.dead.get(name));
        let late = late.filter(|dead| dead.id.is_none()).map(|dead| dead.death.since);
        let horizon = late.max().unwrap_or(0).max(self.state.horizon);
        if !repairs.need_commit() && horizon == self.state.horizon {
            return Ok(());
        }
        let window = self.begin_window(0, now_ms)?;
        let mut commit = self.window_commit(&window, CommitKind::Repair)?;
        commit.horizon = horizon;
        commit.segments.removed = repairs.dropped.keys().copied().collect();
        commit.dead_attempts.clone_from(&repairs.dead_attempts);
        commit.reread.clone_from(&repairs.reread);
        let dead: BTreeSet<Id> = repairs.dead_attempts.iter().map(|dead| dead.id).collect();
        commit.reread_done = self.state.reread.intersection(&dead).copied().collect();
        commit.lost_commits.clone_from(&repairs.lost_commits);
        commit.ledger.removed.clone_from(&repairs.ledger_files);
        commit.ledger.added = self.write_ledger(repairs.rows.clone(), repairs.contents.clone()).await?;
        fault::reached("repair-before-commit");
        self.finish_window(&window, commit).await.map(|_| ())
    }

    /// Removes the commit files of the fragments `names`, durably.
    async fn unlist(&self, names: impl IntoIterator<Item = &String>) -> Result<()> {
        let files = self.commit_files(names);
        let folder = self.commit_folder();
        blocking(move || {
            for file in files.iter().filter(|file| file.exists()) {
                fault::reached("repair-each-commit-file");
                fs::remove_file(file).map_err(|source| io_error(file, source))?;
            }
            sync_folder(&folder)
        })
        .await
    }

    fn commit_folder(&self) -> PathBuf {
        Path::new(&self.database.location().segments()).join(COMMIT_FILES)
    }

    fn commit_files<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Vec<PathBuf> {
        let folder = self.commit_folder();
        names.into_iter().map(|name| folder.join(format!("{name}.wrt"))).collect()
    }
}

/// Writes a file of the array whole and durable, in place of a damaged one.
fn place(location: &Location, path: &str, content: &[u8]) -> Result<()> {
    let array = PathBuf::from(location.segments());
    let target = array.join(path);
    let failed = |source| io_error(&target, source);
    let folder = target.parent().unwrap_or(&array);
    fs::create_dir_all(folder).map_err(failed)?;
    let staged = staging_folder(location, "repair-")?;
    let file = staged.path().join("file");
    fs::write(&file, content).map_err(failed)?;
    sync_file(&file)?;
    fs::rename(&file, &target).map_err(failed)?;
    sync_folder(folder)?;
    sync_folder(&array)
}
