//! A commit: the object whose creation changes what readers see. It contains changes only; their sum is the state.

use std::collections::{BTreeMap, BTreeSet};

use isdb_schema::filters::Rule;
use serde::{Deserialize, Serialize};

use super::changes::{DeadAttempt, LedgerChanges, SegmentChanges, Tag};
use super::segments_schema::SegmentsSchema;
use crate::id::Id;

/// The value of [`Commit::region`] for a database whose region was removed: it stores whole granules from then on.
pub(crate) const NO_REGION: &str = "none";

/// The reason for a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitKind {
    /// The database was created; always the first commit.
    Create,
    /// A writer took over; later commits of earlier writers are refused.
    Fence,
    /// Granules were ingested, replaced or removed.
    Ingest,
    /// Several fragments or ledger files were rewritten as fewer ones.
    Compact,
    /// Snapshots of earlier commits expire.
    Horizon,
    /// Files of dead fragments were removed.
    Vacuum,
    /// Variables were added, or the region was changed.
    Alter,
    /// A tag was set or deleted.
    Tag,
    /// Fragments that cannot be read were dropped.
    Repair,
}

impl CommitKind {
    /// Whether such a commit changes what a reader sees.
    pub(crate) fn has_data(self) -> bool {
        match self {
            CommitKind::Create | CommitKind::Ingest | CommitKind::Compact | CommitKind::Alter | CommitKind::Repair => {
                true
            }
            CommitKind::Fence | CommitKind::Horizon | CommitKind::Vacuum | CommitKind::Tag => false,
        }
    }
}

/// The content of `commits/<number>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Position in the log, from 1, without gaps.
    pub number: u64,
    /// The reason for the commit.
    pub kind: CommitKind,
    /// The timestamp at which readers open `segments`, in milliseconds since 1970. Only commits with data change it.
    pub timestamp: u64,
    /// The time of the commit by the writer's clock, in milliseconds since 1970, never less than the previous commit's. The
    /// state at a time is the state after the last commit whose `at` is not later. For commits with data it equals `timestamp`,
    /// and is later than the previous commit's.
    pub at: u64,
    /// When the commit was made, in milliseconds since 1970: what dies with it counts its age from here. A window takes a while, so
    /// this is later than `at`.
    pub made_at: u64,
    /// The number of the commit by which its writer took over; the upper half of the writer's ids.
    pub epoch: u32,
    /// Snapshots of commits before this number may have been vacuumed.
    pub horizon: u64,
    /// The last commit after which folders may have been removed; a read that began before it may fail.
    pub deleting: u64,
    /// Distinguishes this commit from another writer's with the same number.
    pub uuid: String,
    /// The changes to the fragments of `segments`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub segments: SegmentChanges,
    /// The changes to the ledger's files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ledger: LedgerChanges,
    /// Attempts whose segments are not visible from now on. Their ledger rows stay visible: the ledger is a history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead_attempts: Vec<DeadAttempt>,
    /// Attempts whose files have to be read again, because a repair dropped some of their segments.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reread: BTreeSet<Id>,
    /// Attempts that no longer have to be read again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reread_done: BTreeSet<Id>,
    /// Commits that are lost, each with the commit whose checkpoint replaces it and the readable commits up to there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lost_commits: BTreeMap<u64, u64>,
    /// Tags that are set, or deleted (null).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Option<Tag>>,
    /// The filters that the database's segments have passed from now on.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "filters_as_text")]
    pub filters: Option<Vec<Rule>>,
    /// The name of the area of the database's region from now on, or `none` for whole granules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The schema of `segments` from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<SegmentsSchema>,
    /// The version of isdb that created the database, in the first commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The JSON form of filters, the same as in the group's metadata.
pub(super) mod filters_as_text {
    use isdb_schema::filters::{Rule, from_json, to_json};
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(filters: &Option<Vec<Rule>>, serializer: S) -> Result<S::Ok, S::Error> {
        filters.as_deref().map(to_json).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Rule>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let rules =
            |text: String| from_json(&text).ok_or_else(|| D::Error::custom("filters: expected a list of filters"));
        text.map(rules).transpose()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::fragment::record::tests::record;
    use crate::log::changes::AbandonedFragment;
    use crate::log::segments_schema::SegmentsSchema;
    use crate::log::state::LogState;

    pub(crate) fn first(now_ms: u64) -> Commit {
        LogState::first_commit(now_ms, SegmentsSchema { arrow: arrow::datatypes::Schema::empty().into(), capacity: 10 })
    }

    /// A commit with a change of every kind, apart from those of the first commit.
    fn full() -> Commit {
        let mut commit = LogState::after(&first(1_700_000_000_000)).next_commit(CommitKind::Ingest, 1_700_000_000_005);
        commit.segments.added = vec![record(Id::new(2, 4), 5)];
        commit.segments.removed = [Id::new(1, 3)].into();
        commit.segments.abandoned = vec![AbandonedFragment { id: None, name: "__1_1_x_22".to_owned() }];
        commit.dead_attempts = vec![DeadAttempt { id: Id::new(1, 7), fragments: [Id::new(1, 9)].into() }];
        commit.region = Some(NO_REGION.to_owned());
        commit.tags = [("paper".to_owned(), Some(Tag { commit: 3, timestamp: 5 })), ("old".to_owned(), None)].into();
        // The JSON keeps the name, SQL and releases of a filter, not the file that defines it.
        let text = isdb_schema::filters::to_json(&isdb_schema::filters::choose("night").unwrap());
        commit.filters = isdb_schema::filters::from_json(&text);
        commit
    }

    #[test]
    fn a_commit_is_the_same_after_its_json() {
        for commit in [full(), first(7)] {
            let json = serde_json::to_string(&commit).unwrap();
            assert_eq!(serde_json::from_str::<Commit>(&json).unwrap(), commit);
        }
    }

    #[test]
    fn a_commit_contains_nothing_that_it_does_not_change() {
        let fields = |commit: &Commit| {
            let json = serde_json::to_value(commit).unwrap();
            let mut names: Vec<String> = json.as_object().unwrap().keys().cloned().collect();
            names.sort_unstable();
            names.join(" ")
        };
        let always = "at deleting epoch horizon kind made_at number timestamp uuid";
        let fence = LogState::after(&first(1)).next_commit(CommitKind::Fence, 2);
        assert_eq!(fields(&fence), always);
        let all =
            "at dead_attempts deleting epoch filters horizon kind made_at number region segments tags timestamp uuid";
        assert_eq!(fields(&full()), all);
    }
}
