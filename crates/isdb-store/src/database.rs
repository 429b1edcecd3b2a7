//! The database at a location: creating it, opening it, and the snapshots that readers take of it.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use isdb_schema::catalogue::Variable;
use isdb_schema::segments;
use tiledb::{Array, Context, MetadataValue, group};
use uuid::Uuid;

use crate::blocking::blocking;
use crate::commit::{ArrayState, Commit, FORMAT};
use crate::error::{Error, Result};
use crate::location::{GRANULES, Location, SEGMENTS};
use crate::log::CommitLog;
use crate::snapshot::Snapshot;
use crate::storage;

/// A database that exists.
#[derive(Clone, Debug)]
pub struct Database {
    location: Location,
    context: Context,
    log: CommitLog,
}

impl Database {
    /// Opens the database at `location`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn open(location: &Location) -> Result<Database> {
        if !location.root().is_dir() {
            return Err(Error::NotFound { uri: location.uri() });
        }
        let context = Context::new([])?;
        let log = CommitLog::open(location)?;
        let database = Database { location: location.clone(), context, log };
        match database.log.newest().await? {
            Some(_) => Ok(database),
            None => Err(Error::NotFound { uri: location.uri() }),
        }
    }

    /// Creates an empty database for these variables. It appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Occupied`] when the folder exists and is not empty.
    pub async fn create(location: &Location, variables: &[&Variable], now_ms: u64) -> Result<Database> {
        let root = location.root();
        let occupied = || Error::Occupied { uri: location.uri() };
        if root.exists() && std::fs::read_dir(root).map_or(true, |mut entries| entries.next().is_some()) {
            return Err(occupied());
        }
        let name = root.file_name().ok_or_else(occupied)?.to_string_lossy();
        let staged = root.with_file_name(format!(".{name}.creating-{}", Uuid::new_v4()));
        let built = build(&Location::parse(&staged.to_string_lossy())?, variables, now_ms).await;
        let moved = built.and_then(|()| {
            std::fs::rename(&staged, root).map_err(|source| match source.kind() {
                // Another process was faster.
                ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => occupied(),
                _ => Error::Io { path: location.uri(), source },
            })
        });
        if let Err(error) = moved {
            // The first error is the one to tell; what could not be cleaned up is hidden and nobody's database.
            let _ = std::fs::remove_dir_all(&staged);
            return Err(error);
        }
        Database::open(location).await
    }

    /// Where the database is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The TileDB context of all reads and writes.
    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn log(&self) -> &CommitLog {
        &self.log
    }

    /// The newest committed state.
    ///
    /// # Errors
    /// [`Error::Expired`] when vacuum passed it while it was opened, twice in a row.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        match Snapshot::open(self, self.head().await?).await {
            Err(Error::Expired { .. }) => Snapshot::open(self, self.head().await?).await,
            opened => opened,
        }
    }

    /// The state as it was at `timestamp_ms`: that of the newest commit not after it.
    ///
    /// # Errors
    /// [`Error::Expired`] when that state was vacuumed, [`Error::TooEarly`] when the database is younger.
    pub async fn snapshot_at(&self, timestamp_ms: u64) -> Result<Snapshot> {
        match self.log.newest_until(timestamp_ms).await? {
            Some(commit) => Snapshot::open(self, commit).await,
            None => Err(Error::TooEarly { uri: self.location.uri(), timestamp: timestamp_ms }),
        }
    }

    /// The newest commit.
    pub(crate) async fn head(&self) -> Result<Commit> {
        self.log.newest().await?.ok_or_else(|| Error::NotFound { uri: self.location.uri() })
    }

    /// Checks that the database stores exactly these variables.
    ///
    /// # Errors
    /// [`Error::OtherVariables`], which names the first that differ.
    pub fn check_variables(&self, snapshot: &Snapshot, variables: &[&Variable]) -> Result<()> {
        let stored = stored_variables(snapshot);
        let wanted: Vec<&str> = segments::wanted_variables(variables).map(|variable| variable.name).collect();
        let only = |of: &[&str], other: &[&str]| -> Vec<String> {
            of.iter().filter(|name| !other.contains(name)).take(4).map(|name| (*name).to_owned()).collect()
        };
        let stored_names: Vec<&str> = stored.iter().map(|variable| variable.name).collect();
        let (more, less) = (only(&wanted, &stored_names), only(&stored_names, &wanted));
        if more.is_empty() && less.is_empty() {
            return Ok(());
        }
        let told = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let difference = format!("only asked for: {}; only stored: {}", told(more), told(less));
        Err(Error::OtherVariables { uri: self.location.uri(), difference })
    }
}

/// The variables of the product that have a column of their own in the snapshot's segments, in catalogue order.
pub fn stored_variables(snapshot: &Snapshot) -> Vec<&'static Variable> {
    let schema = snapshot.segments().schema();
    let all: Vec<&Variable> = isdb_schema::catalogue::variables().iter().collect();
    segments::wanted_variables(&all).filter(|variable| schema.field_with_name(variable.name).is_ok()).collect()
}

/// Builds a whole database at a place that nobody else knows.
async fn build(location: &Location, variables: &[&Variable], now_ms: u64) -> Result<()> {
    let schema = storage::segments_schema(variables);
    let place = location.clone();
    blocking(move || {
        let io = |source| Error::Io { path: place.uri(), source };
        std::fs::create_dir_all(place.root()).map_err(io)?;
        let context = Context::new([])?;
        group::create(&context, &place.uri())?;
        Array::create(&context, &place.segments(), &storage::segments_layout(), &schema)?;
        Array::create(&context, &place.granules(), &storage::ledger_layout(), &isdb_schema::ledger::ledger_schema())?;
        for name in [SEGMENTS, GRANULES] {
            group::add_member(&context, &place.uri(), name, name)?;
        }
        let facts = [
            ("isdb.version", MetadataValue::Text(env!("CARGO_PKG_VERSION").to_owned())),
            ("isdb.format", MetadataValue::Int(i64::from(FORMAT))),
            ("isdb.product", MetadataValue::Text("ATL08".to_owned())),
        ];
        let facts: Vec<_> = facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Ok(group::put_metadata(&context, &place.uri(), &facts)?)
    })
    .await?;
    let first = Commit {
        format: FORMAT,
        number: 1,
        timestamp: now_ms,
        at: now_ms,
        epoch: 0,
        horizon: 0,
        segments: ArrayState::default(),
        granules: ArrayState::default(),
        dead_ingests: BTreeSet::new(),
        uuid: Uuid::new_v4().to_string(),
    };
    CommitLog::open(location)?.create(&first).await
}
