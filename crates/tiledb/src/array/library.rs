//! Arrays opened by libtiledb.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tiledb_sys as sys;

use crate::array::fragment::{Fragment, list_until};
use crate::array::history;
use crate::array::open::OpenArray;
use crate::context::Context;
use crate::description::Description;
use crate::error::Result;
use crate::schema::field_metadata;

/// An array opened by libtiledb, as of one timestamp. Clones share it.
#[derive(Clone)]
pub(crate) struct LibraryArray {
    inner: Arc<LibraryInner>,
}

struct LibraryInner {
    open: OpenArray,
    description: Description,
}

impl LibraryArray {
    /// Opens the array at `uri` as of `timestamp_ms`, or of now.
    pub(crate) fn open(ctx: &Context, uri: &str, timestamp: Option<u64>) -> Result<Self> {
        let open = OpenArray::new(ctx, uri, sys::TILEDB_READ, timestamp)?;
        let (layout, mut columns, entries) = open.describe(uri)?;
        history::count_schemas_without(ctx, uri, &mut columns)?;
        let schema = field_metadata::restore(&mut columns, &entries)?;
        let (uri, metadata) = (uri.to_owned(), Arc::new(entries));
        let description = Description { uri, timestamp, schema, columns, layout, metadata };
        Ok(Self { inner: Arc::new(LibraryInner { open, description }) })
    }

    /// Lists the fragments up to the timestamp.
    pub(crate) fn fragments(&self) -> Result<Vec<Fragment>> {
        let array = self.as_ptr();
        // SAFETY: an open array and a valid out pointer.
        let end = self.ctx().get("read the timestamp of", &self.uri, |c, out| unsafe {
            sys::tiledb_array_get_open_timestamp_end(c, array, out)
        })?;
        list_until(self.ctx(), &self.uri, &self.layout, end)
    }

    pub(crate) fn ctx(&self) -> &Context {
        self.inner.open.ctx()
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::tiledb_array_t {
        self.inner.open.as_ptr()
    }
}

impl Deref for LibraryArray {
    type Target = Description;

    fn deref(&self) -> &Description {
        &self.inner.description
    }
}

impl fmt::Debug for LibraryArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryArray")
            .field("uri", &self.uri)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}
