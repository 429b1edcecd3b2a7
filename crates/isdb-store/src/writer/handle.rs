//! The writer: the newest commit, the state of the log after it, and the append of the next commit.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::array_files::{COMMIT_FILES, FRAGMENTS};
use crate::files::durable::sync_folder;
use crate::files::lock::Lock;
use crate::id::Id;
use crate::log::array_state::FragmentRecord;
use crate::log::commit::{Commit, CommitKind};
use crate::log::log_state::LogState;

/// The one writer of a database. Dropping it releases the lock.
#[derive(Debug)]
pub struct Writer {
    pub(super) database: Database,
    pub(super) head: Commit,
    pub(super) state: LogState,
    /// Fragments of `segments` and `granules` whose commit files the takeover could not remove. They are dead from the next
    /// commit on.
    pub(super) pending_dead: [Vec<String>; 2],
    pub(super) next_counter: u32,
    pub(super) in_window: bool,
    pub(super) _lock: Lock,
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
    pub fn live_segments(&self) -> impl Iterator<Item = &FragmentRecord> {
        self.state.segments.live.values()
    }

    /// The number of dead fragments in both arrays, and of dead attempts. Every read has to hide them until they are compacted and
    /// vacuumed.
    pub fn dead_counts(&self) -> (usize, usize) {
        let fragments = self.head.arrays().map(|state| state.dead.len());
        (fragments.iter().sum(), self.head.dead_attempts.len())
    }

    /// The live fragments of `segments` that contain rows of dead attempts.
    pub fn fragments_with_dead_rows(&self) -> BTreeSet<Id> {
        let fragments = self.head.dead_attempts.iter().flat_map(|dead| &dead.fragments);
        fragments.filter(|id| self.state.segments.live.contains_key(id)).copied().collect()
    }

    /// The next commit, without changes except for fragments that a takeover could not remove.
    pub(super) fn next_commit(&self, kind: CommitKind, now_ms: u64) -> Commit {
        let mut commit = self.head.successor(kind, now_ms);
        let (since, at) = (commit.number, commit.at);
        for (state, names) in commit.arrays_mut().into_iter().zip(&self.pending_dead) {
            state.abandon_unrecorded(names, since, at);
        }
        commit
    }

    /// Appends the next commit to the log, after the fragments that it makes visible are durable.
    pub(super) async fn append(&mut self, commit: Commit) -> Result<()> {
        self.sync_added_fragments(&commit).await?;
        self.database.log().create(&commit).await?;
        tracing::debug!(commit = commit.number, kind = ?commit.kind, timestamp = commit.timestamp, "committed");
        self.state.apply(&commit);
        self.head = commit;
        self.pending_dead = Default::default();
        self.database.log().checkpoint_if_due(&self.state).await;
        Ok(())
    }

    /// Makes the fragments that `commit` adds durable: libtiledb has synced their files, but not the folders that name them. A commit
    /// that survives a power cut without one of its fragments would make the database unreadable.
    async fn sync_added_fragments(&self, commit: &Commit) -> Result<()> {
        if commit.arrays().iter().all(|state| state.added.is_empty()) {
            return Ok(());
        }
        let arrays = self.database.location().arrays();
        let names = commit.arrays().map(|state| state.added.iter().map(|added| added.name.clone()).collect::<Vec<_>>());
        let sync = move || {
            let start = Instant::now();
            for (uri, names) in arrays.iter().zip(&names).filter(|(_, names)| !names.is_empty()) {
                let array = Path::new(uri);
                let fragments = array.join(FRAGMENTS);
                names.iter().try_for_each(|name| sync_folder(&fragments.join(name)))?;
                sync_folder(&fragments)?;
                sync_folder(&array.join(COMMIT_FILES))?;
            }
            let fragments: usize = names.iter().map(Vec::len).sum();
            tracing::debug!(fragments, seconds = start.elapsed().as_secs_f64(), "synced");
            Ok(())
        };
        blocking(sync).await
    }

    pub(super) fn unfinished(&self) -> Error {
        Error::Unfinished { uri: self.database.location().uri() }
    }

    pub(super) fn ids_exhausted(&self) -> Error {
        ids_exhausted(&self.database, self.head.number)
    }
}

/// The error of a database without unused ids. An id has 32 bits for the commit and 32 bits for the counter; neither runs out in
/// practice.
pub(super) fn ids_exhausted(database: &Database, number: u64) -> Error {
    let object = format!("{}/commits/{number}", database.location().uri());
    Error::Damaged { object, problem: "all ids are in use".to_owned() }
}
