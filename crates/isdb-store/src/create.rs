//! Creation of a database, which is built in a folder beside its location and renamed once it is whole and durable.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tiledb::{Array, Context, MetadataValue, group};

use crate::array_layout::{segments_layout, segments_schema};
use crate::blocking::blocking;
use crate::create_remote::RemoteCreation;
use crate::database::Database;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::files::areas::store_area;
use crate::files::durable::{sync_folder, sync_tree};
use crate::files::interrupted_creations::{creation_folder, remove_interrupted_creations};
use crate::files::location::{LOCK, Location, Place, SEGMENTS};
use crate::files::lock::FileLock;
use crate::log::commit_log::{COMMITS, CommitLog};
use crate::log::envelope::FORMAT;
use crate::log::segments_schema::SegmentsSchema;
use crate::log::state::LogState;

/// A time after every file of the array: a new array has one schema, whatever the clock says.
const NEVER: u64 = i64::MAX.cast_unsigned();

/// The key of the group's metadata for the version of isdb that created the database.
const VERSION_KEY: &str = "isdb.version";

impl Database {
    /// Creates an empty database of this design. It appears whole or not at all, even after a power cut.
    ///
    /// # Errors
    /// [`Error::Occupied`] when the folder exists and is not empty; [`Error::FileSystem`] when the file system cannot hold a commit
    /// log. Nothing is left on disk then. [`Error::NoConditionalWrites`] for an object store that cannot hold one.
    pub async fn create(location: &Location, design: &Design, now_ms: u64) -> Result<Database> {
        let root = match location.place() {
            Place::Folder(root) => root,
            Place::Bucket(bucket) => {
                let creation = RemoteCreation::begin(bucket, location).await?;
                // The lock of the local folder is of no use after this.
                build(&creation.local()?, design, now_ms).await?;
                creation.upload().await?;
                return Database::open(location).await;
            }
        };
        let occupied = || Error::Occupied { uri: location.uri() };
        if root.exists() && std::fs::read_dir(root).map_or(true, |mut entries| entries.next().is_some()) {
            return Err(occupied());
        }
        remove_interrupted_creations(root);
        let parents = missing_parents(root);
        let mut folder = creation_folder(root).ok_or_else(occupied)?;
        let mut built = build(&Location::parse(&folder.to_string_lossy())?, design, now_ms).await;
        if matches!(built, Err(Error::Locked { .. })) {
            folder = creation_folder(root).ok_or_else(occupied)?;
            built = build(&Location::parse(&folder.to_string_lossy())?, design, now_ms).await;
        }
        let renamed = built.and_then(|lock| {
            std::fs::rename(&folder, root).map_err(|source| match source.kind() {
                // Another process was faster.
                ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => occupied(),
                _ => Error::Io { path: location.uri(), source },
            })?;
            Ok(lock)
        });
        if let Err(error) = renamed {
            // The first error is reported. A folder that cannot be removed is hidden, and no process opens it as a database.
            let _ = std::fs::remove_dir_all(&folder);
            for parent in &parents {
                let _ = std::fs::remove_dir(parent);
            }
            return Err(match error {
                Error::FileSystem { source, .. } => Error::FileSystem { path: location.uri(), source },
                error => error,
            });
        }
        // The entry of the database, and the entries of the folders that were created for it.
        for folder in [root.as_path()].into_iter().chain(parents.iter().map(AsRef::as_ref)).filter_map(Path::parent) {
            sync_folder(folder)?;
        }
        Database::open(location).await
    }
}

/// The folders above `root` that do not exist, the innermost first.
fn missing_parents(root: &Path) -> Vec<PathBuf> {
    root.ancestors().skip(1).take_while(|folder| !folder.exists()).map(Path::to_owned).collect()
}

/// Builds a whole database at a location that no other process uses, durable except for the entry of its folder. The returned lock
/// marks the folder as a creation in progress.
///
/// # Errors
/// [`Error::Locked`] when another process removed the folder as an interrupted creation before it was locked.
async fn build(location: &Location, design: &Design, now_ms: u64) -> Result<FileLock> {
    let root = location.path("");
    let schema = segments_schema(&design.variables, &design.derived);
    let layout = segments_layout(design.capacity);
    let metadata = group_metadata(design);
    let folder = location.clone();
    let create_arrays = move || {
        let failed = |source| Error::Io { path: folder.uri(), source };
        std::fs::create_dir_all(&root).map_err(failed)?;
        let lock = FileLock::acquire(&root)?;
        if !root.join(LOCK).exists() {
            return Err(Error::Locked { uri: folder.uri() });
        }
        let context = Context::new([])?;
        group::create(&context, &folder.uri())?;
        Array::create(&context, &folder.segments(), &layout, &schema)?;
        group::add_member(&context, &folder.uri(), SEGMENTS, SEGMENTS)?;
        group::put_metadata(&context, &folder.uri(), &metadata)?;
        // Made before everything is synced, so that a commit syncs only this folder.
        std::fs::create_dir(root.join(COMMITS)).map_err(failed)?;
        sync_tree(&root)?;
        let (arrow, layout) = Array::schema_at(&context, &folder.segments(), NEVER)?;
        Ok((lock, SegmentsSchema { arrow, capacity: layout.capacity }))
    };
    let (lock, schema) = blocking(create_arrays).await?;
    let log = CommitLog::open(location)?;
    let mut first = LogState::first_commit(now_ms, schema);
    if let Some(region) = &design.region {
        first.region = Some(store_area(log.objects(), &region.to_text()).await?);
    }
    first.filters = Some(design.filters.clone());
    log.create(&first).await?;
    Ok(lock)
}

/// The metadata of the TileDB group of a new database.
fn group_metadata(design: &Design) -> Vec<(String, MetadataValue)> {
    let general = [
        (VERSION_KEY, MetadataValue::Text(env!("CARGO_PKG_VERSION").to_owned())),
        ("isdb.format", MetadataValue::Int(i64::from(FORMAT))),
        ("isdb.product", MetadataValue::Text("ATL08".to_owned())),
    ];
    general.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(design.group_metadata()).collect()
}
