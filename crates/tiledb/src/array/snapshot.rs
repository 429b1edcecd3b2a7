//! Snapshots of arrays, shared by their readers, and the creation of arrays.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use tiledb_format::TimestampedName;
use tiledb_sys as sys;

use crate::array::fragment::{Fragment, now_ms};
use crate::array::history;
use crate::array::library::LibraryArray;
use crate::array::open::OpenArray;
use crate::array::outline::Outline;
use crate::context::{Context, c_text};
use crate::description::Description;
use crate::error::{Error, Result};
use crate::location::local_folder;
use crate::metadata::{self, MetadataValue};
use crate::native::{
    ColumnSummary, FRAGMENTS, FragmentCache, ListedStorage, LiveFragment, LocalFiles, NativeArray, Storage,
};
use crate::predicate::Ranges;
use crate::request::TileRun;
use crate::schema::layout::ArrayLayout;
use crate::schema::meaning::Meaning;
use crate::schema::{arrow as arrow_schema, build, field_metadata};

/// The timestamp of field metadata, which is earlier than every snapshot, so that every snapshot includes it.
const FIELD_METADATA_MS: u64 = 1;

/// The timestamp of the first schema, 2001-09-09: libtiledb finds the latest schema by the text order of the names, and from this
/// number up to 2286 text order equals numeric order.
const FIRST_SCHEMA_MS: u64 = 1_000_000_000_000;

/// A sparse array opened for reading, as of one timestamp or as a list of fragments. libtiledb reads it, or this crate by tile.
///
/// Cheap to clone and usable from any thread; every [`Reader`](crate::Reader) keeps its snapshot open.
#[derive(Clone)]
pub struct Array(pub(crate) Engine);

/// What reads the array.
#[derive(Clone)]
pub(crate) enum Engine {
    Library(LibraryArray),
    Native(NativeArray),
}

impl Array {
    /// Creates an empty sparse array.
    ///
    /// `schema` has one field per dimension (not nullable, of the dimension's type) and one per attribute, in any order.
    /// Field metadata is stored as array metadata `<field>.<key>`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a schema that cannot be stored,
    /// [`Error::Library`] if the array exists or cannot be written.
    pub fn create(ctx: &Context, uri: &str, layout: &ArrayLayout, schema: &Schema) -> Result<()> {
        let columns = arrow_schema::columns(layout, schema)?;
        let entries = field_metadata::entries(schema, &columns)?;
        let built = build::array_schema(ctx, uri, FIRST_SCHEMA_MS, layout, &columns)?;
        let c_uri = c_text(uri)?;
        // SAFETY: a live context and schema, a URI that outlives the call.
        let code = unsafe { sys::tiledb_array_create(ctx.as_ptr(), c_uri.as_ptr(), built.as_ptr()) };
        ctx.check(code, "create the array", uri)?;
        put_metadata(ctx, uri, FIELD_METADATA_MS, &entries)
    }

    /// Opens the array as of now, by the local clock: [by tile](Self::open_by_tile) if that is possible, else
    /// [by libtiledb](Self::open_by_library).
    ///
    /// # Errors
    /// [`Error::Library`] if the array does not exist or cannot be read,
    /// [`Error::Unsupported`] for a dense array or a column type outside the supported set.
    pub fn open(ctx: &Context, uri: &str) -> Result<Self> {
        Self::open_by_either(ctx, uri, None)
    }

    /// Opens the array as of `timestamp_ms` (milliseconds since 1970, inclusive), as [`Array::open`] does.
    ///
    /// # Errors
    /// As [`Array::open`].
    pub fn open_at(ctx: &Context, uri: &str, timestamp_ms: u64) -> Result<Self> {
        Self::open_by_either(ctx, uri, Some(timestamp_ms))
    }

    fn open_by_either(ctx: &Context, uri: &str, timestamp_ms: Option<u64>) -> Result<Self> {
        Self::open_by_tile(uri, timestamp_ms).or_else(|reason| {
            tracing::debug!(uri, reason = &reason as &dyn std::error::Error, "libtiledb reads the array");
            Self::open_by_library(ctx, uri, timestamp_ms)
        })
    }

    /// Opens the array as of `timestamp_ms` (milliseconds since 1970, inclusive), or of now, with libtiledb.
    ///
    /// # Errors
    /// As [`Array::open`].
    pub fn open_by_library(ctx: &Context, uri: &str, timestamp_ms: Option<u64>) -> Result<Self> {
        LibraryArray::open(ctx, uri, timestamp_ms).map(Engine::Library).map(Self)
    }

    /// Opens an array in a local folder as of `timestamp_ms` (milliseconds since 1970, inclusive), or of now, without libtiledb: its
    /// schema and its fragments are listed, and the end of each fragment's metadata is read.
    ///
    /// # Errors
    /// [`Error::Unsupported`] and [`Error::Format`] for what only libtiledb reads: arrays
    /// elsewhere, without duplicates or of format versions before 20, deleted cells, other filters, attributes that were added with a
    /// value, and the part of a consolidated fragment that is visible as of the timestamp. [`Error::File`] if a file
    /// cannot be read.
    pub fn open_by_tile(uri: &str, timestamp_ms: Option<u64>) -> Result<Self> {
        let folder = local_folder(uri).ok_or_else(|| {
            let reason = format!("expected an array in a local folder, found {uri}");
            Error::Unsupported { column: "*".to_owned(), reason }
        })?;
        Self::open_listed(uri, Arc::new(LocalFiles::new(folder)), timestamp_ms)
    }

    /// Opens the array of which `storage` has the files, as [`Array::open_by_tile`] does.
    ///
    /// # Errors
    /// As [`Array::open_by_tile`].
    pub fn open_listed(uri: &str, storage: Arc<dyn ListedStorage>, timestamp_ms: Option<u64>) -> Result<Self> {
        NativeArray::open_listed(uri, storage, timestamp_ms, now_ms()).map(Engine::Native).map(Self)
    }

    /// Returns the array with attributes whose values mean what `meanings` say, where the array does not say it. An attribute with
    /// NULLs becomes nullable, and conditions on it still reach the tiles and their statistics.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`]; [`Error::Unsupported`] for a meaning that the attribute's type cannot have, and for an array that
    /// libtiledb reads.
    pub fn with_meanings(&self, meanings: &[(String, Meaning)]) -> Result<Self> {
        match &self.0 {
            Engine::Native(array) => array.with_meanings(meanings).map(Engine::Native).map(Self),
            Engine::Library(array) => {
                let reason = format!("expected {} to be read by tile, but libtiledb reads it", array.uri);
                Err(Error::Unsupported { column: "*".to_owned(), reason })
            }
        }
    }

    /// Opens `fragments` of the array at `uri`, without libtiledb and without a read of any file. The caller knows what the array
    /// contains: `schema` is as [`Array::schema`] returned it, `fragments` are those to read, and no other is looked at. `storage`
    /// has the array's files, and `cache` keeps what was read of them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a column type outside the supported set, and for an array without
    /// duplicates, whose fragments hide cells of each other.
    pub fn open_fragments(
        uri: &str,
        layout: &ArrayLayout,
        schema: SchemaRef,
        fragments: Vec<LiveFragment>,
        storage: Arc<dyn Storage>,
        cache: &FragmentCache,
    ) -> Result<Self> {
        NativeArray::open(uri, layout, schema, fragments, storage, cache).map(Engine::Native).map(Self)
    }

    /// Returns the [schema](Array::schema) and [layout](Array::layout) that the array at `uri` has as of `timestamp_ms`
    /// (milliseconds since 1970, inclusive). In contrast to [`Array::open_at`], the cost does not depend on the number of
    /// fragments, which are not read.
    ///
    /// # Errors
    /// As [`Array::open`].
    pub fn schema_at(ctx: &Context, uri: &str, timestamp_ms: u64) -> Result<(SchemaRef, ArrayLayout)> {
        let outline = Outline::new(ctx, uri)?;
        let (layout, mut columns, entries) = outline.open(timestamp_ms)?.describe(uri)?;
        history::count_in_outline(&outline, uri, &mut columns)?;
        Ok((field_metadata::restore(&mut columns, &entries)?, layout))
    }

    fn description(&self) -> &Description {
        match &self.0 {
            Engine::Library(array) => array,
            Engine::Native(array) => array,
        }
    }

    /// The URI that the array was opened with.
    pub fn uri(&self) -> &str {
        &self.description().uri
    }

    /// The timestamp of [`Array::open_at`].
    pub fn timestamp(&self) -> Option<u64> {
        self.description().timestamp
    }

    /// The dimensions, then the attributes, with their field metadata. Attributes added after creation also have the metadata key
    /// [`ADDED_LATER`](crate::ADDED_LATER).
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.description().schema)
    }

    /// The metadata of the array by key; none if it was [opened](Array::open_fragments) with a list of fragments.
    pub fn metadata(&self) -> &BTreeMap<String, MetadataValue> {
        &self.description().metadata
    }

    /// Dimensions, cell order and tile capacity.
    pub fn layout(&self) -> &ArrayLayout {
        &self.description().layout
    }

    /// The fragments that the array was [opened](Array::open_fragments) with, or that were listed to read them by tile; none if libtiledb
    /// opened it.
    pub fn live_fragments(&self) -> &[LiveFragment] {
        match &self.0 {
            Engine::Library(_) => &[],
            Engine::Native(array) => array.fragments(),
        }
    }

    /// Returns the positions, ascending, of those [`live_fragments`](Self::live_fragments) whose recorded rectangles overlap `ranges`.
    /// Reads no file, and takes a time that hardly grows with the number of the others.
    pub fn fragments_within(&self, ranges: &Ranges) -> Vec<usize> {
        match &self.0 {
            Engine::Library(_) => Vec::new(),
            Engine::Native(array) => array.fragments_within(ranges),
        }
    }

    /// Returns what is known of all cells of the attribute `column`: for an array that is read by tile, if earlier reads have left the
    /// attribute's metadata of all fragments in the cache. Reads no file.
    pub fn summary(&self, column: &str) -> Option<ColumnSummary> {
        match &self.0 {
            Engine::Library(_) => None,
            Engine::Native(array) => array.summary(column),
        }
    }

    /// Lists the fragments that this snapshot reads. For an array that is read by tile, reads the metadata of all of them, in contrast to
    /// [`live_fragments`](Self::live_fragments).
    ///
    /// If TileDB has consolidated cells after the timestamp of a snapshot of libtiledb, the fragments it consolidated are missing from the
    /// list.
    ///
    /// # Errors
    /// [`Error::FutureFragment`] if a snapshot of libtiledb includes a fragment stamped later than the local
    /// clock.
    pub fn fragments(&self) -> Result<Vec<Fragment>> {
        match &self.0 {
            Engine::Library(array) => array.fragments(),
            Engine::Native(array) => native_fragments(array),
        }
    }

    /// Reads and decodes every tile of all files of a fragment, also what no query reads, in bounded memory: each checksum is compared.
    /// `position` is that in [`live_fragments`](Self::live_fragments).
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Format`] name the file that is missing or damaged. [`Error::Unsupported`] for an array that libtiledb
    /// reads.
    pub fn check_fragment(&self, position: usize) -> Result<()> {
        match &self.0 {
            Engine::Library(_) => {
                let reason = "expected fragments that are read by tile, found an array opened by libtiledb".to_owned();
                Err(Error::Unsupported { column: "*".to_owned(), reason })
            }
            Engine::Native(array) => array.check_fragment(position),
        }
    }

    /// Returns the tiles that have cells within `ranges`, which a [`ReadRequest`](crate::ReadRequest) can divide between readers;
    /// `None` if libtiledb reads the array, because it does not read by tile.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Format`] if the metadata of a fragment that `ranges`
    /// cut cannot be read.
    pub fn tiles(&self, ranges: &Ranges) -> Result<Option<Vec<TileRun>>> {
        match &self.0 {
            Engine::Library(_) => Ok(None),
            Engine::Native(array) => array.tiles(ranges).map(Some),
        }
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("uri", &self.uri()).field("timestamp", &self.timestamp()).finish_non_exhaustive()
    }
}

/// Describes the fragments of an array that is read by tile.
fn native_fragments(array: &NativeArray) -> Result<Vec<Fragment>> {
    let describe = |(position, live): (usize, &LiveFragment)| {
        let uri = format!("{}/{FRAGMENTS}/{}", array.uri.trim_end_matches('/'), live.name);
        let name = TimestampedName::parse(&live.name).map_err(|source| Error::Format {
            path: uri.clone(),
            column: None,
            source: Box::new(source),
        })?;
        Ok(Fragment {
            name: live.name.clone(),
            uri,
            timestamps: (name.first, name.last),
            cells: live.cells,
            bytes: array.file_bytes(position)?,
            domain: live.domain.clone(),
        })
    };
    array.fragments().iter().enumerate().map(describe).collect()
}

/// Writes array metadata at `timestamp_ms` (milliseconds since 1970).
///
/// # Errors
/// [`Error::Library`] if the array cannot be opened or written.
pub fn put_metadata(ctx: &Context, uri: &str, timestamp_ms: u64, entries: &[(String, MetadataValue)]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let open = OpenArray::new(ctx, uri, sys::TILEDB_WRITE, Some(timestamp_ms))?;
    for (key, value) in entries {
        metadata::write(ctx, uri, key, value, |key, datatype, count, value| {
            // SAFETY: an array open for writing; key and value outlive the call.
            unsafe { sys::tiledb_array_put_metadata(ctx.as_ptr(), open.as_ptr(), key, datatype, count, value) }
        })?;
    }
    open.close(uri)
}
