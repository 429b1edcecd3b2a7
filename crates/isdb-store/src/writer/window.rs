//! Windows: granules that become visible in one commit, together with the attempts that they replace.

use std::time::Instant;

use isdb_schema::filters::Rule;

use super::handle::Writer;
use super::replaced::fragments_of;
use crate::blocking::blocking;
use crate::error::Result;
use crate::fault;
use crate::id::Id;
use crate::ledger::row::LedgerRow;
use crate::log::array_state::FragmentRecord;
use crate::log::commit::{Commit, CommitKind, DeadAttempt};

/// The timestamp and ids of a window that is being written. Nothing written with them is visible before [`Writer::commit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Every fragment of the window is written at this timestamp, in milliseconds since 1970.
    pub timestamp: u64,
    epoch: u32,
    first: u32,
    granules: u32,
    start_ms: u64,
    start: Instant,
}

impl Window {
    /// A window of `granules` granules for a plan that is shown and never run. It needs neither the lock nor a database. Its timestamp
    /// is before every commit, so that no writer accepts it.
    pub fn for_dry_run(granules: u32) -> Window {
        Window { timestamp: 0, epoch: 0, first: 0, granules, start_ms: 0, start: Instant::now() }
    }

    /// The id of the attempt at granule `index` of the window, from 0.
    pub fn ingest_id(&self, index: u32) -> Id {
        Id::new(self.epoch, self.first.saturating_add(index))
    }

    /// The id of the ledger fragment of the window.
    pub fn ledger_id(&self) -> Id {
        self.ingest_id(self.granules)
    }

    /// The id of segment fragment `index` of the window, from 0. Indexes may be skipped.
    pub fn fragment_id(&self, index: u32) -> Id {
        self.ingest_id(self.granules.saturating_add(1).saturating_add(index))
    }

    /// Whether `id` is the id of an attempt of this window.
    pub(super) fn has_ingest(&self, id: Id) -> bool {
        (self.ingest_id(0)..self.ledger_id()).contains(&id)
    }

    /// Whether a segment fragment of this window may have the id `id`.
    pub(super) fn has_fragment(&self, id: Id) -> bool {
        (self.fragment_id(0)..=Id::new(self.epoch, u32::MAX)).contains(&id)
    }

    /// The current time, in milliseconds since 1970. A window may take long; the age of fragments that die with its commit
    /// counts from the commit, not from the beginning of the window.
    pub(super) fn now_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(0);
        self.start_ms.saturating_add(elapsed)
    }
}

/// The changes of a window.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The written fragments of `segments`.
    pub fragments: Vec<FragmentRecord>,
    /// Fragments of `segments` that were written and then given up. They never become visible.
    pub abandoned: Vec<FragmentRecord>,
    /// The attempts. The segments of attempts that they replace are no longer visible.
    pub ledger: Vec<LedgerRow>,
    /// The new filters of the database; None when they do not change.
    pub filters: Option<Vec<Rule>>,
}

impl Writer {
    /// Begins a window of `granules` granules. Its timestamp is the clock's `now_ms`, or later if the clock is behind the log.
    ///
    /// # Errors
    /// [`Error::Unfinished`](crate::Error::Unfinished) when the previous window was not committed: its ids and fragments must not
    /// be confused with those of this window, so a new writer has to take over.
    pub fn begin_window(&mut self, granules: u32, now_ms: u64) -> Result<Window> {
        if std::mem::replace(&mut self.in_window, true) {
            return Err(self.unfinished());
        }
        Ok(Window {
            timestamp: self.head.timestamp_after(now_ms),
            epoch: self.head.epoch,
            first: self.next_counter,
            granules,
            start_ms: now_ms,
            start: Instant::now(),
        })
    }

    /// Makes the window visible: writes its ledger rows as one fragment of `granules`, then creates the commit. The segments of
    /// replaced attempts become invisible with it.
    ///
    /// # Errors
    /// [`Error::Overtaken`](crate::Error::Overtaken) when another writer took over meanwhile; then nothing of the window is visible,
    /// and this writer can commit nothing more. [`Error::Mismatch`](crate::Error::Mismatch) when the number of rows in the fragments
    /// differs from the ledger's, or an id does not belong to this window.
    pub async fn commit(&mut self, window: Window, changes: Changes) -> Result<&Commit> {
        let mut commit = self.window_commit(&window, CommitKind::Ingest)?;
        self.check_window(&window, &changes)?;
        let since = commit.number;
        let replaced = changes.ledger.iter().flat_map(|row| row.replaces.iter().copied());
        let newly_dead = replaced.filter(|id| !self.head.dead_attempts.iter().any(|dead| dead.id == *id)).collect();
        let dead = fragments_of(&self.database, newly_dead).await?;
        commit.dead_attempts.extend(dead.into_iter().map(|(id, fragments)| DeadAttempt { id, since, fragments }));
        commit.granules.add(self.write_ledger(&window, changes.ledger).await?);
        commit.segments.add(changes.fragments);
        commit.segments.abandon(&changes.abandoned, since, window.now_ms());
        commit.filters = changes.filters.or(commit.filters);
        self.finish_window(&window, commit).await
    }

    /// The commit that finishes `window`, without changes yet.
    pub(super) fn window_commit(&self, window: &Window, kind: CommitKind) -> Result<Commit> {
        let commit = self.next_commit(kind, window.start_ms);
        let is_current = self.in_window && window.timestamp == commit.timestamp && window.epoch == commit.epoch;
        if is_current { Ok(commit) } else { Err(self.unfinished()) }
    }

    /// Appends `commit`, which finishes `window`.
    pub(super) async fn finish_window(&mut self, window: &Window, commit: Commit) -> Result<&Commit> {
        let added = commit.arrays().into_iter().flat_map(|state| &state.added).map(|fragment| fragment.id);
        // Ids of abandoned fragments are on disk as well, and must not be given out again.
        let dead = commit.segments.dead.iter().filter_map(|fragment| fragment.id);
        let dead = dead.filter(|id| *id > window.ledger_id());
        let last = added.chain(dead).chain([window.ledger_id()]).max().map_or(u32::MAX, Id::counter);
        let next_counter = last.checked_add(1).ok_or_else(|| self.ids_exhausted())?;
        self.append(commit).await?;
        self.next_counter = next_counter;
        self.in_window = false;
        Ok(&self.head)
    }

    /// Writes the ledger fragment of the window; none without rows.
    async fn write_ledger(&self, window: &Window, rows: Vec<LedgerRow>) -> Result<Vec<FragmentRecord>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        fault::reached("before-ledger");
        let (context, uri) = (self.database.context().clone(), self.database.location().granules());
        let (id, timestamp) = (window.ledger_id(), window.timestamp);
        let written = blocking(move || {
            let batch = LedgerRow::to_batch(&rows, id)?;
            let name = tiledb::write_fragment(&context, &uri, timestamp, vec![batch])?;
            Ok(vec![FragmentRecord { id, name, rows: rows.len() as u64 }])
        });
        let written = written.await?;
        fault::reached("after-ledger");
        Ok(written)
    }
}
