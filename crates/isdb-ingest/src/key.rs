//! What makes two files the same granule, and which of them outranks the other.

use std::fmt;

use isdb_pipeline::GranuleIdentity;
use isdb_store::LedgerRow;

/// Digits of the content's hash at the end of the id of a file that does not tell which granule it is.
const HASH_DIGITS: usize = 16;

/// What stays the same through every release, revision and subset of a granule of the product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// One pass over one region.
    Pass {
        /// Reference ground track.
        rgt: i32,
        /// Cycle of the mission.
        cycle: i32,
        /// Region along the orbit.
        region: i32,
    },
    /// The content of a file that does not tell its pass; copies under other names are the same.
    Content(String),
}

impl Key {
    pub(crate) fn of(identity: &GranuleIdentity) -> Key {
        let part = |part: Option<u8>| part.map(i32::from);
        Key::new(identity.rgt.map(i32::from), part(identity.cycle), part(identity.region), &identity.id)
    }

    /// Whether the file does not tell its pass.
    pub(crate) fn is_content(&self) -> bool {
        matches!(self, Key::Content(_))
    }

    pub(crate) fn of_row(row: &LedgerRow) -> Key {
        Key::new(row.rgt, row.cycle, row.region, &row.granule)
    }

    fn new(rgt: Option<i32>, cycle: Option<i32>, region: Option<i32>, id: &str) -> Key {
        match (rgt, cycle, region) {
            (Some(rgt), Some(cycle), Some(region)) => Key::Pass { rgt, cycle, region },
            _ => {
                let is_hash = |end: &str| end.len() == HASH_DIGITS && end.bytes().all(|byte| byte.is_ascii_hexdigit());
                let hash = id.rsplit_once('-').map(|(_, end)| end).filter(|end| is_hash(end));
                Key::Content(hash.unwrap_or(id).to_owned())
            }
        }
    }
}

/// Which of two files of one granule is to be stored: a whole granule rather than a subset, then the newer release, then the
/// newer revision. What is not known is the least, and a file that does not tell its granule counts as a subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) is_whole: bool,
    pub(crate) release: Option<u16>,
    pub(crate) revision: Option<u8>,
}

impl Rank {
    pub(crate) fn of(identity: &GranuleIdentity) -> Rank {
        Rank {
            is_whole: !identity.subset && !Key::of(identity).is_content(),
            release: identity.release,
            revision: identity.revision,
        }
    }

    pub(crate) fn of_row(row: &LedgerRow) -> Rank {
        Rank {
            is_whole: row.subset != Some(true) && !Key::of_row(row).is_content(),
            release: row.release.as_deref().and_then(|release| release.parse().ok()),
            revision: row.revision.as_deref().and_then(|revision| revision.parse().ok()),
        }
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.release {
            Some(release) => write!(f, "release {release:03}")?,
            None => f.write_str("an unknown release")?,
        }
        if let Some(revision) = self.revision {
            write!(f, " revision {revision:02}")?;
        }
        f.write_str(if self.is_whole { "" } else { ", a subset" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_an_extract_are_one_granule_under_every_name() {
        let identity = |id: &str| GranuleIdentity { id: id.to_owned(), rgt: Some(5), ..GranuleIdentity::default() };
        let key = Key::of(&identity("extract_0-0123456789abcdef"));
        assert_eq!(key, Key::of(&identity("my-copy-0123456789abcdef")));
        assert_ne!(key, Key::of(&identity("extract_0-1123456789abcdef")));
        assert_eq!(Key::of(&identity("clip-of-mine")), Key::Content("clip-of-mine".to_owned()));
    }

    #[test]
    fn a_whole_granule_outranks_a_subset_and_a_newer_revision_an_older() {
        let rank = |is_whole, release, revision| Rank { is_whole, release, revision };
        assert!(rank(true, Some(6), Some(1)) > rank(false, Some(6), Some(2)));
        assert!(rank(true, Some(6), Some(2)) > rank(true, Some(6), Some(1)));
        assert!(rank(true, Some(7), Some(1)) > rank(true, Some(6), Some(9)));
        assert!(rank(true, Some(6), None) < rank(true, Some(6), Some(1)));
    }
}
