//! Open array handles, for snapshots and writers.

use std::collections::BTreeMap;

use tiledb_sys as sys;

use crate::context::{Context, c_text};
use crate::error::Result;
use crate::handle::Handle;
use crate::metadata::{self, MetadataEntry, MetadataValue};
use crate::schema::column::Column;
use crate::schema::layout::ArrayLayout;
use crate::schema::load;

/// An array that is open, and closed when dropped.
pub(crate) struct OpenArray {
    // Fields are dropped in this order: the array before its context.
    handle: Handle<sys::tiledb_array_t>,
    ctx: Context,
    closed: bool,
}

impl OpenArray {
    /// Opens `uri` for `query_type`: for reading, as of `timestamp_ms`; for writing, at `timestamp_ms`. `None` means now.
    pub(crate) fn new(
        ctx: &Context,
        uri: &str,
        query_type: sys::tiledb_query_type_t,
        timestamp_ms: Option<u64>,
    ) -> Result<Self> {
        const ACTION: &str = "open the array";
        let c_uri = c_text(uri)?;
        // SAFETY: a live context, a URI that outlives the call, a valid out pointer.
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

    /// The context that the array was opened with.
    pub(crate) fn ctx(&self) -> &Context {
        &self.ctx
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::tiledb_array_t {
        self.handle.as_ptr()
    }

    /// Closes the array. libtiledb writes metadata only now, so a writer must check the result.
    pub(crate) fn close(mut self, uri: &str) -> Result<()> {
        self.closed = true;
        // SAFETY: a live, open array.
        let code = unsafe { sys::tiledb_array_close(self.ctx.as_ptr(), self.handle.as_ptr()) };
        self.ctx.check(code, "close the array", uri)
    }

    /// Reads layout, columns and all metadata, without applying the metadata to the columns.
    pub(crate) fn describe(&self, uri: &str) -> Result<(ArrayLayout, Vec<Column>, BTreeMap<String, MetadataValue>)> {
        let (layout, columns) = self.layout_and_columns(uri)?;
        Ok((layout, columns, self.metadata(uri)?))
    }

    /// Reads layout and columns.
    pub(crate) fn layout_and_columns(&self, uri: &str) -> Result<(ArrayLayout, Vec<Column>)> {
        load::layout_and_columns(&self.ctx, uri, &self.handle)
    }

    /// Reads all metadata.
    pub(crate) fn metadata(&self, uri: &str) -> Result<BTreeMap<String, MetadataValue>> {
        let array = self.as_ptr();
        // SAFETY: an open array and a valid out pointer.
        let count = self
            .ctx
            .get("read metadata of", uri, |c, out| unsafe { sys::tiledb_array_get_metadata_num(c, array, out) })?;
        metadata::read(&self.ctx, uri, count, |index, entry| {
            let MetadataEntry { key, key_length, datatype, count, value } = entry;
            // SAFETY: an open array, an index below the count, five valid out pointers.
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

impl Drop for OpenArray {
    fn drop(&mut self) {
        if !self.closed {
            // SAFETY: a live, open array. Closing writes only metadata that were put, and whoever puts some calls `close`, so the
            // result can be ignored.
            unsafe { sys::tiledb_array_close(self.ctx.as_ptr(), self.handle.as_ptr()) };
        }
    }
}
