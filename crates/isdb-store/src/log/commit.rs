//! A commit: the object whose creation changes what readers see. A reader needs only the newest one.

use std::collections::BTreeSet;

use isdb_schema::filters::Rule;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::array_state::ArrayState;
use crate::id::Id;

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 2;

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
    /// Several fragments were rewritten as fewer ones.
    Compact,
    /// Snapshots of earlier commits expire.
    Horizon,
    /// Files of dead fragments were removed.
    Vacuum,
    /// Variables were added, or the region was changed.
    Alter,
}

impl CommitKind {
    /// Whether files with a timestamp of their own belong to such a commit.
    fn has_data(self) -> bool {
        matches!(self, CommitKind::Ingest | CommitKind::Compact | CommitKind::Alter)
    }
}

/// An attempt whose segments are still in live or dead fragments and are not visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadAttempt {
    /// The attempt.
    pub id: Id,
    /// The first commit in which it is dead.
    pub since: u64,
    /// The fragments that hold its segments.
    pub fragments: BTreeSet<Id>,
}

/// The content of `commits/<number>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub(crate) format: u32,
    /// Position in the log, from 1, without gaps.
    pub number: u64,
    /// The reason for the commit.
    pub kind: CommitKind,
    /// The timestamp at which readers open both arrays, in milliseconds since 1970. Only commits with data change it.
    pub timestamp: u64,
    /// The time of the commit by the writer's clock, in milliseconds since 1970, never less than the previous commit's. The
    /// state at a time is the state after the last commit whose `at` is not later. For commits with data it equals `timestamp`,
    /// and is later than the previous commit's.
    pub at: u64,
    /// The number of the commit by which its writer took over; the upper half of the writer's ids.
    pub epoch: u32,
    /// Snapshots of commits before this number may have been vacuumed.
    pub horizon: u64,
    /// The last commit after which folders may have been removed; a read that began before it may fail.
    pub deleting: u64,
    /// The fragments of `segments`.
    pub segments: ArrayState,
    /// The fragments of `granules`.
    pub granules: ArrayState,
    /// Attempts whose segments are not visible. Their ledger rows stay visible: the ledger is a history.
    #[serde(rename = "dead_ingests")]
    pub dead_attempts: Vec<DeadAttempt>,
    /// The filters that the database's segments have passed; None until the filters set at creation are changed.
    #[serde(with = "filters_as_text")]
    pub filters: Option<Vec<Rule>>,
    /// The name of the area of the database's region, or `none` for whole granules; None until the region set at creation
    /// is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Distinguishes this commit from another writer's with the same number.
    pub uuid: String,
}

impl Commit {
    /// The first commit of a database.
    pub(crate) fn first(now_ms: u64) -> Commit {
        Commit {
            format: FORMAT,
            number: 1,
            kind: CommitKind::Create,
            timestamp: now_ms,
            at: now_ms,
            epoch: 0,
            horizon: 0,
            deleting: 0,
            segments: ArrayState::default(),
            granules: ArrayState::default(),
            dead_attempts: Vec::new(),
            filters: None,
            region: None,
            uuid: Uuid::new_v4().to_string(),
        }
    }

    /// The next commit, made at the clock's `now_ms`, without changes yet.
    pub(crate) fn successor(&self, kind: CommitKind, now_ms: u64) -> Commit {
        let (timestamp, at) = match kind.has_data() {
            true => (self.timestamp_after(now_ms), self.timestamp_after(now_ms)),
            false => (self.timestamp, now_ms.max(self.at)),
        };
        Commit {
            format: FORMAT,
            number: self.number + 1,
            kind,
            timestamp,
            at,
            segments: self.segments.unchanged(),
            granules: self.granules.unchanged(),
            dead_attempts: self.dead_attempts.clone(),
            filters: self.filters.clone(),
            region: self.region.clone(),
            uuid: Uuid::new_v4().to_string(),
            ..*self
        }
    }

    /// The timestamp of files that are written after this commit at the clock's `now_ms`. It is later than every snapshot's, however
    /// wrong the clocks are.
    pub(crate) fn timestamp_after(&self, now_ms: u64) -> u64 {
        now_ms.max(self.timestamp + 1).max(self.at + 1)
    }

    /// `segments` and `granules`.
    pub(crate) fn arrays(&self) -> [&ArrayState; 2] {
        [&self.segments, &self.granules]
    }

    /// `segments` and `granules`.
    pub(crate) fn arrays_mut(&mut self) -> [&mut ArrayState; 2] {
        [&mut self.segments, &mut self.granules]
    }
}

/// The JSON form of filters, the same as in the group's metadata.
mod filters_as_text {
    use isdb_schema::filters::{Rule, from_json, to_json};
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(filters: &Option<Vec<Rule>>, serializer: S) -> Result<S::Ok, S::Error> {
        filters.as_deref().map(to_json).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Rule>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let rules =
            |text: String| from_json(&text).ok_or_else(|| D::Error::custom("filters: expected a list of filters"));
        text.map(rules).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::array_state::{FragmentRecord, HiddenFragment};

    fn commit() -> Commit {
        Commit::first(1_700_000_000_000).successor(CommitKind::Ingest, 1_700_000_000_005)
    }

    fn dead_attempt(id: Id) -> DeadAttempt {
        DeadAttempt { id, since: 2, fragments: [Id::new(1, 9)].into() }
    }

    #[test]
    fn a_commit_is_the_same_after_its_json() {
        let mut full = commit();
        full.dead_attempts = vec![dead_attempt(Id::new(1, 7))];
        full.granules.add(vec![FragmentRecord { id: Id::new(2, 4), name: "__1_1_x_22".to_owned(), rows: 5 }]);
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Commit>(&json).unwrap(), full);
        // The JSON keeps the name, SQL and releases of a filter, not the file that defines it.
        let text = isdb_schema::filters::to_json(&isdb_schema::filters::choose("night").unwrap());
        full.filters = isdb_schema::filters::from_json(&text);
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Commit>(&json).unwrap(), full);
    }

    #[test]
    fn the_json_of_a_commit_has_the_documented_fields() {
        let mut full = commit();
        full.region = Some(NO_REGION.to_owned());
        full.dead_attempts = vec![dead_attempt(Id::new(1, 7))];
        full.segments.abandon_unrecorded(&["__1_1_x_22".to_owned()], 2, 5);
        full.segments.hid = vec![HiddenFragment { name: "__2_2_x_22".to_owned(), at: 5 }];
        full.segments.add(vec![FragmentRecord { id: Id::new(2, 4), name: "__3_3_x_22".to_owned(), rows: 5 }]);
        let json = serde_json::to_value(&full).unwrap();
        let fields = |pointer: &str| {
            let mut names: Vec<&str> =
                json.pointer(pointer).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            names.join(" ")
        };
        let commit_fields = "at dead_ingests deleting epoch filters format granules horizon kind number region segments \
                             timestamp uuid";
        assert_eq!(fields(""), commit_fields);
        assert_eq!(fields("/dead_ingests/0"), "fragments id since");
        assert_eq!(fields("/segments"), "added dead gone hid live removed");
        assert_eq!(fields("/segments/dead/0"), "at id name since");
        assert_eq!(fields("/segments/hid/0"), "at name");
        assert_eq!(fields("/segments/added/0"), "id name rows");
    }

    #[test]
    fn each_time_belongs_to_one_commit_even_with_wrong_clocks() {
        let mut log = vec![Commit::first(1_000)];
        for (kind, now) in
            [(CommitKind::Fence, 5_000), (CommitKind::Ingest, 900), (CommitKind::Compact, 900), (CommitKind::Fence, 1)]
        {
            log.push(log.last().unwrap().successor(kind, now));
        }
        let times: Vec<(u64, u64)> = log.iter().map(|commit| (commit.timestamp, commit.at)).collect();
        assert_eq!(times, [(1_000, 1_000), (1_000, 5_000), (5_001, 5_001), (5_002, 5_002), (5_002, 5_002)]);
    }
}
