//! An array as a list of fragments.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::datatypes::SchemaRef;

use super::cache::FragmentCache;
use super::fragment::{OpenFragment, metadata_path, read_schema};
use super::index::FragmentIndex;
use super::live::LiveFragment;
use super::storage::Storage;
use super::summary::{ColumnSummary, Part};
use crate::description::Description;
use crate::error::{Error, Result};
use crate::schema::arrow as arrow_schema;
use crate::schema::layout::ArrayLayout;
use crate::schema::meaning::{Meaning, with_meanings};

/// An array whose fragments are known. Clones share it.
#[derive(Clone)]
pub(crate) struct NativeArray {
    inner: Arc<NativeInner>,
}

pub(super) struct NativeInner {
    description: Description,
    fragments: Vec<LiveFragment>,
    storage: Arc<dyn Storage>,
    cache: FragmentCache,
    /// Built when a read first restricts one of the first two dimensions.
    index: OnceLock<FragmentIndex>,
    /// What is known of whole columns, by name.
    summaries: Mutex<HashMap<String, ColumnSummary>>,
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
        let columns = arrow_schema::columns(layout, &schema)?;
        let (uri, layout, metadata) = (uri.to_owned(), layout.clone(), Arc::default());
        let description = Description { uri, timestamp: None, schema, columns, layout, metadata };
        Self::new(description, fragments, storage, cache)
    }

    pub(super) fn new(
        description: Description,
        fragments: Vec<LiveFragment>,
        storage: Arc<dyn Storage>,
        cache: &FragmentCache,
    ) -> Result<Self> {
        check_duplicates(&description.layout)?;
        let (cache, index, summaries) = (cache.clone(), OnceLock::new(), Mutex::default());
        Ok(Self { inner: Arc::new(NativeInner { description, fragments, storage, cache, index, summaries }) })
    }

    /// As [`Array::with_meanings`](crate::Array::with_meanings). What was read of fragments depends on the meanings, and is not shared.
    pub(crate) fn with_meanings(&self, meanings: &[(String, Meaning)]) -> Result<Self> {
        let (columns, schema) = with_meanings(&self.uri, &self.columns, &self.schema, meanings)?;
        let description = Description { columns, schema, ..self.inner.description.clone() };
        let (fragments, storage) = (self.inner.fragments.clone(), Arc::clone(&self.inner.storage));
        Self::new(description, fragments, storage, &FragmentCache::default())
    }

    pub(crate) fn fragments(&self) -> &[LiveFragment] {
        &self.inner.fragments
    }

    /// Bytes of all files of a fragment, by its position in [`fragments`](Self::fragments).
    pub(crate) fn file_bytes(&self, position: usize) -> Result<u64> {
        self.fragment(position).map(|fragment| fragment.file_bytes())
    }

    pub(super) fn index(&self) -> &FragmentIndex {
        self.inner.index.get_or_init(|| FragmentIndex::new(self.fragments(), &self.layout))
    }

    /// As [`Array::summary`](crate::Array::summary).
    pub(crate) fn summary(&self, name: &str) -> Option<ColumnSummary> {
        let known = || self.inner.summaries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(name) {
            return Some(found.clone());
        }
        let column = self.column(name).ok()?;
        let parts = self.fragments().iter().filter(|live| live.cells > 0).map(|live| {
            let fragment = self.inner.cache.peek(&self.uri, &live.name)?;
            let tiles = fragment.known_column(name)?;
            Some((fragment, tiles))
        });
        let found = ColumnSummary::new(column, &parts.collect::<Option<Vec<Part>>>()?);
        known().insert(name.to_owned(), found.clone());
        Some(found)
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.inner.storage
    }

    /// Prepares the reads of the metadata of the fragments at `positions`, unless the cache has those of the first.
    pub(super) fn prepare(&self, positions: impl Iterator<Item = usize>) {
        if !self.storage().is_remote() {
            return;
        }
        let is_missing = |name: &String| self.inner.cache.peek(&self.uri, name).is_none();
        let mut names = positions.filter_map(|position| self.inner.fragments.get(position).map(|live| &live.name));
        let Some(first) = names.next().filter(|name| is_missing(name)) else { return };
        let mut paths: Vec<String> =
            [first].into_iter().chain(names.filter(|name| is_missing(name))).map(|name| metadata_path(name)).collect();
        paths.dedup();
        // A single one is read without notice.
        if paths.len() > 1 {
            self.storage().prepare(&paths);
        }
    }

    /// Returns the metadata of a fragment, by its position in [`fragments`](Self::fragments); reads them unless the cache has them.
    pub(super) fn fragment(&self, position: usize) -> Result<Arc<OpenFragment>> {
        let Some(live) = self.inner.fragments.get(position) else {
            let reason = format!("expected one of {} fragments, found number {position}", self.inner.fragments.len());
            return Err(Error::Batch { uri: self.uri.clone(), reason });
        };
        let (description, storage, cache) = (&self.inner.description, self.storage(), &self.inner.cache);
        cache.get_or_open(&self.uri, &live.name, || {
            OpenFragment::open(description, storage, live, |name| {
                cache.schema(&self.uri, name, || read_schema(description, storage, name))
            })
        })
    }
}

/// Fails if the array does not allow duplicates.
pub(super) fn check_duplicates(layout: &ArrayLayout) -> Result<()> {
    if layout.allows_duplicates {
        return Ok(());
    }
    let reason = "an array without duplicates is read by libtiledb, which merges fragments".to_owned();
    Err(Error::Unsupported { column: "*".to_owned(), reason })
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
