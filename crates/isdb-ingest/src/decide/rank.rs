//! Compares releases and revisions of one granule.

use std::fmt;

use isdb_pipeline::GranuleIdentity;
use isdb_store::LedgerRow;

use crate::find::granule_key::GranuleKey;

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
    fn a_whole_granule_outranks_a_subset_and_a_newer_revision_an_older() {
        let rank = |is_whole, release, revision| Rank { is_whole, release, revision };
        assert!(rank(true, Some(6), Some(1)) > rank(false, Some(6), Some(2)));
        assert!(rank(true, Some(6), Some(2)) > rank(true, Some(6), Some(1)));
        assert!(rank(true, Some(7), Some(1)) > rank(true, Some(6), Some(9)));
        assert!(rank(true, Some(6), None) < rank(true, Some(6), Some(1)));
    }
}
