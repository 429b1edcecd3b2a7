//! The database at a location: creating it, opening it, and the snapshots that readers take of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tiledb::{Array, Context, MetadataValue, group};

use crate::areas;
use crate::blocking::blocking;
use crate::commit::{Commit, FORMAT};
use crate::design::Design;
use crate::durable::{sync_folder, sync_tree};
use crate::error::{Error, Result};
use crate::leftovers;
use crate::location::{GRANULES, Location, SEGMENTS};
use crate::lock::{LOCK, Lock};
use crate::log::CommitLog;
use crate::snapshot::Snapshot;
use crate::storage;

/// How often an open is tried: files that it looks for may be removed by a vacuum meanwhile.
const OPENS: usize = 5;

/// The key of the group's metadata that names the version of isdb.
const VERSION: &str = "isdb.version";

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

    /// Creates an empty database of this design. It appears whole or not at all, also after a power cut.
    ///
    /// # Errors
    /// [`Error::Occupied`] when the folder exists and is not empty; [`Error::FileSystem`] when the file system can hold no commit
    /// log. Nothing is left behind then.
    pub async fn create(location: &Location, design: &Design, now_ms: u64) -> Result<Database> {
        let root = location.root();
        let occupied = || Error::Occupied { uri: location.uri() };
        if root.exists() && std::fs::read_dir(root).map_or(true, |mut entries| entries.next().is_some()) {
            return Err(occupied());
        }
        leftovers::sweep(location);
        let parents = new_parents(root);
        let mut staged = leftovers::staged_name(root).ok_or_else(occupied)?;
        let mut built = build(&Location::parse(&staged.to_string_lossy())?, design, now_ms).await;
        if matches!(built, Err(Error::Locked { .. })) {
            staged = leftovers::staged_name(root).ok_or_else(occupied)?;
            built = build(&Location::parse(&staged.to_string_lossy())?, design, now_ms).await;
        }
        let moved = built.and_then(|lock| {
            std::fs::rename(&staged, root).map_err(|source| match source.kind() {
                // Another process was faster.
                ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => occupied(),
                _ => Error::Io { path: location.uri(), source },
            })?;
            Ok(lock)
        });
        if let Err(error) = moved {
            // The first error is the one to tell; what could not be cleaned up is hidden and nobody's database.
            let _ = std::fs::remove_dir_all(&staged);
            for parent in &parents {
                let _ = std::fs::remove_dir(parent);
            }
            return Err(match error {
                Error::FileSystem { source, .. } => Error::FileSystem { path: location.uri(), source },
                error => error,
            });
        }
        // The new entry, and those of the folders that were made for it.
        for folder in [root].into_iter().chain(parents.iter().map(AsRef::as_ref)).filter_map(Path::parent) {
            sync_folder(folder)?;
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
    /// [`Error::Expired`] when a vacuum passed it while it was opened, several times in a row.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        for _ in 1..OPENS {
            if let Ok(snapshot) = Snapshot::open(self, self.head().await?).await {
                return Ok(snapshot);
            }
        }
        Snapshot::open(self, self.head().await?).await
    }

    /// The state as it was at the moment `at_ms`, in milliseconds since 1970: that of the newest commit not after it. The
    /// timestamp of a snapshot names the same state.
    ///
    /// # Errors
    /// [`Error::Expired`] when that state was vacuumed, [`Error::TooEarly`] when the database is younger.
    pub async fn snapshot_at(&self, at_ms: u64) -> Result<Snapshot> {
        let too_early = || Error::TooEarly { uri: self.location.uri(), timestamp: at_ms };
        let commit = self.log.newest_until(at_ms).await?.ok_or_else(too_early)?;
        for _ in 1..OPENS {
            match Snapshot::open(self, commit.clone()).await {
                Err(error) if !matches!(error, Error::Expired { .. }) => {}
                opened => return opened,
            }
        }
        Snapshot::open(self, commit).await
    }

    /// The newest commit.
    pub(crate) async fn head(&self) -> Result<Commit> {
        self.log.newest().await?.ok_or_else(|| Error::NotFound { uri: self.location.uri() })
    }

    /// The version of isdb that created the database; None where its group does not tell.
    ///
    /// # Errors
    /// [`Error::TileDb`] when the group cannot be read.
    pub async fn created_by(&self) -> Result<Option<String>> {
        let (context, uri) = (self.context.clone(), self.location.uri());
        let facts = blocking(move || Ok(group::metadata(&context, &uri)?)).await?;
        Ok(match facts.get(VERSION) {
            Some(MetadataValue::Text(version)) => Some(version.clone()),
            _ => None,
        })
    }

    /// What the database is made for.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what it says of itself cannot be understood.
    pub async fn design(&self, snapshot: &Snapshot) -> Result<Design> {
        let (context, uri, snapshot) = (self.context.clone(), self.location.uri(), snapshot.clone());
        let (mut design, area) = blocking(move || Design::read(&context, &uri, &snapshot)).await?;
        if let Some(area) = area {
            design.region = Some(self.region(&area).await?);
        }
        Ok(design)
    }
}

/// The folders above `root` that do not exist, the innermost first.
fn new_parents(root: &Path) -> Vec<PathBuf> {
    root.ancestors().skip(1).take_while(|folder| !folder.exists()).map(Path::to_owned).collect()
}

/// Builds a whole database at a place that nobody else knows, durable but for the entry of its folder. The lock says that it is
/// not a leftover.
///
/// # Errors
/// [`Error::Locked`] when another process has removed it as a leftover before it was locked.
async fn build(location: &Location, design: &Design, now_ms: u64) -> Result<Lock> {
    let (schema, layout) = (storage::segments_schema(design), storage::segments_layout(design.capacity));
    let filters = design.facts();
    let place = location.clone();
    let lock = blocking(move || {
        let io = |source| Error::Io { path: place.uri(), source };
        std::fs::create_dir_all(place.root()).map_err(io)?;
        let lock = Lock::take(&place)?;
        if !place.root().join(LOCK).exists() {
            return Err(Error::Locked { uri: place.uri() });
        }
        let context = Context::new([])?;
        group::create(&context, &place.uri())?;
        Array::create(&context, &place.segments(), &layout, &schema)?;
        Array::create(&context, &place.granules(), &storage::ledger_layout(), &isdb_schema::ledger::ledger_schema())?;
        for name in [SEGMENTS, GRANULES] {
            group::add_member(&context, &place.uri(), name, name)?;
        }
        let facts = [
            (VERSION, MetadataValue::Text(env!("CARGO_PKG_VERSION").to_owned())),
            ("isdb.format", MetadataValue::Int(i64::from(FORMAT))),
            ("isdb.product", MetadataValue::Text("ATL08".to_owned())),
        ];
        let facts: Vec<_> = facts.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(filters).collect();
        group::put_metadata(&context, &place.uri(), &facts)?;
        sync_tree(place.root())?;
        Ok(lock)
    })
    .await?;
    let log = CommitLog::open(location)?;
    if let Some(region) = &design.region {
        areas::put(log.objects(), &region.to_text()).await?;
    }
    log.create(&Commit::first(now_ms)).await?;
    Ok(lock)
}
