//! Creating arrays, and opening them as snapshots that readers share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use tiledb_sys as sys;

use crate::column::Column;
use crate::context::{Context, c_text};
use crate::error::{Error, Result};
use crate::evolution;
use crate::fragment::{self, Fragment};
use crate::handle::Handle;
use crate::layout::ArrayLayout;
use crate::metadata::{self, Entry, MetadataValue};
use crate::read::{ReadRequest, Reader};
use crate::schema;

/// Field metadata belongs to the array from its beginning: a snapshot of any time sees it.
const BEGINNING_MS: u64 = 1;

/// So does the first schema. It is dated 2001-09-09, since libtiledb takes the last schema by the text of its name, and from
/// here to 2286 numbers and their text have one order.
const FIRST_SCHEMA_MS: u64 = 1_000_000_000_000;

/// A sparse array opened for reading: a snapshot of one moment.
///
/// Cheap to clone and usable from any thread; every [`Reader`] keeps its snapshot open.
#[derive(Clone)]
pub struct Array {
    inner: Arc<Inner>,
}

struct Inner {
    // Dropped in this order: the array before the context.
    open: Open,
    uri: String,
    timestamp: Option<u64>,
    schema: SchemaRef,
    columns: Vec<Column>,
    layout: ArrayLayout,
}

/// An array that is open, and closed when dropped.
pub(crate) struct Open {
    handle: Handle<sys::tiledb_array_t>,
    ctx: Context,
    closed: bool,
}

impl Open {
    /// Opens `uri` for `query_type`, up to `timestamp_ms` if given.
    pub(crate) fn new(
        ctx: &Context,
        uri: &str,
        query_type: sys::tiledb_query_type_t,
        timestamp_ms: Option<u64>,
    ) -> Result<Self> {
        const ACTION: &str = "open the array";
        let c_uri = c_text(uri)?;
        // SAFETY: a live context, a URI that outlives the call, a place to write to.
        let handle = ctx.make(ACTION, uri, sys::tiledb_array_free, |c, out| unsafe {
            sys::tiledb_array_alloc(c, c_uri.as_ptr(), out)
        })?;
        if let Some(end) = timestamp_ms {
            // SAFETY: a live array that is not open yet.
            let code = unsafe { sys::tiledb_array_set_open_timestamp_end(ctx.as_ptr(), handle.as_ptr(), end) };
            ctx.check(code, ACTION, uri)?;
        }
        // SAFETY: as above.
        ctx.check(unsafe { sys::tiledb_array_open(ctx.as_ptr(), handle.as_ptr(), query_type) }, ACTION, uri)?;
        Ok(Self { handle, ctx: ctx.clone(), closed: false })
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::tiledb_array_t {
        self.handle.as_ptr()
    }

    /// Closes and tells whether that worked: what a writer put is written only now.
    pub(crate) fn close(mut self, uri: &str) -> Result<()> {
        self.closed = true;
        // SAFETY: a live, open array.
        let code = unsafe { sys::tiledb_array_close(self.ctx.as_ptr(), self.handle.as_ptr()) };
        self.ctx.check(code, "close the array", uri)
    }

    /// Layout and columns as stored, and all metadata.
    pub(crate) fn describe(&self, uri: &str) -> Result<(ArrayLayout, Vec<Column>, BTreeMap<String, MetadataValue>)> {
        let (layout, columns) = self.stored(uri)?;
        Ok((layout, columns, self.metadata(uri)?))
    }

    /// Layout and columns as stored.
    pub(crate) fn stored(&self, uri: &str) -> Result<(ArrayLayout, Vec<Column>)> {
        schema::read(&self.ctx, uri, &self.handle)
    }

    fn metadata(&self, uri: &str) -> Result<BTreeMap<String, MetadataValue>> {
        let array = self.as_ptr();
        // SAFETY: an open array and a place to write to.
        let count = self
            .ctx
            .get("read metadata of", uri, |c, out| unsafe { sys::tiledb_array_get_metadata_num(c, array, out) })?;
        metadata::read(&self.ctx, uri, count, |index, entry| {
            let Entry { key, key_length, datatype, count, value } = entry;
            // SAFETY: an open array, an index below the count, five places to write to.
            unsafe {
                sys::tiledb_array_get_metadata_from_index(
                    self.ctx.as_ptr(),
                    array,
                    index,
                    key,
                    key_length,
                    datatype,
                    count,
                    value,
                )
            }
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.closed {
            // SAFETY: a live, open array. A snapshot has nothing to write, so that closing it has nothing to tell.
            unsafe { sys::tiledb_array_close(self.ctx.as_ptr(), self.handle.as_ptr()) };
        }
    }
}

impl Array {
    /// Creates an empty sparse array.
    ///
    /// `schema` holds one field per dimension (not nullable, of the dimension's type) and one per attribute, in any order.
    /// Field metadata is kept as array metadata `<field>.<key>`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what cannot be stored, [`Error::Library`] if the array exists or cannot be made.
    pub fn create(ctx: &Context, uri: &str, layout: &ArrayLayout, schema: &Schema) -> Result<()> {
        let columns = schema::columns(layout, schema)?;
        let entries = metadata::of_fields(schema, &columns)?;
        let built = schema::build(ctx, uri, FIRST_SCHEMA_MS, layout, &columns)?;
        let c_uri = c_text(uri)?;
        // SAFETY: a live context and schema, a URI that outlives the call.
        let code = unsafe { sys::tiledb_array_create(ctx.as_ptr(), c_uri.as_ptr(), built.as_ptr()) };
        ctx.check(code, "create the array", uri)?;
        put_metadata(ctx, uri, BEGINNING_MS, &entries)
    }

    /// Opens the array as of now, by this machine's clock.
    ///
    /// # Errors
    /// [`Error::Library`] if there is no array, [`Error::Unsupported`] if it holds what this crate does not read.
    pub fn open(ctx: &Context, uri: &str) -> Result<Self> {
        Self::open_until(ctx, uri, None)
    }

    /// Opens the array as it was at `timestamp_ms` (milliseconds since 1970), that moment included.
    ///
    /// # Errors
    /// As [`Array::open`].
    pub fn open_at(ctx: &Context, uri: &str, timestamp_ms: u64) -> Result<Self> {
        Self::open_until(ctx, uri, Some(timestamp_ms))
    }

    fn open_until(ctx: &Context, uri: &str, timestamp: Option<u64>) -> Result<Self> {
        let open = Open::new(ctx, uri, sys::TILEDB_READ, timestamp)?;
        let (layout, mut columns, entries) = open.describe(uri)?;
        evolution::count_lacking(ctx, uri, &mut columns)?;
        let schema = metadata::restore(&mut columns, &entries)?;
        let inner = Inner { open, uri: uri.to_owned(), timestamp, schema, columns, layout };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The URI it was opened with.
    pub fn uri(&self) -> &str {
        &self.inner.uri
    }

    /// The timestamp it was opened at; `None` for [`Array::open`].
    pub fn timestamp(&self) -> Option<u64> {
        self.inner.timestamp
    }

    /// Dimensions first, then attributes, with their metadata, and [`ADDED_LATER`](crate::ADDED_LATER) on those it applies to.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.inner.schema)
    }

    /// How cells are laid out.
    pub fn layout(&self) -> &ArrayLayout {
        &self.inner.layout
    }

    /// Starts a read. Batches come in no particular order, with the columns in the order asked.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::NotRepresentable`] and [`Error::Condition`] for what the request asks in vain.
    pub fn read(&self, request: &ReadRequest) -> Result<Reader> {
        self.read_within(request, None)
    }

    /// [`read`](Self::read) in which libtiledb uses at most `memory` bytes for tiles, None for its own default of 10 GB. The buffers of
    /// the batches come on top.
    ///
    /// # Errors
    /// As for [`read`](Self::read); the reader ends with [`Error::Library`] if so little memory has no room for one tile.
    pub fn read_within(&self, request: &ReadRequest, memory: Option<u64>) -> Result<Reader> {
        Reader::new(self, request, memory)
    }

    /// The fragments this snapshot sees.
    ///
    /// After TileDB's own consolidation of cells a snapshot older than that does not see the inputs here.
    ///
    /// # Errors
    /// [`Error::FutureFragment`] if the snapshot reaches beyond this machine's clock and a fragment lies there.
    pub fn fragments(&self) -> Result<Vec<Fragment>> {
        let array = self.as_ptr();
        // SAFETY: an open array and a place to write to.
        let end = self.ctx().get("read the timestamp of", self.uri(), |c, out| unsafe {
            sys::tiledb_array_get_open_timestamp_end(c, array, out)
        })?;
        fragment::until(self.ctx(), self.uri(), &self.inner.layout, end)
    }

    /// The array's metadata at this snapshot, field metadata (`<field>.<key>`) included. Values that are neither text nor one
    /// number are left out.
    ///
    /// # Errors
    /// [`Error::Library`] if it cannot be read.
    pub fn metadata(&self) -> Result<BTreeMap<String, MetadataValue>> {
        self.inner.open.metadata(self.uri())
    }

    pub(crate) fn ctx(&self) -> &Context {
        &self.inner.open.ctx
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::tiledb_array_t {
        self.inner.open.as_ptr()
    }

    /// All columns, dimensions first.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.inner.columns
    }

    pub(crate) fn column(&self, name: &str) -> Result<&Column> {
        let found = self.inner.columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| Error::UnknownColumn { uri: self.uri().to_owned(), column: name.to_owned() })
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("uri", &self.uri()).field("timestamp", &self.timestamp()).finish_non_exhaustive()
    }
}

/// Writes array metadata at `timestamp_ms` (milliseconds since 1970).
///
/// # Errors
/// [`Error::Library`] if the array cannot be opened or written.
pub fn put_metadata(ctx: &Context, uri: &str, timestamp_ms: u64, entries: &[(String, MetadataValue)]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let open = Open::new(ctx, uri, sys::TILEDB_WRITE, Some(timestamp_ms))?;
    for (key, value) in entries {
        metadata::write(ctx, uri, key, value, |key, datatype, count, value| {
            // SAFETY: an array open for writing; key and value outlive the call.
            unsafe { sys::tiledb_array_put_metadata(ctx.as_ptr(), open.as_ptr(), key, datatype, count, value) }
        })?;
    }
    open.close(uri)
}
