//! The writer: takes the database over, gives out timestamps and ids, and commits windows, each all at once.

use isdb_schema::catalogue::Variable;
use isdb_schema::filters::{Rule, to_json};
use isdb_schema::segments;
use tiledb::Vfs;
use uuid::Uuid;

use crate::blocking::blocking;
use crate::commit::{ArrayState, Commit, DeadFragment, FORMAT, FragmentRecord, Recorded};
use crate::database::Database;
use crate::design::stored_variables;
use crate::error::{Error, Result};
use crate::evolution;
use crate::ids::Id;
use crate::ledger::{self, LedgerRow};
use crate::lock::Lock;
use crate::recovery;
use crate::storage;

/// The one writer of a database. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Writer {
    database: Database,
    head: Commit,
    recorded: Recorded,
    next_counter: u32,
    in_window: bool,
    _lock: Lock,
}

/// What a commit changes.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Fragments of segments that become visible.
    pub fragments: Vec<FragmentRecord>,
    /// New rows of the ledger; the attempts that they replace lose their segments.
    pub ledger: Vec<LedgerRow>,
    /// The filters that segments have passed from now on; None for no change.
    pub filters: Option<Vec<Rule>>,
}

/// The timestamp and ids of a window that is being written. Nothing of it is visible before [`Writer::commit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Every fragment of the window is written at this timestamp, in milliseconds since 1970.
    pub timestamp: u64,
    epoch: u32,
    first: u32,
    ingests: u32,
    at: u64,
}

impl Window {
    /// The id of the attempt at the window's granule `index`, from 0.
    pub fn ingest_id(&self, index: u32) -> Id {
        Id::new(self.epoch, self.first.saturating_add(index))
    }

    /// The id of the window's fragment of the ledger.
    fn ledger_id(&self) -> Id {
        self.ingest_id(self.ingests)
    }

    /// The id of the window's fragment `index` of segments, from 0.
    pub fn fragment_id(&self, index: u32) -> Id {
        self.ingest_id(self.ingests.saturating_add(1).saturating_add(index))
    }
}

impl Writer {
    /// Takes the database over: the lock, a look at what earlier writers left, a commit that fences them off (their next
    /// commit fails), and only then the removal of what they left. `now_ms` is this machine's clock.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process writes, [`Error::Overtaken`] when another took over at the same moment.
    pub async fn take_over(database: &Database, now_ms: u64) -> Result<Writer> {
        let lock = Lock::take(database.location())?;
        let previous = database.head().await?;
        let mut recorded = database.log().recorded(&previous).await?;
        let (context, location) = (database.context().clone(), database.location().clone());
        let (known, timestamp) = (recorded.clone(), previous.timestamp);
        let (vfs, (segments, granules)) = blocking(move || {
            let vfs = Vfs::new(&context)?;
            let strays = recovery::strays(&vfs, &location, &known, timestamp, now_ms)?;
            Ok((vfs, strays))
        })
        .await?;
        let number = previous.number + 1;
        let epoch = u32::try_from(number).map_err(|_| full(database, number))?;
        let fence = Commit {
            number,
            at: now_ms.max(previous.at),
            epoch,
            segments: carried(&previous.segments, &segments.seen),
            granules: carried(&previous.granules, &granules.seen),
            uuid: Uuid::new_v4().to_string(),
            ..previous
        };
        database.log().create(&fence).await?;
        recorded.apply(&fence);
        database.log().checkpoint_if_due(&recorded).await?;
        blocking(move || {
            recovery::remove(&vfs, &segments)?;
            recovery::remove(&vfs, &granules)
        })
        .await?;
        Ok(Writer { database: database.clone(), head: fence, recorded, next_counter: 1, in_window: false, _lock: lock })
    }

    /// The database that is written to.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Starts a window of `ingests` granules at the clock's `now_ms`, or later if the clock is behind the log.
    ///
    /// # Errors
    /// [`Error::Unfinished`] when the window before was not committed: its ids and fragments must not be mistaken for this
    /// one's, so a new writer has to take over.
    pub fn window(&mut self, ingests: u32, now_ms: u64) -> Result<Window> {
        if std::mem::replace(&mut self.in_window, true) {
            return Err(Error::Unfinished { uri: self.database.location().uri() });
        }
        let timestamp = now_ms.max(self.head.timestamp + 1);
        Ok(Window { timestamp, epoch: self.head.epoch, first: self.next_counter, ingests, at: now_ms })
    }

    /// Makes the window visible: its ledger rows as one fragment of `granules`, then the commit.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when another writer took over meanwhile; then nothing of the window is visible, and this writer
    /// has ended.
    pub async fn commit(&mut self, window: Window, changes: Changes) -> Result<&Commit> {
        let Changes { fragments, ledger: rows, filters } = changes;
        let replaced: Vec<Id> = rows.iter().flat_map(|row| row.replaces.clone()).collect();
        let used = u32::try_from(fragments.len()).ok().and_then(|n| n.checked_add(window.ingests)?.checked_add(1));
        let next_counter = used.and_then(|used| window.first.checked_add(used));
        let next_counter = next_counter.ok_or_else(|| full(&self.database, self.head.number))?;
        let ledger = vec![self.write_ledger(window, rows).await?];
        let mut commit =
            self.following(window, grown(&self.head.segments, fragments), grown(&self.head.granules, ledger));
        commit.dead_ingests.extend(replaced);
        commit.filters = filters.map(|rules| to_json(&rules)).or(commit.filters);
        self.advance(commit).await?;
        self.next_counter = next_counter;
        Ok(&self.head)
    }

    /// Adds `variables` to those that the database stores; rows that are stored already hold NULL in them. Those it has are
    /// passed over, and without a new one nothing is committed.
    ///
    /// The array has them from the commit's timestamp on. A writer that dies before its commit leaves a schema that no
    /// snapshot reaches, and that the next take over removes.
    ///
    /// # Errors
    /// [`Error::Unfinished`] and [`Error::Overtaken`] as for windows.
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
        let commit = self.following(window, grown(&self.head.segments, vec![]), grown(&self.head.granules, vec![]));
        self.advance(commit).await?;
        Ok(&self.head)
    }

    /// The commit that ends `window` after the newest one.
    fn following(&self, window: Window, segments: ArrayState, granules: ArrayState) -> Commit {
        Commit {
            format: FORMAT,
            number: self.head.number + 1,
            timestamp: window.timestamp,
            at: window.at.max(self.head.at),
            epoch: self.head.epoch,
            horizon: self.head.horizon,
            segments,
            granules,
            dead_ingests: self.head.dead_ingests.clone(),
            filters: self.head.filters.clone(),
            uuid: Uuid::new_v4().to_string(),
        }
    }

    /// Creates `commit`, which ends the window.
    async fn advance(&mut self, commit: Commit) -> Result<()> {
        self.database.log().create(&commit).await?;
        self.recorded.apply(&commit);
        self.database.log().checkpoint_if_due(&self.recorded).await?;
        self.head = commit;
        self.in_window = false;
        Ok(())
    }

    async fn write_ledger(&self, window: Window, rows: Vec<LedgerRow>) -> Result<FragmentRecord> {
        let (context, uri) = (self.database.context().clone(), self.database.location().granules());
        blocking(move || {
            let id = window.ledger_id();
            let batch = ledger::to_batch(&rows, id)?;
            let name = tiledb::write_fragment(&context, &uri, window.timestamp, &[batch])?;
            Ok(FragmentRecord { id, name, rows: rows.len() as u64 })
        })
        .await
    }
}

/// The state after a commit that adds nothing but `dead` fragments.
fn carried(previous: &ArrayState, dead: &[DeadFragment]) -> ArrayState {
    let known = |fragment: &&DeadFragment| !previous.dead.iter().any(|dead| dead.name == fragment.name);
    let dead = previous.dead.iter().chain(dead.iter().filter(known)).cloned().collect();
    ArrayState { live: previous.live, dead, ..ArrayState::default() }
}

/// The state after a commit that adds `fragments`.
fn grown(previous: &ArrayState, fragments: Vec<FragmentRecord>) -> ArrayState {
    let live = previous.live + fragments.len() as u64;
    ArrayState { live, added: fragments, ..carried(previous, &[]) }
}

/// Ids have 32 bits of commits above 32 bits of counter; nobody will see the end of either.
fn full(database: &Database, number: u64) -> Error {
    let problem = "its ids are used up".to_owned();
    Error::Damaged { object: format!("{}/commits/{number}", database.location().uri()), problem }
}
