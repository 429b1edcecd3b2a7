//! Granules to fetch: each once, in its newest revision. As a file, JSON with one granule a line.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::item::{FoundGranule, Unusable};
use crate::search::Page;

mod ndjson;

#[cfg(test)]
mod tests;

pub use ndjson::{read, write};

/// What a search found, gathered page by page.
#[derive(Debug, Default)]
pub struct WorkList {
    granules: HashMap<Key, FoundGranule>,
    /// Descriptions left out because a newer revision of the granule is there.
    pub older_revisions: u64,
    /// Descriptions left out because another one of the same file is there, from another provider for example.
    pub copies: u64,
    /// Descriptions that no granule can be made of.
    pub unusable: Vec<Unusable>,
}

/// Release, rgt, cycle and region, and what a subsetter made of the granule.
type Key = (u16, u16, u8, u8, bool, bool);

impl WorkList {
    /// Takes in what a page brought.
    pub fn add(&mut self, page: Page) {
        self.unusable.extend(page.unusable);
        for granule in page.granules {
            self.insert(granule);
        }
    }

    /// Takes in one granule.
    pub fn insert(&mut self, granule: FoundGranule) {
        let name = &granule.name;
        let key = (name.release, name.rgt, name.cycle, name.region, name.processed, name.subsetted);
        match self.granules.entry(key) {
            Entry::Vacant(place) => {
                place.insert(granule);
            }
            Entry::Occupied(mut place) => {
                match place.get().name.revision == granule.name.revision {
                    true => self.copies += 1,
                    false => self.older_revisions += 1,
                }
                if granule.rank() > place.get().rank() {
                    place.insert(granule);
                }
            }
        }
    }

    /// How many granules there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.granules.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.granules.is_empty()
    }

    /// The granules, by start.
    #[must_use]
    pub fn into_granules(self) -> Vec<FoundGranule> {
        let mut granules: Vec<FoundGranule> = self.granules.into_values().collect();
        granules.sort_by_cached_key(|granule| (granule.start, granule.file_name()));
        granules
    }
}
