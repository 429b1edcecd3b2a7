//! Takeover: lists the files that earlier writers left, commits a fence that stops those writers, and only then removes the
//! listed files. Files listed after the fence could belong to a later writer, and be committed.

use tiledb::Vfs;

use super::handle::{Writer, ids_exhausted};
use super::orphans::Orphans;
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::interrupted_creations::remove_interrupted_creations;
use crate::files::lock::Lock;
use crate::log::array_state::HiddenFragment;
use crate::log::commit::{Commit, CommitKind};
use crate::log::log_state::LogState;

/// The maximum number of attempts to commit the fence, each after another writer's commit got its number. The lock lets few
/// writers get this far.
const MAX_FENCES: usize = 5;

impl Writer {
    /// Takes the database over: acquires the lock, lists what earlier writers left, commits a fence (their next commit fails), and
    /// removes what it listed. `now_ms` is this machine's clock.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process is writing, [`Error::Overtaken`] when others keep taking over at the same time.
    pub async fn take_over(database: &Database, now_ms: u64) -> Result<Writer> {
        let lock = Lock::acquire(database.location())?;
        let mut fenced = fence(database, now_ms).await;
        for _ in 1..MAX_FENCES {
            if !matches!(fenced, Err(Error::Overtaken { .. })) {
                break;
            }
            fenced = fence(database, now_ms).await;
        }
        let Fenced { head, state, orphans } = fenced?;
        fault::reached("take-over-fenced");
        let context = database.context().clone();
        let (files, staged) = orphans.count();
        if files + staged > 0 {
            tracing::info!(commit = head.number, files, staged, "removing files of an interrupted writer");
        }
        let location = database.location().clone();
        let remove = move || {
            remove_interrupted_creations(&location);
            orphans.remove(&Vfs::new(&context)?, &location)
        };
        let pending_dead = blocking(remove).await?;
        fault::reached("take-over-swept");
        let database = database.clone();
        Ok(Writer { database, head, state, pending_dead, next_counter: 1, in_window: false, _lock: lock })
    }
}

/// A committed fence.
struct Fenced {
    head: Commit,
    state: LogState,
    /// Files that were listed before the fence and that no commit records.
    orphans: Orphans,
}

async fn fence(database: &Database, now_ms: u64) -> Result<Fenced> {
    let previous = database.head().await?;
    let mut state = database.log().state_at(&previous).await?;
    let (context, location) = (database.context().clone(), database.location().clone());
    let (listed_at, recorded) = (previous.clone(), state.clone());
    let list = move || Orphans::list(&Vfs::new(&context)?, &location, &listed_at, &recorded, now_ms);
    let orphans = blocking(list).await?;
    fault::reached("take-over-listed");
    let mut fence = previous.successor(CommitKind::Fence, now_ms);
    let (number, at) = (fence.number, fence.at);
    fence.epoch = u32::try_from(number).map_err(|_| ids_exhausted(database, number))?;
    for (state, orphans) in fence.arrays_mut().into_iter().zip(&orphans.arrays) {
        state.abandon_unrecorded(&orphans.visible, number, at);
        state.hid = orphans.folders.iter().map(|name| HiddenFragment { name: name.clone(), at }).collect();
    }
    database.log().create(&fence).await?;
    state.apply(&fence);
    database.log().checkpoint_if_due(&state).await;
    Ok(Fenced { head: fence, state, orphans })
}
