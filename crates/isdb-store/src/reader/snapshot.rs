//! A snapshot: one committed state of the database. It never changes, whatever writers do, and reads files only when they are needed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use object_store::ObjectStore;
use tokio::runtime::Handle;

use super::open_segments::OpenSegments;
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::array_files::end_timestamp;
use crate::files::fragment_list::finished_fragments;
use crate::files::location::Place;
use crate::files::remote::array_files::store_error;
use crate::fragment::FragmentRecord;
use crate::id::Id;
use crate::ledger::file::{LedgerFile, LedgerFileKind};
use crate::ledger::files::ledger_path;
use crate::ledger::row::LedgerRow;
use crate::ledger::rows::read_rows;
use crate::log::changes::Tag;
use crate::log::segments_schema::SegmentsSchema;
use crate::log::state::LogState;

/// A database at one commit.
#[derive(Clone)]
pub struct Snapshot {
    database: Database,
    state: LogState,
    /// The requested commit. `state` may be of a later one that shows the same.
    commit: u64,
    schema: SegmentsSchema,
    /// The tags of the newest state, of which some may keep this one.
    tags: BTreeMap<String, Tag>,
    /// The tag that selected the state.
    opened_by: Option<String>,
    lazy: Arc<Lazy>,
}

/// What is made at its first use, and shared by the clones of a snapshot.
#[derive(Default)]
struct Lazy {
    segments: OnceLock<OpenSegments>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("uri", &self.uri()).field("commit", &self.commit).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The snapshot of the commit `commit`, which shows `state`, in a database with these tags.
    ///
    /// # Errors
    /// [`Error::Damaged`] for a log without the schema of segments.
    pub(crate) fn new(
        database: &Database,
        commit: u64,
        state: LogState,
        tags: BTreeMap<String, Tag>,
    ) -> Result<Snapshot> {
        let Some(schema) = state.schema.clone() else {
            let problem = "expected the schema of segments, found none".to_owned();
            return Err(Error::Damaged { object: format!("{}/commits", database.location().uri()), problem });
        };
        let (database, opened_by, lazy) = (database.clone(), None, Arc::default());
        Ok(Snapshot { database, state, commit, schema, tags, opened_by, lazy })
    }

    /// The same snapshot, opened by the tag `name`.
    pub(super) fn by_tag(self, name: &str) -> Snapshot {
        Snapshot { opened_by: Some(name.to_owned()), ..self }
    }

    /// The URI of the database.
    pub fn uri(&self) -> String {
        self.database.location().uri()
    }

    /// The number of the commit: the newest, that of the requested time, or that of the tag.
    pub fn commit(&self) -> u64 {
        self.commit
    }

    /// The timestamp of the state, in milliseconds since 1970. [`Database::snapshot_at`] opens the same state with it.
    pub fn timestamp(&self) -> u64 {
        self.state.timestamp
    }

    /// The number of the commit by which the writer of this state took over.
    pub fn epoch(&self) -> u32 {
        self.state.epoch
    }

    /// The columns of segments, as [`tiledb::Array::schema`] returns them.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema.arrow
    }

    /// The number of segments in a data tile.
    pub fn capacity(&self) -> u64 {
        self.schema.capacity
    }

    /// The visible fragments of segments, in the order of their ids.
    pub fn fragments(&self) -> impl Iterator<Item = &Arc<FragmentRecord>> {
        self.state.segments.live.into_iter().map(|(_, fragment)| &fragment.record)
    }

    /// The number of visible fragments.
    pub fn fragment_count(&self) -> usize {
        self.state.segments.live.len()
    }

    /// The number of rows in the visible fragments, with those of replaced and removed attempts.
    pub fn rows(&self) -> u64 {
        self.state.segments.rows
    }

    /// Whether visible fragments have rows of replaced or removed attempts.
    pub fn has_dead_attempts(&self) -> bool {
        self.state.dead_attempts.len() > 0
    }

    /// The attempts whose files have to be read again, because a repair dropped some of their segments.
    pub fn attempts_to_reread(&self) -> &BTreeSet<Id> {
        &self.state.reread
    }

    /// The tags of the database when the snapshot was made, by name.
    pub fn tags(&self) -> impl Iterator<Item = (&str, Tag)> {
        self.tags.iter().map(|(name, tag)| (name.as_str(), *tag))
    }

    /// The tag that the snapshot was opened by, else one that keeps its state; None if no tag does.
    pub fn tag(&self) -> Option<&str> {
        if let Some(name) = self.opened_by.as_deref() {
            return Some(name);
        }
        let mut tags = self.tags.iter();
        tags.find(|(_, tag)| tag.commit == self.state.data_commit).map(|(name, _)| name.as_str())
    }

    /// The array of segments, which is opened at the first call. Blocks.
    ///
    /// # Errors
    /// [`Error::Expired`] when a vacuum has passed this snapshot of a local database, [`Error::TileDb`] for a column that cannot be read.
    pub fn segments(&self) -> Result<&OpenSegments> {
        if let Some(opened) = self.lazy.segments.get() {
            return Ok(opened);
        }
        // In an object store it would be one more round of requests; a file that a vacuum has removed says the same later.
        if self.database.location().folder().is_some() {
            Handle::try_current().map_err(|_| Error::Shutdown)?.block_on(self.check())?;
        }
        let opened = self.open_fragments(self.fragments())?;
        Ok(self.lazy.segments.get_or_init(|| opened))
    }

    /// The array of segments with only these of its fragments. Reads no file.
    ///
    /// # Errors
    /// [`Error::TileDb`] for a column that cannot be read.
    pub fn open_fragments<'f>(&self, fragments: impl Iterator<Item = &'f Arc<FragmentRecord>>) -> Result<OpenSegments> {
        let cache = self.database.fragment_cache();
        OpenSegments::new(self.database.location(), &self.schema, &self.state, fragments, cache)
    }

    /// Whether a read of the whole array up to [`timestamp`](Self::timestamp), as by another TileDB program, shows more than this
    /// snapshot. Blocks.
    ///
    /// # Errors
    /// [`Error::Io`] when the array's folder cannot be listed.
    pub fn has_hidden_rows(&self) -> Result<bool> {
        let live: HashSet<&str> = self.fragments().map(|fragment| fragment.name.as_str()).collect();
        let is_hidden = |name: &String| {
            end_timestamp(name).is_some_and(|end| end <= self.state.timestamp) && !live.contains(name.as_str())
        };
        let finished = finished_fragments(self.database.location())?;
        Ok(self.has_dead_attempts() || finished.iter().any(is_hidden))
    }

    /// Checks that no vacuum has passed this snapshot. A vacuum announces what it removes before it removes it.
    ///
    /// # Errors
    /// [`Error::Expired`] when a vacuum has passed it.
    pub async fn check(&self) -> Result<()> {
        let Some(newest) = self.database.log().newest().await? else { return Ok(()) };
        let horizon = newest.horizon;
        match self.state.number < horizon && !newest.is_tagged(self.state.data_commit) {
            true => Err(Error::Expired { uri: self.uri(), commit: self.state.number, horizon }),
            false => Ok(()),
        }
    }

    /// Whether a vacuum may have removed files of the snapshot: then an error while reading does not mean that the database is damaged, and
    /// the newest state can be opened instead. A tag keeps all files of its state.
    ///
    /// # Errors
    /// When the commit log cannot be read.
    pub async fn is_expired(&self) -> Result<bool> {
        match self.check().await {
            Ok(()) => Ok(false),
            Err(Error::Expired { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Describes an error of reading the snapshot's segments: damaged files, with the advice that newer states can be read if they no
    /// longer need them.
    pub async fn describe(&self, error: tiledb::Error) -> Error {
        // An object store that cannot be reached says nothing about a file.
        let error = match store_error(error) {
            Ok(error) => return error,
            Err(error) => error,
        };
        let (path, problem) = match &error {
            tiledb::Error::File { path, source } => (path, source.to_string()),
            tiledb::Error::Format { path, column: Some(column), source } => {
                (path, format!("column {column}: {source}"))
            }
            tiledb::Error::Format { path, column: None, source } => (path, source.to_string()),
            _ => return Error::TileDb(error),
        };
        let of_file = self.fragments().find(|fragment| path.contains(&fragment.name));
        let newest = self.database.newest().await.ok();
        let is_dropped = of_file.zip(newest).is_some_and(|(own, newest)| newest.segments.live.get(&own.id).is_none());
        let problem = if is_dropped { format!("{problem}; newer states do not need it") } else { problem };
        Error::Damaged { object: path.clone(), problem }
    }

    /// The files of the ledger with the rows of the state.
    pub fn ledger_files(&self) -> Vec<LedgerFile> {
        self.files(LedgerFileKind::Granules)
    }

    /// The path of a file of the ledger: in the file system, or `/` and the key in [`ledger_store`](Self::ledger_store).
    pub fn ledger_path(&self, file: &LedgerFile) -> PathBuf {
        let path = ledger_path(&file.name);
        match self.database.location().place() {
            Place::Folder(folder) => folder.join(path),
            Place::Bucket(bucket) => Path::new("/").join(bucket.key(&path).as_ref()),
        }
    }

    /// The object store with the files of the ledger; None for the file system.
    pub fn ledger_store(&self) -> Option<Arc<dyn ObjectStore>> {
        self.database.location().bucket().map(|bucket| Arc::clone(bucket.store()))
    }

    /// Reads every ledger row, by ascending id.
    ///
    /// # Errors
    /// [`Error::Expired`] when a vacuum has passed this snapshot, [`Error::Damaged`] when a file is missing or does not match its
    /// checksum, or a row cannot be parsed.
    pub async fn ledger(&self) -> Result<Vec<LedgerRow>> {
        let (location, files) = (self.database.location().clone(), self.ledger_files());
        let rows = blocking(move || read_rows(&location, &files)).await;
        if rows.is_err() {
            self.check().await?;
        }
        rows
    }

    /// The live files of one kind.
    pub(crate) fn files(&self, kind: LedgerFileKind) -> Vec<LedgerFile> {
        self.state.ledger.live_of(kind).cloned().collect()
    }

    pub(crate) fn state(&self) -> &LogState {
        &self.state
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }
}
