//! A database that exists: the handle through which readers open snapshots and writers take over.

use std::sync::{Arc, OnceLock};

use isdb_schema::suggest::did_you_mean;
use tiledb::Context;

use crate::design::Design;
use crate::error::{Error, Result};
use crate::files::areas::{load_area, load_region, store_area};
use crate::files::location::Location;
use crate::log::commit_log::CommitLog;
use crate::log::state::LogState;
use crate::reader::snapshot::Snapshot;

/// A database that exists.
#[derive(Clone, Debug)]
pub struct Database {
    location: Location,
    context: Arc<OnceLock<Context>>,
    log: CommitLog,
}

impl Database {
    /// Opens the database at `location`. Only its log is read.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no database exists there.
    pub async fn open(location: &Location) -> Result<Database> {
        let not_found = || Error::NotFound { uri: location.uri() };
        if !location.root().is_dir() {
            return Err(not_found());
        }
        let database = Database::unread(location)?;
        database.log.newest().await?.ok_or_else(not_found)?;
        Ok(database)
    }

    /// A handle of the database at `location`, whose folder must exist, without a read of its log.
    pub(crate) fn unread(location: &Location) -> Result<Database> {
        Ok(Database { location: location.clone(), context: Arc::default(), log: CommitLog::open(location)? })
    }

    /// The location of the database.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The TileDB context of all reads and writes, which is created at the first call. That takes some milliseconds.
    ///
    /// # Errors
    /// [`Error::TileDb`] when libtiledb cannot be used.
    pub fn context(&self) -> Result<&Context> {
        if let Some(context) = self.context.get() {
            return Ok(context);
        }
        let context = Context::new([])?;
        Ok(self.context.get_or_init(|| context))
    }

    pub(crate) fn log(&self) -> &CommitLog {
        &self.log
    }

    /// Opens the newest committed state.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a commit is missing or cannot be parsed.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let newest = self.newest().await?;
        let tags = newest.tags.clone();
        Snapshot::new(self, newest, tags)
    }

    /// Opens the state at the time `at_ms`, in milliseconds since 1970: the newest commit that is not later. The timestamp of a
    /// snapshot selects the same state again.
    ///
    /// # Errors
    /// [`Error::Expired`] when that state was vacuumed, [`Error::TooEarly`] when the database is younger.
    pub async fn snapshot_at(&self, at_ms: u64) -> Result<Snapshot> {
        let too_early = || Error::TooEarly { uri: self.location.uri(), timestamp: at_ms };
        let number = self.log.number_at(at_ms).await?.ok_or_else(too_early)?;
        self.snapshot_of(number).await
    }

    /// Opens the state that the tag `name` keeps.
    ///
    /// # Errors
    /// [`Error::UnknownTag`].
    pub async fn snapshot_of_tag(&self, name: &str) -> Result<Snapshot> {
        let newest = self.newest().await?;
        let tag = newest.tags.get(name).ok_or_else(|| self.unknown_tag(name, &newest))?;
        self.snapshot_of(tag.commit).await
    }

    pub(crate) fn unknown_tag(&self, name: &str, state: &LogState) -> Error {
        let suggestion = did_you_mean(name, state.tags.keys().map(String::as_str));
        Error::UnknownTag { uri: self.location.uri(), name: name.to_owned(), suggestion }
    }

    /// Opens the state after the commit `number`.
    async fn snapshot_of(&self, number: u64) -> Result<Snapshot> {
        let newest = self.newest().await?;
        let tags = newest.tags.clone();
        let mut state = self.log.state_at(number).await?;
        if newest.data_commit == state.data_commit {
            // Later commits changed nothing that a reader sees, but a vacuum may have passed the earlier ones.
            state = newest;
        }
        let snapshot = Snapshot::new(self, state, tags)?;
        snapshot.check().await?;
        Ok(snapshot)
    }

    /// Reads the newest state.
    pub(crate) async fn newest(&self) -> Result<LogState> {
        self.log.newest().await?.ok_or_else(|| Error::NotFound { uri: self.location.uri() })
    }

    /// Returns the version of isdb that created the database.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn created_by(&self) -> Result<Option<String>> {
        Ok(self.newest().await?.created_by)
    }

    /// Reads the design of the database in `snapshot`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when its region cannot be read.
    pub async fn design(&self, snapshot: &Snapshot) -> Result<Design> {
        let (mut design, area) = Design::of(snapshot);
        if let Some(area) = area {
            design.region = Some(load_region(self.log.objects(), &area).await?);
        }
        Ok(design)
    }

    /// Stores the text of an area, as `areas/<SHA-256 of the text>.json` if it is longer than 300 bytes, and returns its name:
    /// [`area_name`](crate::area_name). Any process may store an area at any time; storing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::Log`] and [`Error::Io`] when it cannot be stored.
    pub async fn store_area(&self, text: &str) -> Result<String> {
        store_area(self.log.objects(), text).await
    }

    /// Returns the text of the area `name`, which [`store_area`](Self::store_area) returned.
    ///
    /// # Errors
    /// [`Error::Damaged`] when its file does not exist, or its content does not match the checksum in its name.
    pub async fn area(&self, name: &str) -> Result<String> {
        load_area(self.log.objects(), name).await
    }
}
