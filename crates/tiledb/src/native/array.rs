//! An array as a list of fragments.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::cache::FragmentCache;
use super::fragment::OpenFragment;
use super::storage::Storage;
use crate::array::description::Description;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::schema::arrow as arrow_schema;
use crate::schema::layout::ArrayLayout;

/// A fragment as its owner has recorded it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveFragment {
    /// The name of its folder, `__<first>_<last>_<uuid>_<version>`.
    pub name: String,
    /// The number of its cells.
    pub cells: u64,
    /// The lowest and highest coordinate per dimension, in the layout's order.
    pub domain: Vec<(Literal, Literal)>,
    /// Size and checksum of its `__fragment_metadata.tdb`, if they were recorded.
    pub metadata: Option<FileChecksum>,
}

/// The size and the CRC32C of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileChecksum {
    /// The size in bytes.
    pub bytes: u64,
    /// The CRC32C of the content.
    pub crc32c: u32,
}

/// An array whose fragments are known. Clones share it.
#[derive(Clone)]
pub(crate) struct NativeArray {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    description: Description,
    fragments: Vec<LiveFragment>,
    storage: Arc<dyn Storage>,
    cache: FragmentCache,
}

impl NativeArray {
    /// As [`Array::open_fragments`](crate::Array::open_fragments).
    pub(crate) fn open(
        uri: &str,
        layout: &ArrayLayout,
        schema: SchemaRef,
        fragments: Vec<LiveFragment>,
        storage: Arc<dyn Storage>,
        cache: &FragmentCache,
    ) -> Result<Self> {
        if !layout.allows_duplicates {
            let reason = "an array without duplicates is read by libtiledb, which merges fragments".to_owned();
            return Err(Error::Unsupported { column: "*".to_owned(), reason });
        }
        let columns = arrow_schema::columns(layout, &schema)?;
        let description = Description { uri: uri.to_owned(), timestamp: None, schema, columns, layout: layout.clone() };
        let inner = Inner { description, fragments, storage, cache: cache.clone() };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(crate) fn fragments(&self) -> &[LiveFragment] {
        &self.inner.fragments
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.inner.storage
    }

    /// Returns the metadata of a fragment, by its position in [`fragments`](Self::fragments); reads them unless the cache has them.
    pub(super) fn fragment(&self, position: usize) -> Result<Arc<OpenFragment>> {
        let Some(live) = self.inner.fragments.get(position) else {
            let reason = format!("expected one of {} fragments, found number {position}", self.inner.fragments.len());
            return Err(Error::Batch { uri: self.uri.clone(), reason });
        };
        self.inner.cache.get_or_open(&self.uri, &live.name, || OpenFragment::open(self, live))
    }

    pub(super) fn cache(&self) -> &FragmentCache {
        &self.inner.cache
    }
}

impl Deref for NativeArray {
    type Target = Description;

    fn deref(&self) -> &Description {
        &self.inner.description
    }
}

impl fmt::Debug for NativeArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeArray")
            .field("uri", &self.uri)
            .field("fragments", &self.fragments().len())
            .finish_non_exhaustive()
    }
}
