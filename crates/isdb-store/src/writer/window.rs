//! Windows: granules that become visible in one commit, together with the attempts that they replace.

use std::time::SystemTime;

use isdb_schema::filters::Rule;
use isdb_schema::ledger::GranuleState;

use super::handle::Writer;
use crate::blocking::blocking;
use crate::error::Result;
use crate::fault;
use crate::fragment::WrittenFragment;
use crate::id::Id;
use crate::ledger::contents::{ContentEntry, contents_of, write_contents};
use crate::ledger::file::LedgerFile;
use crate::ledger::row::LedgerRow;
use crate::ledger::rows::write_rows;
use crate::log::changes::AbandonedFragment;
use crate::log::commit::{Commit, CommitKind};

/// The timestamp and ids of a window that is being written. Nothing written with them is visible before [`Writer::commit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Every fragment of the window is written at this timestamp, in milliseconds since 1970.
    pub timestamp: u64,
    epoch: u32,
    first: u32,
    granules: u32,
    start_ms: u64,
    start: SystemTime,
}

impl Window {
    /// A window of `granules` granules for a plan that is shown and never run. It needs neither the lock nor a database. Its timestamp
    /// is before every commit, so that no writer accepts it.
    pub fn for_dry_run(granules: u32) -> Window {
        Window { timestamp: 0, epoch: 0, first: 0, granules, start_ms: 0, start: SystemTime::now() }
    }

    /// The id of the attempt at granule `index` of the window, from 0.
    pub fn ingest_id(&self, index: u32) -> Id {
        Id::new(self.epoch, self.first.saturating_add(index))
    }

    /// The id of fragment `index` of the window, from 0. Indexes may be skipped.
    pub fn fragment_id(&self, index: u32) -> Id {
        self.ingest_id(self.granules.saturating_add(index))
    }

    /// Whether `id` is the id of an attempt of this window.
    pub(super) fn has_ingest(&self, id: Id) -> bool {
        (self.ingest_id(0)..self.fragment_id(0)).contains(&id)
    }

    /// Whether a fragment of this window may have the id `id`.
    pub(super) fn has_fragment(&self, id: Id) -> bool {
        (self.fragment_id(0)..=Id::new(self.epoch, u32::MAX)).contains(&id)
    }

    /// The current time, in milliseconds since 1970. A window may take long; the age of fragments that die with its commit
    /// counts from the commit, not from the beginning of the window.
    fn now_ms(&self) -> u64 {
        // The time of day, which goes on while a laptop sleeps; one that was set back counts as no time.
        let elapsed = u64::try_from(self.start.elapsed().unwrap_or_default().as_millis()).unwrap_or(0);
        self.start_ms.saturating_add(elapsed)
    }
}

/// The changes of a window.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The written fragments.
    pub fragments: Vec<WrittenFragment>,
    /// Fragments that were written and then given up. They never become visible.
    pub abandoned: Vec<WrittenFragment>,
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
        let start_ms = self.clock.correct(now_ms);
        let timestamp = self.state.timestamp_after(start_ms);
        Ok(Window {
            timestamp,
            epoch: self.state.epoch,
            first: self.next_counter,
            granules,
            start_ms,
            start: SystemTime::now(),
        })
    }

    /// Makes the window visible: writes its ledger rows and the contents of its fragments as files of the ledger, then creates the
    /// commit. The segments of replaced attempts become invisible with it.
    ///
    /// # Errors
    /// [`Error::Overtaken`](crate::Error::Overtaken) when another writer took over meanwhile; then nothing of the window is visible,
    /// and this writer can commit nothing more. [`Error::Mismatch`](crate::Error::Mismatch) when the number of rows in the fragments
    /// differs from the ledger's, or an id does not belong to this window.
    pub async fn commit(&mut self, window: Window, changes: Changes) -> Result<&Commit> {
        let mut commit = self.window_commit(&window, CommitKind::Ingest)?;
        self.check_window(&window, &changes)?;
        let is_removed = |row: &LedgerRow| row.state == GranuleState::Removed;
        let is_removal = !changes.ledger.is_empty() && changes.ledger.iter().all(is_removed);
        let replaced = || changes.ledger.iter().flat_map(|row| row.replaces.iter().copied());
        commit.dead_attempts =
            self.newly_dead(replaced().filter(|id| self.state.dead_attempts.get(id).is_none()).collect()).await?;
        commit.reread_done = replaced().filter(|id| self.state.reread.contains(id)).collect();
        let abandoned =
            |given_up: WrittenFragment| AbandonedFragment { id: Some(given_up.record.id), name: given_up.record.name };
        commit.segments.abandoned.extend(changes.abandoned.into_iter().map(abandoned));
        commit.filters = changes.filters;
        commit.ledger.added = self.write_ledger(changes.ledger, contents_of(&changes.fragments)).await?;
        commit.segments.added = changes.fragments.into_iter().map(|fragment| fragment.record).collect();
        self.finish_window(&window, commit).await?;
        if is_removal {
            self.checkpoint_change().await;
        }
        Ok(&self.head)
    }

    /// The commit that finishes `window`, without changes yet.
    pub(super) fn window_commit(&self, window: &Window, kind: CommitKind) -> Result<Commit> {
        let commit = self.next_commit(kind, window.start_ms);
        let is_current = self.in_window && window.timestamp == commit.timestamp && window.epoch == commit.epoch;
        if is_current { Ok(commit) } else { Err(self.unfinished()) }
    }

    /// Appends `commit`, which finishes `window`.
    pub(super) async fn finish_window(&mut self, window: &Window, mut commit: Commit) -> Result<&Commit> {
        let added = commit.segments.added.iter().map(|fragment| fragment.id);
        // Ids of abandoned fragments are on disk as well, and must not be given out again.
        let abandoned = commit.segments.abandoned.iter().filter_map(|fragment| fragment.id);
        let next = match added.chain(abandoned).max() {
            Some(last) => last.counter().checked_add(1),
            None => Some(window.fragment_id(0).counter()),
        };
        let next_counter = next.ok_or_else(|| self.ids_exhausted())?;
        commit.made_at = window.now_ms().max(commit.made_at);
        self.append(commit).await?;
        self.next_counter = next_counter;
        self.in_window = false;
        Ok(&self.head)
    }

    /// Writes ledger rows and contents as files of the ledger. The commit makes their entries durable.
    pub(super) async fn write_ledger(
        &self,
        rows: Vec<LedgerRow>,
        contents: Vec<ContentEntry>,
    ) -> Result<Vec<LedgerFile>> {
        fault::reached("before-ledger");
        let location = self.database.location().clone();
        let write = move || {
            // At the same time, because each waits for the disk.
            let (rows, contents) = std::thread::scope(|scope| {
                let writing = scope.spawn(|| write_rows(&location, rows));
                let contents = write_contents(&location, contents);
                (writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), contents)
            });
            Ok([rows?, contents?].into_iter().flatten().collect())
        };
        let files = blocking(write).await?;
        fault::reached("after-ledger");
        Ok(files)
    }
}
