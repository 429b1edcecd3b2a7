//! Windows: granules that become visible in one commit, and with them whatever they change.

use std::time::Instant;

use isdb_schema::catalogue::Variable;
use isdb_schema::filters::Rule;
use isdb_schema::segments;

use super::{Writer, replaced};
use crate::blocking::blocking;
use crate::commit::{Commit, DeadIngest, FragmentRecord, Kind};
use crate::design::stored_variables;
use crate::error::Result;
use crate::evolution;
use crate::fault;
use crate::ids::Id;
use crate::ledger::{self, LedgerRow};
use crate::storage;

/// The timestamp and ids of a window that is being written. Nothing of it is visible before [`Writer::commit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Every fragment of the window is written at this timestamp, in milliseconds since 1970.
    pub timestamp: u64,
    epoch: u32,
    first: u32,
    ingests: u32,
    began_ms: u64,
    began: Instant,
}

impl Window {
    /// A window of `ingests` granules that nobody holds, for a plan that is shown and never run: it needs neither the lock nor a
    /// database. Its timestamp is before every commit, so that no writer takes it for its own.
    pub fn to_show(ingests: u32) -> Window {
        Window { timestamp: 0, epoch: 0, first: 0, ingests, began_ms: 0, began: Instant::now() }
    }

    /// The id of the attempt at the window's granule `index`, from 0.
    pub fn ingest_id(&self, index: u32) -> Id {
        Id::new(self.epoch, self.first.saturating_add(index))
    }

    /// The id of the window's fragment of the ledger.
    pub fn ledger_id(&self) -> Id {
        self.ingest_id(self.ingests)
    }

    /// The id of the window's fragment `index` of segments, from 0. Indexes may be left out.
    pub fn fragment_id(&self, index: u32) -> Id {
        self.ingest_id(self.ingests.saturating_add(1).saturating_add(index))
    }

    /// Whether `id` is that of an attempt of this window.
    pub(super) fn has_ingest(&self, id: Id) -> bool {
        (self.ingest_id(0)..self.ledger_id()).contains(&id)
    }

    /// Whether `id` is one that a fragment of segments of this window may have.
    pub(super) fn has_fragment(&self, id: Id) -> bool {
        (self.fragment_id(0)..=Id::new(self.epoch, u32::MAX)).contains(&id)
    }

    /// The clock, in milliseconds since 1970: a window may take long, and what dies with its commit is not older than that.
    pub(super) fn now_ms(&self) -> u64 {
        let passed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(0);
        self.began_ms.saturating_add(passed)
    }
}

/// What a window changes.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The fragments of `segments` that were written.
    pub fragments: Vec<FragmentRecord>,
    /// Fragments of `segments` that were written and are not wanted after all. Nobody will see them.
    pub abandoned: Vec<FragmentRecord>,
    /// The attempts. The segments of those that they replace are no longer visible.
    pub ledger: Vec<LedgerRow>,
    /// The filters that the database's segments have passed from now on; None when they stay.
    pub filters: Option<Vec<Rule>>,
}

impl Writer {
    /// Starts a window of `ingests` granules at the clock's `now_ms`, or later if the clock is behind the log.
    ///
    /// # Errors
    /// [`Error::Unfinished`](crate::Error::Unfinished) when the window before was not committed: its ids and fragments must not
    /// be mistaken for this one's, so a new writer has to take over.
    pub fn window(&mut self, ingests: u32, now_ms: u64) -> Result<Window> {
        if std::mem::replace(&mut self.in_window, true) {
            return Err(self.unfinished());
        }
        Ok(Window {
            timestamp: self.head.timestamp_after(now_ms),
            epoch: self.head.epoch,
            first: self.next_counter,
            ingests,
            began_ms: now_ms,
            began: Instant::now(),
        })
    }

    /// Makes the window visible: its ledger rows as one fragment of `granules`, then the commit. The segments of the attempts
    /// that they replace vanish with it.
    ///
    /// # Errors
    /// [`Error::Overtaken`](crate::Error::Overtaken) when another writer took over meanwhile; then nothing of the window is
    /// visible, and this writer has ended. [`Error::Mismatch`](crate::Error::Mismatch) when the fragments do not hold the rows
    /// that the ledger counts, or an id is not this window's.
    pub async fn commit(&mut self, window: Window, changes: Changes) -> Result<&Commit> {
        let mut commit = self.ending(&window, Kind::Ingest)?;
        self.check_window(&window, &changes)?;
        let since = commit.number;
        let ids = changes.ledger.iter().flat_map(|row| row.replaces.iter().copied());
        let ids = ids.filter(|id| !self.head.dead_ingests.iter().any(|dead| dead.id == *id)).collect();
        let dead = replaced::fragments_of(&self.database, ids).await?;
        commit.dead_ingests.extend(dead.into_iter().map(|(id, fragments)| DeadIngest { id, since, fragments }));
        commit.granules.add(self.write_ledger(&window, changes.ledger).await?);
        commit.segments.add(changes.fragments);
        commit.segments.abandon(&changes.abandoned, since, window.now_ms());
        commit.filters = changes.filters.or(commit.filters);
        self.end(&window, commit).await
    }

    /// Adds `variables` to those that the database stores; rows that are stored already hold NULL in them. Those it has are
    /// passed over, and without a new one nothing is committed.
    ///
    /// The array has them from the commit's timestamp on. A writer that dies before its commit leaves a schema that no
    /// snapshot reaches, and that the next take over removes.
    ///
    /// # Errors
    /// As for windows.
    pub async fn add_variables(&mut self, variables: &[&'static Variable], now_ms: u64) -> Result<&Commit> {
        let stored = stored_variables(&self.database.snapshot().await?);
        let new: Vec<&Variable> = segments::wanted_variables(variables).filter(|new| !stored.contains(new)).collect();
        if new.is_empty() {
            return Ok(&self.head);
        }
        let window = self.window(0, now_ms)?;
        let fields = storage::added_fields(&new);
        let (context, location) = (self.database.context().clone(), self.database.location().clone());
        blocking(move || evolution::add_attributes(&context, &location, window.timestamp, &fields)).await?;
        let commit = self.ending(&window, Kind::Alter)?;
        self.end(&window, commit).await
    }

    /// The commit that ends `window`, without changes yet.
    pub(super) fn ending(&self, window: &Window, kind: Kind) -> Result<Commit> {
        let commit = self.following(kind, window.began_ms);
        let is_current = self.in_window && window.timestamp == commit.timestamp && window.epoch == commit.epoch;
        if is_current { Ok(commit) } else { Err(self.unfinished()) }
    }

    /// Creates `commit`, which ends `window`.
    pub(super) async fn end(&mut self, window: &Window, commit: Commit) -> Result<&Commit> {
        let added = commit.arrays().into_iter().flat_map(|state| &state.added).map(|fragment| fragment.id);
        // Ids of abandoned fragments are on disk, too, and must not be given out again.
        let dead = commit.segments.dead.iter().filter_map(|fragment| fragment.id);
        let dead = dead.filter(|id| *id > window.ledger_id());
        let last = added.chain(dead).chain([window.ledger_id()]).max().map_or(u32::MAX, Id::counter);
        let next_counter = last.checked_add(1).ok_or_else(|| self.used_up())?;
        self.advance(commit).await?;
        self.next_counter = next_counter;
        self.in_window = false;
        Ok(&self.head)
    }

    /// Writes the window's fragment of the ledger; none without rows.
    async fn write_ledger(&self, window: &Window, rows: Vec<LedgerRow>) -> Result<Vec<FragmentRecord>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        fault::reached("before-ledger");
        let (context, uri) = (self.database.context().clone(), self.database.location().granules());
        let (id, timestamp) = (window.ledger_id(), window.timestamp);
        let written = blocking(move || {
            let batch = ledger::to_batch(&rows, id)?;
            let name = tiledb::write_fragment(&context, &uri, timestamp, vec![batch])?;
            Ok(vec![FragmentRecord { id, name, rows: rows.len() as u64 }])
        });
        let written = written.await?;
        fault::reached("after-ledger");
        Ok(written)
    }
}
