//! Takeover: lists the files that earlier writers left, commits a fence that stops those writers, and only then removes the
//! listed files. Files listed after the fence could belong to a later writer, and be committed.

use std::fs;

use super::clock::Clock;
use super::handle::{Writer, ids_exhausted};
use super::orphans::Orphans;
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::durable::io_error;
use crate::files::interrupted_creations::remove_interrupted_creations;
use crate::files::location::Location;
use crate::files::lock::Lock;
use crate::files::remote::probe::check_conditional_writes;
use crate::ledger::files::make_ledger_folder;
use crate::log::changes::AbandonedFragment;
use crate::log::commit::{Commit, CommitKind};
use crate::log::commit_log::COMMITS;
use crate::log::state::LogState;

/// The maximum number of attempts to commit the fence, each after another writer's commit got its number. The lock lets few
/// writers get this far.
const MAX_FENCES: usize = 5;

impl Writer {
    /// Takes the database over: acquires the lock, lists what earlier writers left, commits a fence (their next commit fails), and
    /// removes what it listed. `now_ms` is this machine's clock; if it is ahead of the storage's, the writer corrects it.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process is writing, [`Error::Overtaken`] when others keep taking over at the same time,
    /// [`Error::LostArray`]; [`Error::NoConditionalWrites`] for a store that is unsuitable.
    pub async fn take_over(database: &Database, now_ms: u64) -> Result<Writer> {
        let checked = database.clone();
        blocking(move || checked.check_array()).await?;
        if let Some(bucket) = database.location().bucket() {
            check_conditional_writes(bucket).await?;
        }
        Writer::take_over_with(database, now_ms, Lock::acquire(database.location()).await?).await
    }

    /// Takes over with the lock, which is held already.
    pub(super) async fn take_over_with(database: &Database, now_ms: u64, lock: Lock) -> Result<Writer> {
        let location = database.location().clone();
        let clock = blocking(move || Clock::compare(&location, now_ms)).await?;
        take_over_locked(database, clock, clock.correct(now_ms), lock).await
    }

    /// Takes over again after a failed window, whose files are removed. The lock is kept.
    ///
    /// # Errors
    /// As for [`take_over`](Self::take_over); the lock is released then.
    pub async fn renew(self, now_ms: u64) -> Result<Writer> {
        let Writer { database, state, clock, lock, .. } = self;
        lock.check().await?;
        let newest = database.newest().await?;
        if newest.epoch != state.epoch {
            // Without locks, another writer may be the writer now: its files are not this one's to clean up.
            return Err(Error::Overtaken { uri: database.location().uri(), number: state.number + 1 });
        }
        take_over_locked(&database, clock, clock.correct(now_ms), lock).await
    }
}

/// Takes over at the corrected clock's `now_ms`.
async fn take_over_locked(database: &Database, clock: Clock, now_ms: u64, lock: Lock) -> Result<Writer> {
    let mut fenced = fence(database, now_ms).await;
    for _ in 1..MAX_FENCES {
        if !matches!(fenced, Err(Error::Overtaken { .. })) {
            break;
        }
        fenced = fence(database, now_ms).await;
    }
    let Fenced { head, state, orphans } = fenced?;
    fault::reached("take-over-fenced");
    let (files, staged) = orphans.count();
    if files + staged > 0 {
        tracing::info!(commit = head.number, files, staged, "removing files of an interrupted writer");
    }
    let location = database.location().clone();
    let remove = move || {
        location.folder().into_iter().for_each(remove_interrupted_creations);
        orphans.remove(&location)
    };
    let pending_dead = blocking(remove).await?;
    fault::reached("take-over-swept");
    let database = database.clone();
    Ok(Writer { database, head, state, clock, pending_dead, next_counter: 1, in_window: false, lock })
}

/// A committed fence.
struct Fenced {
    head: Commit,
    state: LogState,
    /// Files that were listed before the fence and that no commit records.
    orphans: Orphans,
}

async fn fence(database: &Database, now_ms: u64) -> Result<Fenced> {
    let mut state = database.newest().await?;
    if database.log().newest_number().await? != state.number {
        // Only a listing shows commits after a lost one, which this log must not create again.
        database.log().forget();
        state = database.newest().await?;
    }
    let (location, recorded) = (database.location().clone(), state.clone());
    let list = move || {
        make_folders(&location)?;
        Orphans::list(&location, &recorded, now_ms)
    };
    let orphans = blocking(list).await?;
    fault::reached("take-over-listed");
    let mut fence = state.next_commit(CommitKind::Fence, now_ms);
    fence.epoch = u32::try_from(fence.number).map_err(|_| ids_exhausted(database, fence.number))?;
    let abandoned = |name: &String| AbandonedFragment { id: None, name: name.clone() };
    fence.segments.abandoned = orphans.fragments.visible.iter().map(abandoned).collect();
    fence.segments.hid = orphans.fragments.folders.iter().cloned().collect();
    database.log().create(&fence).await?;
    state.apply(&fence);
    database.log().remember(&state);
    // A run begins with a checkpoint and ends with one, so that a damaged commit of an earlier run can be repaired.
    database.log().checkpoint(&state).await;
    Ok(Fenced { head: fence, state, orphans })
}

/// Creates the folders of commits and of the ledger durably if they do not exist, so that a commit has to sync only the folders
/// themselves.
fn make_folders(location: &Location) -> Result<()> {
    if let Some(root) = location.folder() {
        let commits = root.join(COMMITS);
        fs::create_dir_all(&commits).map_err(|source| io_error(&commits, source))?;
    }
    make_ledger_folder(location)
}
