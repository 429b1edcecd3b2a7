//! The key that all files of one granule have in common, and the rank that decides between them.

use std::fmt;

use isdb_pipeline::GranuleIdentity;
use isdb_store::LedgerRow;

/// Digits of the content hash at the end of the id of an extract.
const HASH_DIGITS: usize = 16;

/// Identifies a granule across its releases, revisions and subsets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum GranuleKey {
    /// One pass over one region.
    Pass {
        /// Reference ground track.
        rgt: i32,
        /// Cycle of the mission.
        cycle: i32,
        /// Region along the orbit.
        region: i32,
    },
    /// The content of an extract, a file that does not name its pass. Copies under other names have the same key.
    Extract(String),
}

impl GranuleKey {
    pub(crate) fn from_identity(identity: &GranuleIdentity) -> GranuleKey {
        let number = |number: Option<u8>| number.map(i32::from);
        GranuleKey::new(identity.rgt.map(i32::from), number(identity.cycle), number(identity.region), &identity.id)
    }

    /// Whether this is the key of an extract.
    pub(crate) fn is_extract(&self) -> bool {
        matches!(self, GranuleKey::Extract(_))
    }

    pub(crate) fn from_row(row: &LedgerRow) -> GranuleKey {
        GranuleKey::new(row.rgt, row.cycle, row.region, &row.granule)
    }

    fn new(rgt: Option<i32>, cycle: Option<i32>, region: Option<i32>, id: &str) -> GranuleKey {
        match (rgt, cycle, region) {
            (Some(rgt), Some(cycle), Some(region)) => GranuleKey::Pass { rgt, cycle, region },
            _ => {
                let is_hash = |end: &str| end.len() == HASH_DIGITS && end.bytes().all(|byte| byte.is_ascii_hexdigit());
                let hash = id.rsplit_once('-').map(|(_, end)| end).filter(|end| is_hash(end));
                GranuleKey::Extract(hash.unwrap_or(id).to_owned())
            }
        }
    }
}

/// The order of two files of one granule; the greater one is stored. A whole granule is greater than a subset, then the
/// newer release, then the newer revision. Unknown values rank lowest, and an extract counts as a subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) is_whole: bool,
    pub(crate) release: Option<u16>,
    pub(crate) revision: Option<u8>,
}

impl Rank {
    pub(crate) fn new(identity: &GranuleIdentity) -> Rank {
        Rank {
            is_whole: !identity.subset && !GranuleKey::from_identity(identity).is_extract(),
            release: identity.release,
            revision: identity.revision,
        }
    }

    pub(crate) fn from_row(row: &LedgerRow) -> Rank {
        Rank {
            is_whole: row.subset != Some(true) && !GranuleKey::from_row(row).is_extract(),
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
        let key = GranuleKey::from_identity(&identity("extract_0-0123456789abcdef"));
        assert_eq!(key, GranuleKey::from_identity(&identity("my-copy-0123456789abcdef")));
        assert_ne!(key, GranuleKey::from_identity(&identity("extract_0-1123456789abcdef")));
        assert_eq!(
            GranuleKey::from_identity(&identity("clip-of-mine")),
            GranuleKey::Extract("clip-of-mine".to_owned())
        );
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
