//! Work lists: the granules of a search, each once, in its newest revision. As a file, NDJSON with one granule per line.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::search::granule::{GranuleDescription, UnusableDescription};
use crate::search::pages::Page;

mod ndjson;

#[cfg(test)]
mod tests;

pub use ndjson::{read, write};

/// The granules of a search, collected page by page.
#[derive(Debug, Default)]
pub struct WorkList {
    granules: HashMap<GranuleKey, GranuleDescription>,
    /// The number of descriptions that were dropped for a newer revision of the granule.
    pub older_revisions: u64,
    /// The number of descriptions that were dropped for another one of the same file, for example from another provider.
    pub copies: u64,
    /// Descriptions that do not identify a granule.
    pub unusable: Vec<UnusableDescription>,
}

/// The identity of a granule: release, rgt, cycle, orbit region, and how a subsetter has processed it.
type GranuleKey = (u16, u16, u8, u8, bool, bool);

impl WorkList {
    /// Adds the granules of a page.
    pub fn add(&mut self, page: Page) {
        self.unusable.extend(page.unusable);
        for granule in page.granules {
            self.insert(granule);
        }
    }

    /// Adds a granule, or counts it as a duplicate.
    pub fn insert(&mut self, granule: GranuleDescription) {
        let name = &granule.name;
        let key = (name.release, name.rgt, name.cycle, name.region, name.processed, name.subsetted);
        match self.granules.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(granule);
            }
            Entry::Occupied(mut known) => {
                match known.get().name.revision == granule.name.revision {
                    true => self.copies += 1,
                    false => self.older_revisions += 1,
                }
                if granule.rank() > known.get().rank() {
                    known.insert(granule);
                }
            }
        }
    }

    /// Returns the number of granules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.granules.len()
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.granules.is_empty()
    }

    /// Returns the granules, sorted by start.
    #[must_use]
    pub fn into_granules(self) -> Vec<GranuleDescription> {
        let mut granules: Vec<GranuleDescription> = self.granules.into_values().collect();
        granules.sort_by_cached_key(|granule| (granule.start, granule.file_name()));
        granules
    }
}
