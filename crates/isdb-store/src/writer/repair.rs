//! Repair: what a check found damaged is made again from other files, and only what cannot be read is dropped.
//!
//! A fragment that cannot be read first leaves the state, in a commit, and then loses its commit file, so that libtiledb can open the array
//! again. A repair that dies in between is finished by the next one, which finds a dead fragment that cannot be opened.

use std::collections::BTreeSet;

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
use crate::files::fragment_list::{commit_file, finished_fragments};
use crate::files::location::{Location, SEGMENTS};
use crate::files::lock::Lock;
use crate::files::objects::numbered;
use crate::files::remote::probe::check_conditional_writes;
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
    let location = &location.uncached();
    let database = Database::open(location).await?;
    if let Some(bucket) = location.bucket() {
        // It needs the permissions to write and to remove, which are better known before a check that takes long.
        check_conditional_writes(bucket).await?;
    }
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
        let (location, repairs) = (self.database.location().clone(), repairs.clone());
        blocking(move || {
            for (path, content) in repairs.array_files {
                location.replace(&format!("{SEGMENTS}/{path}"), content)?;
            }
            for name in &repairs.commit_files {
                location.replace(&commit_file(name), Vec::new())?;
            }
            let mut folders = BTreeSet::new();
            for path in repairs.removed.iter().map(|path| format!("{SEGMENTS}/{path}")) {
                location.remove(&path)?;
                folders.extend(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
            }
            folders.iter().try_for_each(|folder| location.sync(folder))
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
        let files: Vec<String> = names.into_iter().map(|name| commit_file(name)).collect();
        let location = self.database.location().clone();
        blocking(move || {
            let listed: BTreeSet<String> =
                finished_fragments(&location)?.iter().map(|name| commit_file(name)).collect();
            for file in files.iter().filter(|file| listed.contains(*file)) {
                fault::reached("repair-each-commit-file");
                location.remove(file)?;
            }
            location.sync(&format!("{SEGMENTS}/{COMMIT_FILES}"))
        })
        .await
    }
}
