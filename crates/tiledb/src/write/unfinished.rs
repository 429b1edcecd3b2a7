//! A fragment that has some of its columns. libtiledb takes the columns of an unordered write in several parts (its setting
//! `sm.allow_separate_attribute_writes`), and puts the fragment down when it has all of them.

use std::ffi::c_void;
use std::ptr;

use tiledb_sys as sys;

use super::ACTION;
use super::buffers::WriteBuffers;
use crate::array::Open;
use crate::column::Column;
use crate::context::Context;
use crate::error::Result;
use crate::handle::Handle;

/// A fragment in the making.
pub(super) struct Unfinished<'a> {
    ctx: &'a Context,
    uri: &'a str,
    // Before the array and what it was lent, so that it goes first.
    query: Handle<sys::tiledb_query_t>,
    array: Open,
    /// The sizes that the query was told by reference, three for each column.
    lent: Vec<Box<[u64]>>,
    /// The buffers of the first columns.
    first: Vec<WriteBuffers>,
}

impl<'a> Unfinished<'a> {
    /// Begins a fragment of the array at `uri`, stamped `timestamp_ms`.
    pub(super) fn begin(ctx: &'a Context, uri: &'a str, timestamp_ms: u64) -> Result<Self> {
        let array = Open::new(ctx, uri, sys::TILEDB_WRITE, Some(timestamp_ms))?;
        // SAFETY: an array open for writing and a place to write to.
        let query = ctx.make(ACTION, uri, sys::tiledb_query_free, |c, out| unsafe {
            sys::tiledb_query_alloc(c, array.as_ptr(), sys::TILEDB_WRITE, out)
        })?;
        // SAFETY: a live query.
        let code = unsafe { sys::tiledb_query_set_layout(ctx.as_ptr(), query.as_ptr(), sys::TILEDB_UNORDERED) };
        ctx.check(code, ACTION, uri)?;
        Ok(Self { ctx, uri, query, array, lent: Vec::new(), first: Vec::new() })
    }

    /// Writes columns that it does not have yet. All dimensions must be among the first ones.
    pub(super) fn write(&mut self, columns: Vec<(&Column, WriteBuffers)>) -> Result<()> {
        self.lent.push(columns.iter().flat_map(|(_, buffers)| buffers.sizes()).collect());
        let sizes = self.lent.last_mut().map_or(ptr::null_mut(), |sizes| sizes.as_mut_ptr());
        for (at, (column, buffers)) in columns.iter().enumerate() {
            // SAFETY: the buffers live until the submit below has returned, and the sizes, three for each, as long as the query.
            unsafe { self.attach(column, buffers, sizes.add(3 * at))? };
        }
        // SAFETY: a live query whose new buffers are in place. Those of earlier calls are written, and libtiledb looks at none of
        // them again (2.30: all it does skips `written_buffers_`); the coordinates, which order the cells, are kept all the same.
        let code = unsafe { sys::tiledb_query_submit(self.ctx.as_ptr(), self.query.as_ptr()) };
        self.ctx.check(code, ACTION, self.uri)?;
        if self.first.is_empty() {
            self.first = columns.into_iter().map(|(_, buffers)| buffers).collect();
        }
        Ok(())
    }

    /// Tells the query where the column's buffers are.
    ///
    /// # Safety
    /// The buffers must stay alive and untouched until the query's next submit has returned, the sizes until the query is gone.
    unsafe fn attach(&self, column: &Column, buffers: &WriteBuffers, sizes: *mut u64) -> Result<()> {
        let (c, q, name) = (self.ctx.as_ptr(), self.query.as_ptr(), column.c_name.as_ptr());
        let check = |code| self.ctx.check(code, ACTION, self.uri);
        // SAFETY: there are three sizes; libtiledb only reads what it is given to write, so that the constness of the buffers holds.
        unsafe {
            let (data, offsets, validity) = (sizes, sizes.add(1), sizes.add(2));
            let values: *mut c_void = buffers.data.as_ptr().cast_mut().cast();
            check(sys::tiledb_query_set_data_buffer(c, q, name, values, data))?;
            if let Some(buffer) = &buffers.offsets {
                check(sys::tiledb_query_set_offsets_buffer(c, q, name, buffer.as_ptr().cast_mut().cast(), offsets))?;
            }
            if let Some(buffer) = &buffers.validity {
                check(sys::tiledb_query_set_validity_buffer(c, q, name, buffer.as_ptr().cast_mut(), validity))?;
            }
        }
        Ok(())
    }

    /// Puts the fragment down, once it has all columns, and gives its name.
    pub(super) fn finish(self) -> Result<String> {
        let (c, q) = (self.ctx.as_ptr(), self.query.as_ptr());
        // SAFETY: a live query, submitted.
        self.ctx.check(unsafe { sys::tiledb_query_finalize(c, q) }, ACTION, self.uri)?;
        // SAFETY: a query that has written; the string is lent.
        let name = |c, out| unsafe { sys::tiledb_query_get_fragment_uri(c, q, 0, out) };
        let fragment = self.ctx.get_text(ACTION, self.uri, name)?;
        drop(self.query);
        self.array.close(self.uri)?;
        Ok(fragment.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned())
    }
}
