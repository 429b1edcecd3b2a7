//! The writer: the state of the log, and the append of the next commit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::clock::Clock;
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::array_files::{COMMIT_FILES, FRAGMENTS};
use crate::files::durable::sync_folder;
use crate::files::location::SEGMENTS;
use crate::files::lock::Lock;
use crate::fragment::FragmentRecord;
use crate::id::Id;
use crate::ledger::files::LEDGER;
use crate::log::changes::AbandonedFragment;
use crate::log::commit::{Commit, CommitKind};
use crate::log::state::LogState;

/// The one writer of a database. Dropping it releases the lock.
#[derive(Debug)]
pub struct Writer {
    pub(super) database: Database,
    pub(super) head: Commit,
    pub(super) state: LogState,
    pub(super) clock: Clock,
    /// Fragments whose commit files the takeover could not remove. They are dead from the next commit on.
    pub(super) pending_dead: Vec<String>,
    pub(super) next_counter: u32,
    pub(super) in_window: bool,
    pub(super) lock: Lock,
}

impl Writer {
    /// The database that is written to.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The newest commit: the fence of the takeover, or the last commit of this writer.
    pub fn head(&self) -> &Commit {
        &self.head
    }

    /// The visible fragments of `segments`, in the order of their ids.
    pub fn live_segments(&self) -> impl Iterator<Item = &Arc<FragmentRecord>> {
        self.state.segments.live.into_iter().map(|(_, fragment)| &fragment.record)
    }

    /// The number of attempts with rows in visible fragments that every read has to hide until the fragments are compacted.
    pub fn dead_attempts(&self) -> usize {
        self.state.dead_attempts.len()
    }

    /// The live fragments of `segments` that contain rows of dead attempts.
    pub fn fragments_with_dead_rows(&self) -> BTreeSet<Id> {
        self.state.dead_attempts.into_iter().flat_map(|(_, fragments)| fragments).copied().collect()
    }

    /// The next commit at the corrected clock's `now_ms`, without changes except for fragments that a takeover could not remove.
    pub(super) fn next_commit(&self, kind: CommitKind, now_ms: u64) -> Commit {
        let mut commit = self.state.next_commit(kind, now_ms);
        let abandoned = |name: &String| AbandonedFragment { id: None, name: name.clone() };
        commit.segments.abandoned = self.pending_dead.iter().map(abandoned).collect();
        commit
    }

    /// Appends the next commit to the log, after the fragments and files that it makes visible are durable.
    pub(super) async fn append(&mut self, commit: Commit) -> Result<()> {
        self.sync_added(&commit).await?;
        self.lock.check().await?;
        let log = self.database.log();
        log.create(&commit).await?;
        tracing::debug!(commit = commit.number, kind = ?commit.kind, timestamp = commit.timestamp, "committed");
        self.state.apply(&commit);
        self.pending_dead.clear();
        log.remember(&self.state);
        log.checkpoint_if_due(&self.state).await;
        self.head = commit;
        Ok(())
    }

    /// Makes what `commit` adds durable: the files have been synced, but not the folders that name them. A commit that survives a power
    /// cut without one of its fragments or files would make the database unreadable.
    async fn sync_added(&self, commit: &Commit) -> Result<()> {
        let names: Vec<String> = commit.segments.added.iter().map(|added| added.name.clone()).collect();
        let has_files = !commit.ledger.added.is_empty();
        if names.is_empty() && !has_files {
            return Ok(());
        }
        let location = self.database.location().clone();
        let sync = move || {
            let Some(root) = location.folder() else { return Ok(()) };
            let start = Instant::now();
            if !names.is_empty() {
                let array = root.join(SEGMENTS);
                let fragments = array.join(FRAGMENTS);
                names.iter().try_for_each(|name| sync_folder(&fragments.join(name)))?;
                sync_folder(&fragments)?;
                sync_folder(&array.join(COMMIT_FILES))?;
            }
            if has_files {
                sync_folder(&root.join(LEDGER))?;
            }
            tracing::debug!(fragments = names.len(), seconds = start.elapsed().as_secs_f64(), "synced");
            Ok(())
        };
        blocking(sync).await
    }

    /// Writes a checkpoint after a change that is a run of its own: nothing else repeats its commit, which may be the last for a long time.
    pub(super) async fn checkpoint_change(&self) {
        self.database.log().checkpoint(&self.state).await;
    }

    pub(super) fn unfinished(&self) -> Error {
        Error::Unfinished { uri: self.database.location().uri() }
    }

    pub(super) fn ids_exhausted(&self) -> Error {
        ids_exhausted(&self.database, self.state.number)
    }
}

/// The error of a database without unused ids. An id has 32 bits for the commit and 32 bits for the counter; neither runs out in
/// practice.
pub(super) fn ids_exhausted(database: &Database, number: u64) -> Error {
    let object = format!("{}/commits/{number}", database.location().uri());
    Error::Damaged { object, problem: "all ids are in use".to_owned() }
}
