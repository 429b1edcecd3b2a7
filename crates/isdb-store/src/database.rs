//! A database that exists: the handle through which readers open snapshots and writers take over.

use tiledb::{Context, MetadataValue, group};

use crate::blocking::blocking;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::files::areas::{load_area, load_region, store_area};
use crate::files::location::Location;
use crate::log::commit::Commit;
use crate::log::commit_log::CommitLog;
use crate::reader::snapshot::Snapshot;

/// The maximum number of attempts to open a snapshot, because a vacuum may remove files while they are being opened.
const MAX_OPENS: usize = 5;

/// The key of the group's metadata for the version of isdb that created the database.
pub(crate) const VERSION_KEY: &str = "isdb.version";

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
    /// [`Error::NotFound`] when no database exists there.
    pub async fn open(location: &Location) -> Result<Database> {
        if !location.root().is_dir() {
            return Err(Error::NotFound { uri: location.uri() });
        }
        let context = Context::new([])?;
        let log = CommitLog::open(location)?;
        let database = Database { location: location.clone(), context, log };
        match database.log.head().await? {
            Some(_) => Ok(database),
            None => Err(Error::NotFound { uri: location.uri() }),
        }
    }

    /// The location of the database.
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

    /// Opens the newest committed state.
    ///
    /// # Errors
    /// [`Error::Expired`] when a vacuum passed the newest state several times in a row while it was being opened.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        for _ in 1..MAX_OPENS {
            if let Ok(snapshot) = self.open_snapshot(self.head().await?).await {
                return Ok(snapshot);
            }
        }
        self.open_snapshot(self.head().await?).await
    }

    /// Opens the state at the time `at_ms`, in milliseconds since 1970: the newest commit that is not later. The timestamp of a
    /// snapshot selects the same state again.
    ///
    /// # Errors
    /// [`Error::Expired`] when that state was vacuumed, [`Error::TooEarly`] when the database is younger.
    pub async fn snapshot_at(&self, at_ms: u64) -> Result<Snapshot> {
        let too_early = || Error::TooEarly { uri: self.location.uri(), timestamp: at_ms };
        let commit = self.log.head_at(at_ms).await?.ok_or_else(too_early)?;
        for _ in 1..MAX_OPENS {
            match self.open_snapshot(commit.clone()).await {
                Err(error) if !matches!(error, Error::Expired { .. }) => {}
                opened => return opened,
            }
        }
        self.open_snapshot(commit).await
    }

    /// Opens the state at `commit`, once.
    pub(crate) async fn open_snapshot(&self, commit: Commit) -> Result<Snapshot> {
        Snapshot::open(&self.context, &self.location, &self.log, commit).await
    }

    /// Reads the newest commit.
    pub(crate) async fn head(&self) -> Result<Commit> {
        self.log.head().await?.ok_or_else(|| Error::NotFound { uri: self.location.uri() })
    }

    /// The version of isdb that created the database; None where its group does not record one.
    ///
    /// # Errors
    /// [`Error::TileDb`] when the group cannot be read.
    pub async fn created_by(&self) -> Result<Option<String>> {
        let (context, uri) = (self.context.clone(), self.location.uri());
        let metadata = blocking(move || Ok(group::metadata(&context, &uri)?)).await?;
        Ok(match metadata.get(VERSION_KEY) {
            Some(MetadataValue::Text(version)) => Some(version.clone()),
            _ => None,
        })
    }

    /// Reads the design of the database in `snapshot`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it cannot be parsed.
    pub async fn design(&self, snapshot: &Snapshot) -> Result<Design> {
        let (context, uri, snapshot) = (self.context.clone(), self.location.uri(), snapshot.clone());
        let (mut design, area) = blocking(move || Design::read(&context, &uri, &snapshot)).await?;
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
