//! Snapshots of arrays, shared by their readers, and the creation of arrays.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use tiledb_sys as sys;

use crate::array::fragment::{Fragment, list_until};
use crate::array::history;
use crate::array::open::OpenArray;
use crate::array::outline::Outline;
use crate::context::{Context, c_text};
use crate::error::{Error, Result};
use crate::metadata::{self, MetadataValue};
use crate::schema::column::Column;
use crate::schema::layout::ArrayLayout;
use crate::schema::{arrow as arrow_schema, build, field_metadata};

/// The timestamp of field metadata, which is earlier than every snapshot, so that every snapshot includes it.
const FIELD_METADATA_MS: u64 = 1;

/// The timestamp of the first schema, 2001-09-09: libtiledb finds the latest schema by the text order of the names, and from this
/// number up to 2286 text order equals numeric order.
const FIRST_SCHEMA_MS: u64 = 1_000_000_000_000;

/// A sparse array opened for reading, as of one timestamp.
///
/// Cheap to clone and usable from any thread; every [`Reader`](crate::Reader) keeps its snapshot open.
#[derive(Clone)]
pub struct Array {
    inner: Arc<ArrayInner>,
}

struct ArrayInner {
    open: OpenArray,
    uri: String,
    timestamp: Option<u64>,
    schema: SchemaRef,
    columns: Vec<Column>,
    layout: ArrayLayout,
}

impl Array {
    /// Creates an empty sparse array.
    ///
    /// `schema` has one field per dimension (not nullable, of the dimension's type) and one per attribute, in any order.
    /// Field metadata is stored as array metadata `<field>.<key>`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a schema that cannot be stored, [`Error::Library`] if the array exists or cannot be written.
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

    /// Opens the array as of now, by the local clock.
    ///
    /// # Errors
    /// [`Error::Library`] if the array does not exist or cannot be read, [`Error::Unsupported`] for a dense array or a column
    /// type outside the supported set.
    pub fn open(ctx: &Context, uri: &str) -> Result<Self> {
        Self::open_until(ctx, uri, None)
    }

    /// Opens the array as of `timestamp_ms` (milliseconds since 1970, inclusive).
    ///
    /// # Errors
    /// As [`Array::open`].
    pub fn open_at(ctx: &Context, uri: &str, timestamp_ms: u64) -> Result<Self> {
        Self::open_until(ctx, uri, Some(timestamp_ms))
    }

    fn open_until(ctx: &Context, uri: &str, timestamp: Option<u64>) -> Result<Self> {
        let open = OpenArray::new(ctx, uri, sys::TILEDB_READ, timestamp)?;
        let (layout, mut columns, entries) = open.describe(uri)?;
        history::count_schemas_without(ctx, uri, &mut columns)?;
        let schema = field_metadata::restore(&mut columns, &entries)?;
        let inner = ArrayInner { open, uri: uri.to_owned(), timestamp, schema, columns, layout };
        Ok(Self { inner: Arc::new(inner) })
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

    /// The URI that the array was opened with.
    pub fn uri(&self) -> &str {
        &self.inner.uri
    }

    /// The timestamp that the array was opened at; `None` for [`Array::open`].
    pub fn timestamp(&self) -> Option<u64> {
        self.inner.timestamp
    }

    /// The dimensions, then the attributes, with their field metadata. Attributes added after creation also have the metadata key
    /// [`ADDED_LATER`](crate::ADDED_LATER).
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.inner.schema)
    }

    /// Dimensions, cell order and tile capacity.
    pub fn layout(&self) -> &ArrayLayout {
        &self.inner.layout
    }

    /// Returns the fragments that this snapshot reads.
    ///
    /// If TileDB has consolidated cells after the snapshot's timestamp, the fragments it consolidated are missing from the list.
    ///
    /// # Errors
    /// [`Error::FutureFragment`] if the snapshot includes a fragment stamped later than the local clock.
    pub fn fragments(&self) -> Result<Vec<Fragment>> {
        let array = self.as_ptr();
        // SAFETY: an open array and a valid out pointer.
        let end = self.ctx().get("read the timestamp of", self.uri(), |c, out| unsafe {
            sys::tiledb_array_get_open_timestamp_end(c, array, out)
        })?;
        list_until(self.ctx(), self.uri(), &self.inner.layout, end)
    }

    /// Returns the array's metadata as of this snapshot, including field metadata (`<field>.<key>`), without values that are
    /// neither text nor one number.
    ///
    /// # Errors
    /// [`Error::Library`] if it cannot be read.
    pub fn metadata(&self) -> Result<BTreeMap<String, MetadataValue>> {
        self.inner.open.metadata(self.uri())
    }

    pub(crate) fn ctx(&self) -> &Context {
        self.inner.open.ctx()
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::tiledb_array_t {
        self.inner.open.as_ptr()
    }

    /// All columns, dimensions first.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.inner.columns
    }

    /// The column `name`.
    pub(crate) fn column(&self, name: &str) -> Result<&Column> {
        let column = self.inner.columns.iter().find(|column| column.name == name);
        column.ok_or_else(|| Error::UnknownColumn { uri: self.uri().to_owned(), column: name.to_owned() })
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
    let open = OpenArray::new(ctx, uri, sys::TILEDB_WRITE, Some(timestamp_ms))?;
    for (key, value) in entries {
        metadata::write(ctx, uri, key, value, |key, datatype, count, value| {
            // SAFETY: an array open for writing; key and value outlive the call.
            unsafe { sys::tiledb_array_put_metadata(ctx.as_ptr(), open.as_ptr(), key, datatype, count, value) }
        })?;
    }
    open.close(uri)
}
