//! A database that exists: the handle through which readers open snapshots (`reader/states.rs`) and writers take over.

use std::sync::{Arc, OnceLock};

use isdb_schema::suggest::did_you_mean;
use tiledb::{Context, FragmentCache};

use crate::blocking::blocking;
use crate::copy::marker::explain;
use crate::error::{Error, Result};
use crate::files::areas::{load_area, store_area};
use crate::files::array_files::{FRAGMENTS, SCHEMAS};
use crate::files::location::{Location, SEGMENTS};
use crate::ledger::files::LEDGER;
use crate::log::commit_log::{CommitLog, is_unreadable};
use crate::log::state::LogState;

/// The settings of libtiledb, which works on few small files: more threads cost more than they gain.
const LIBRARY_SETTINGS: [(&str, &str); 2] = [("sm.compute_concurrency_level", "1"), ("sm.io_concurrency_level", "2")];

/// A database that exists.
#[derive(Clone, Debug)]
pub struct Database {
    location: Location,
    context: Arc<OnceLock<Context>>,
    fragments: FragmentCache,
    log: CommitLog,
}

impl Database {
    /// A handle of the database at `location`, of which nothing is read before a snapshot is opened.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `location` is a folder that does not exist.
    pub fn unread(location: &Location) -> Result<Database> {
        if location.folder().is_some_and(|folder| !folder.is_dir()) {
            return Err(Error::NotFound { uri: location.uri() });
        }
        let log = CommitLog::open(location)?;
        Ok(Database { location: location.clone(), context: Arc::default(), fragments: FragmentCache::default(), log })
    }

    /// Opens the database at `location`. Only its log is read.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no database exists there; [`Error::LostLog`] and [`Error::LostArray`] when a part of it is missing;
    /// [`Error::OtherFormat`] when another version made it.
    pub async fn open(location: &Location) -> Result<Database> {
        let database = Database::unread(location)?;
        database.newest().await?;
        database.check_local_array()?;
        Ok(database)
    }

    /// Keeps at most about `bytes` of the metadata of fragments in memory, for all snapshots; 256 MiB by default. To be called before the
    /// first read.
    #[must_use]
    pub fn with_metadata_memory(self, bytes: usize) -> Database {
        Database { fragments: FragmentCache::new(bytes), ..self }
    }

    /// The location of the database.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The context of what libtiledb does: it adds variables, gathers footers and makes lost schemas again. Queries, writes and checks of
    /// segments need none. It is created at the first call, which takes some milliseconds.
    ///
    /// # Errors
    /// [`Error::TileDb`] when libtiledb cannot be used.
    pub fn context(&self) -> Result<&Context> {
        if let Some(context) = self.context.get() {
            return Ok(context);
        }
        let context = Context::new(LIBRARY_SETTINGS)?;
        Ok(self.context.get_or_init(|| context))
    }

    /// The metadata of fragments that were read, for all snapshots.
    pub(crate) fn fragment_cache(&self) -> &FragmentCache {
        &self.fragments
    }

    pub(crate) fn log(&self) -> &CommitLog {
        &self.log
    }

    pub(crate) fn unknown_tag(&self, name: &str, state: &LogState) -> Error {
        let suggestion = did_you_mean(name, state.tags.keys().map(String::as_str));
        Error::UnknownTag { uri: self.location.uri(), name: name.to_owned(), suggestion }
    }

    /// Reads the newest state.
    pub(crate) async fn newest(&self) -> Result<LogState> {
        match self.log.newest().await {
            Ok(Some(state)) => Ok(state),
            Ok(None) => Err(self.without_log().await),
            Err(error) if is_unreadable(&error) => Err(explain(&self.location, error).await),
            Err(error) => Err(error),
        }
    }

    /// The error of a database without commits and checkpoints. Fragments or a ledger show that there was one.
    pub(crate) async fn without_log(&self) -> Error {
        let uri = self.location.uri();
        let location = self.location.clone();
        // In an object store an interrupted creation leaves an array without fragments.
        let parts = move || {
            let is_there = |part: &&str| match location.folder() {
                Some(folder) => folder.join(part).is_dir(),
                None => {
                    let files = if *part == SEGMENTS { format!("{SEGMENTS}/{FRAGMENTS}") } else { (*part).to_owned() };
                    location.names(&files).is_ok_and(|names| !names.is_empty())
                }
            };
            Ok([SEGMENTS, LEDGER].into_iter().filter(is_there).collect::<Vec<_>>().join(" and "))
        };
        let error = match blocking(parts).await {
            Ok(found) if found.is_empty() => Error::NotFound { uri },
            Ok(found) => Error::LostLog { uri, found },
            Err(error) => return error,
        };
        explain(&self.location, error).await
    }

    /// Checks that the array of a local database exists. In an object store it would be one more request, and reads open fragments by name.
    pub(crate) fn check_local_array(&self) -> Result<()> {
        if self.location.folder().is_some() { self.check_array() } else { Ok(()) }
    }

    /// Checks that the array exists. Without it libtiledb would make a new one, and nothing would find what is written. Blocks.
    pub(crate) fn check_array(&self) -> Result<()> {
        let uri = self.location.segments();
        let exists = match self.location.folder() {
            Some(folder) => folder.join(SEGMENTS).is_dir(),
            None => !self.location.names(&format!("{SEGMENTS}/{SCHEMAS}"))?.is_empty(),
        };
        if exists { Ok(()) } else { Err(Error::LostArray { uri }) }
    }

    /// Returns the version of isdb that created the database.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn created_by(&self) -> Result<Option<String>> {
        Ok(self.newest().await?.created_by)
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
