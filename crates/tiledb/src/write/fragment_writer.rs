//! A fragment being written. libtiledb accepts the columns of an unordered write in several groups (its setting
//! `sm.allow_separate_attribute_writes`), and commits the fragment once it has all of them.

use std::ffi::c_void;
use std::ptr;

use tiledb_sys as sys;

use super::buffers::WriteBuffers;
use crate::array::open::OpenArray;
use crate::context::Context;
use crate::error::Result;
use crate::handle::Handle;
use crate::schema::column::Column;

const ACTION: &str = "write to";

/// A fragment of which some columns have been written.
pub(super) struct FragmentWriter<'a> {
    ctx: &'a Context,
    uri: &'a str,
    // Declared before the array and the buffers, so that it is dropped before them.
    query: Handle<sys::tiledb_query_t>,
    array: OpenArray,
    /// The buffer sizes that the query refers to, three for each column.
    sizes: Vec<Box<[u64]>>,
    /// The buffers of the first group, which has the dimensions.
    first: Vec<WriteBuffers>,
}

impl<'a> FragmentWriter<'a> {
    /// Starts a fragment of the array at `uri`, stamped with the timestamp at which `array` is open for writing.
    pub(super) fn begin(ctx: &'a Context, uri: &'a str, array: OpenArray) -> Result<Self> {
        // SAFETY: an array open for writing and a valid out pointer.
        let query = ctx.make(ACTION, uri, sys::tiledb_query_free, |c, out| unsafe {
            sys::tiledb_query_alloc(c, array.as_ptr(), sys::TILEDB_WRITE, out)
        })?;
        // SAFETY: a live query.
        let code = unsafe { sys::tiledb_query_set_layout(ctx.as_ptr(), query.as_ptr(), sys::TILEDB_UNORDERED) };
        ctx.check(code, ACTION, uri)?;
        Ok(Self { ctx, uri, query, array, sizes: Vec::new(), first: Vec::new() })
    }

    /// Writes a group of columns that the fragment does not have yet. The first group must have all dimensions.
    pub(super) fn write(&mut self, columns: Vec<(&Column, WriteBuffers)>) -> Result<()> {
        self.sizes.push(columns.iter().flat_map(|(_, buffers)| buffers.sizes()).collect());
        let sizes = self.sizes.last_mut().map_or(ptr::null_mut(), |sizes| sizes.as_mut_ptr());
        for (at, (column, buffers)) in columns.iter().enumerate() {
            // SAFETY: the buffers live until the submit below has returned, and the sizes, three for each, as long as the query.
            unsafe { self.attach(column, buffers, sizes.add(3 * at))? };
        }
        // SAFETY: a live query whose new buffers are set. Buffers of earlier calls are written, and libtiledb never reads them
        // again (2.30 skips `written_buffers_` everywhere); the first group, with the coordinates that order the cells, is kept
        // anyway.
        let code = unsafe { sys::tiledb_query_submit(self.ctx.as_ptr(), self.query.as_ptr()) };
        self.ctx.check(code, ACTION, self.uri)?;
        if self.first.is_empty() {
            self.first = columns.into_iter().map(|(_, buffers)| buffers).collect();
        }
        Ok(())
    }

    /// Sets the query's buffers of one column.
    ///
    /// # Safety
    /// The buffers must stay alive and untouched until the query's next submit has returned, the sizes until the query is gone.
    unsafe fn attach(&self, column: &Column, buffers: &WriteBuffers, sizes: *mut u64) -> Result<()> {
        let (c, q, name) = (self.ctx.as_ptr(), self.query.as_ptr(), column.c_name.as_ptr());
        let check = |code| self.ctx.check(code, ACTION, self.uri);
        // SAFETY: there are three sizes; libtiledb only reads what it is given to write, so that the constness of the buffers
        // holds.
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

    /// Commits the fragment, which must have all columns, and returns its name.
    pub(super) fn finish(self) -> Result<String> {
        let (c, q) = (self.ctx.as_ptr(), self.query.as_ptr());
        // SAFETY: a live query, submitted.
        self.ctx.check(unsafe { sys::tiledb_query_finalize(c, q) }, ACTION, self.uri)?;
        // SAFETY: a query that has written a fragment; the string is valid as long as the query.
        let name = |c, out| unsafe { sys::tiledb_query_get_fragment_uri(c, q, 0, out) };
        let fragment = self.ctx.get_text(ACTION, self.uri, name)?;
        drop(self.query);
        self.array.close(self.uri)?;
        Ok(fragment.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned())
    }
}
