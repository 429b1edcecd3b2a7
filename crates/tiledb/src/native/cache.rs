//! The metadata of fragments in memory, bounded by bytes.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tiledb_format::Schema;

use super::fragment::OpenFragment;
use crate::error::Result;

/// Bytes that a cache keeps unless its owner says otherwise: the metadata of some thousand fragments.
const DEFAULT_BYTES: usize = 256 << 20;

/// Keeps the metadata of fragments and schemas that were read, for all arrays that share it. Fragments never change, so nothing in it
/// gets old; beyond its size, what was not used for longest goes.
#[derive(Clone)]
pub struct FragmentCache {
    entries: Arc<Mutex<Entries>>,
    limit: usize,
}

#[derive(Default)]
struct Entries {
    fragments: HashMap<String, Entry>,
    schemas: HashMap<String, Arc<Schema>>,
    bytes: usize,
    /// Counts the uses, which orders them.
    clock: u64,
}

struct Entry {
    fragment: Arc<OpenFragment>,
    /// What the fragment had when it was last counted.
    bytes: usize,
    used: u64,
}

impl FragmentCache {
    /// A cache of at most about `bytes`.
    pub fn new(bytes: usize) -> Self {
        Self { entries: Arc::default(), limit: bytes }
    }

    /// Returns the fragment `name` of the array at `uri`; calls `open` if the cache does not have it.
    pub(super) fn get_or_open(
        &self,
        uri: &str,
        name: &str,
        open: impl FnOnce() -> Result<OpenFragment>,
    ) -> Result<Arc<OpenFragment>> {
        let key = format!("{uri}/{name}");
        if let Some(found) = self.locked(|entries| entries.get(&key, self.limit)) {
            return Ok(found);
        }
        // Not locked meanwhile: two readers may open the same fragment, which costs less than to wait for each other.
        let opened = Arc::new(open()?);
        self.locked(|entries| entries.insert(key, &opened, self.limit));
        Ok(opened)
    }

    /// Whether the cache has the fragment `name` of the array at `uri`.
    pub(super) fn contains(&self, uri: &str, name: &str) -> bool {
        self.locked(|entries| entries.fragments.contains_key(&format!("{uri}/{name}")))
    }

    /// Returns the schema `name` of the array at `uri`; calls `open` if the cache does not have it.
    pub(super) fn schema(&self, uri: &str, name: &str, open: impl FnOnce() -> Result<Schema>) -> Result<Arc<Schema>> {
        let key = format!("{uri}/{name}");
        if let Some(found) = self.locked(|entries| entries.schemas.get(&key).map(Arc::clone)) {
            return Ok(found);
        }
        let opened = Arc::new(open()?);
        self.locked(|entries| entries.schemas.insert(key, Arc::clone(&opened)));
        Ok(opened)
    }

    fn locked<T>(&self, act: impl FnOnce(&mut Entries) -> T) -> T {
        act(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entries {
    fn get(&mut self, key: &str, limit: usize) -> Option<Arc<OpenFragment>> {
        self.clock += 1;
        let entry = self.fragments.get_mut(key)?;
        entry.used = self.clock;
        // Columns are decoded when they are first read.
        let bytes = entry.fragment.bytes();
        self.bytes = self.bytes + bytes - entry.bytes;
        entry.bytes = bytes;
        let fragment = Arc::clone(&entry.fragment);
        // Fragments also grow while none is inserted.
        if self.bytes > limit {
            self.shrink(limit);
        }
        Some(fragment)
    }

    fn insert(&mut self, key: String, fragment: &Arc<OpenFragment>, limit: usize) {
        let (bytes, used) = (fragment.bytes(), self.clock);
        if let Some(old) = self.fragments.insert(key, Entry { fragment: Arc::clone(fragment), bytes, used }) {
            self.bytes -= old.bytes;
        }
        self.bytes += bytes;
        if self.bytes > limit {
            self.shrink(limit);
        }
    }

    /// Removes what was used longest ago until a tenth of the limit is free, so that not every insertion sorts.
    fn shrink(&mut self, limit: usize) {
        let mut uses: Vec<(u64, usize)> = self.fragments.values().map(|entry| (entry.used, entry.bytes)).collect();
        uses.sort_unstable();
        let mut left = self.bytes;
        let mut last_removed = None;
        for (used, bytes) in uses {
            if left <= limit / 10 * 9 {
                break;
            }
            left -= bytes;
            last_removed = Some(used);
        }
        self.fragments.retain(|_, entry| Some(entry.used) > last_removed);
        self.bytes = self.fragments.values().map(|entry| entry.bytes).sum();
    }
}

impl Default for FragmentCache {
    fn default() -> Self {
        Self::new(DEFAULT_BYTES)
    }
}

impl fmt::Debug for FragmentCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.locked(|entries| entries.bytes);
        f.debug_struct("FragmentCache").field("bytes", &bytes).field("limit", &self.limit).finish_non_exhaustive()
    }
}
