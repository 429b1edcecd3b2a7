//! One commit: the object whose creation changes what readers see. Fragments are told as a change against the commit before,
//! so that a commit stays small however large the database grows; a reader needs the newest one only.

use std::collections::BTreeSet;

use isdb_schema::filters::Rule;
use serde::{Deserialize, Serialize};
use tiledb::{Condition, Literal};
use uuid::Uuid;

use crate::ids::{FRAGMENT_ID, INGEST_ID, Id};

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 2;

/// What a commit records instead of a region when the database holds whole granules from then on.
pub(crate) const NO_REGION: &str = "none";

/// Why a commit was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The first: the database exists.
    Create,
    /// A writer took over; commits of earlier ones are refused from here on.
    Fence,
    /// Granules were ingested, replaced or removed.
    Ingest,
    /// Fragments were written again, together.
    Compact,
    /// Snapshots of earlier commits expire.
    Horizon,
    /// What was dead has been removed.
    Vacuum,
    /// Variables were added, or the region was changed.
    Alter,
}

impl Kind {
    /// Whether such a commit comes with files of a timestamp of its own.
    fn has_data(self) -> bool {
        matches!(self, Kind::Ingest | Kind::Compact | Kind::Alter)
    }
}

/// A fragment as a commit records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentRecord {
    /// The value of `fragment_id` in each of its rows.
    pub id: Id,
    /// The fragment's folder below `__fragments`.
    pub name: String,
    /// Its number of rows.
    pub rows: u64,
}

/// A fragment that still exists and must not be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadFragment {
    /// Its id; None for one that no commit recorded, written late by a writer that had been taken over.
    pub id: Option<Id>,
    /// Its folder below `__fragments`.
    pub name: String,
    /// The first commit in which it is dead: snapshots of earlier ones may need it.
    pub since: u64,
    /// When that was, in milliseconds since 1970.
    pub at: u64,
}

/// A fragment's folder whose commit file is gone: TileDB does not see it, but a read that began before may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiddenFragment {
    /// The folder below `__fragments`.
    pub name: String,
    /// Since when it has been hidden, in milliseconds since 1970.
    pub at: u64,
}

/// An attempt whose segments are still in live or dead fragments and must not be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadIngest {
    /// The attempt.
    pub id: Id,
    /// The first commit in which it is dead.
    pub since: u64,
    /// The fragments that hold its segments.
    pub fragments: BTreeSet<Id>,
}

/// What a commit says of the fragments of one array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayState {
    /// How many recorded fragments may be seen.
    pub live: u64,
    /// Fragments that still exist and must not be seen.
    pub dead: Vec<DeadFragment>,
    /// Fragments that this commit makes visible.
    pub added: Vec<FragmentRecord>,
    /// Fragments that were visible before this commit and no longer are.
    pub removed: BTreeSet<Id>,
    /// Folders that are hidden from this commit on.
    pub hid: Vec<HiddenFragment>,
    /// Hidden folders that no longer exist.
    pub gone: BTreeSet<String>,
}

impl ArrayState {
    /// The state after a commit that changes nothing.
    fn carried(&self) -> ArrayState {
        ArrayState { live: self.live, dead: self.dead.clone(), ..ArrayState::default() }
    }

    /// Makes `fragments` visible.
    pub(crate) fn add(&mut self, fragments: Vec<FragmentRecord>) {
        self.live += fragments.len() as u64;
        self.added.extend(fragments);
    }

    /// Declares fragments dead that were live, in the commit `since`, at the time `at`.
    pub(crate) fn bury(&mut self, fragments: &[FragmentRecord], since: u64, at: u64) {
        self.live = self.live.saturating_sub(fragments.len() as u64);
        self.removed.extend(fragments.iter().map(|fragment| fragment.id));
        self.abandon(fragments, since, at);
    }

    /// Declares fragments dead that were written for the commit `since`, at the time `at`, and are not wanted after all.
    pub(crate) fn abandon(&mut self, fragments: &[FragmentRecord], since: u64, at: u64) {
        self.dead.extend(fragments.iter().map(|fragment| DeadFragment {
            id: Some(fragment.id),
            name: fragment.name.clone(),
            since,
            at,
        }));
    }

    /// Declares fragments dead that no commit recorded.
    pub(crate) fn bury_strays(&mut self, names: &[String], since: u64, at: u64) {
        let dead = |name: &String| DeadFragment { id: None, name: name.clone(), since, at };
        self.dead.extend(names.iter().map(dead));
    }
}

/// The content of `commits/<number>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub(crate) format: u32,
    /// Position in the log, from 1, without gaps.
    pub number: u64,
    /// Why it was made.
    pub kind: Kind,
    /// T_c, in milliseconds since 1970: both arrays are opened at this end. Only commits with data move it.
    pub timestamp: u64,
    /// The clock, in milliseconds since 1970, never less than the previous commit's. The state of a moment is that of the last
    /// commit whose `at` is not after it. For commits with data it is their timestamp, and later than the previous commit's.
    pub at: u64,
    /// The number of the commit by which its writer took over; the upper half of the writer's ids.
    pub epoch: u32,
    /// Snapshots of commits before this number may have been vacuumed away.
    pub horizon: u64,
    /// The last commit after which folders may have been removed; a read that began before it may fail.
    pub deleting: u64,
    /// The fragments of `segments`.
    pub segments: ArrayState,
    /// The fragments of `granules`.
    pub granules: ArrayState,
    /// Attempts whose segments must not be seen. Their rows of the ledger stay: it is a history.
    pub dead_ingests: Vec<DeadIngest>,
    /// The filters that segments have passed since they were changed; None as long as those of the creation hold.
    #[serde(with = "filters_as_text")]
    pub filters: Option<Vec<Rule>>,
    /// The name of the area that the database holds segments of since that was changed, `none` for whole granules; None
    /// as long as that of the creation holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Tells this commit from another writer's of the same number.
    pub uuid: String,
}

/// Which fragments of an array its rows may come from.
pub(crate) enum Seen {
    /// Exactly the recorded ones exist: only what is dead must be left out.
    Recorded,
    /// Others exist too, written late by a writer that had been taken over: only these may be seen.
    Only(BTreeSet<Id>),
}

impl Commit {
    /// The first commit of a database.
    pub(crate) fn first(now_ms: u64) -> Commit {
        Commit {
            format: FORMAT,
            number: 1,
            kind: Kind::Create,
            timestamp: now_ms,
            at: now_ms,
            epoch: 0,
            horizon: 0,
            deleting: 0,
            segments: ArrayState::default(),
            granules: ArrayState::default(),
            dead_ingests: Vec::new(),
            filters: None,
            region: None,
            uuid: Uuid::new_v4().to_string(),
        }
    }

    /// The commit after this one, made when the clock says `now_ms`; it changes nothing yet.
    pub(crate) fn following(&self, kind: Kind, now_ms: u64) -> Commit {
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
            segments: self.segments.carried(),
            granules: self.granules.carried(),
            dead_ingests: self.dead_ingests.clone(),
            filters: self.filters.clone(),
            region: self.region.clone(),
            uuid: Uuid::new_v4().to_string(),
            ..*self
        }
    }

    /// The timestamp of files that are written after this commit when the clock says `now_ms`: no snapshot sees it, however
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

    /// What a read of `segments` has to add; None when nothing is hidden.
    pub(crate) fn visible_segments(&self, seen: &Seen) -> Option<Condition> {
        let dead = is_in(INGEST_ID, self.dead_ingests.iter().map(|dead| dead.id), true);
        match (visible(&self.segments, seen), dead) {
            (Some(fragments), Some(ingests)) => Some(Condition::And(vec![fragments, ingests])),
            (fragments, ingests) => fragments.or(ingests),
        }
    }

    /// What a read of `granules` has to add; None when nothing is hidden.
    pub(crate) fn visible_granules(&self, seen: &Seen) -> Option<Condition> {
        visible(&self.granules, seen)
    }
}

fn visible(state: &ArrayState, seen: &Seen) -> Option<Condition> {
    match seen {
        Seen::Only(live) => is_in(FRAGMENT_ID, live.iter().copied(), false),
        Seen::Recorded => is_in(FRAGMENT_ID, state.dead.iter().filter_map(|dead| dead.id), true),
    }
}

/// `column [NOT] IN (ids)`; None where that hides nothing.
pub(crate) fn is_in(column: &str, ids: impl Iterator<Item = Id>, negated: bool) -> Option<Condition> {
    let values: Vec<Literal> = ids.map(|id| Literal::Int(id.0)).collect();
    let hides = !(negated && values.is_empty());
    hides.then(|| Condition::In { column: column.to_owned(), values, negated })
}

/// Filters as the group's metadata have them, so that both are read alike.
mod filters_as_text {
    use isdb_schema::filters::{Rule, from_json, to_json};
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(filters: &Option<Vec<Rule>>, serializer: S) -> Result<S::Ok, S::Error> {
        filters.as_deref().map(to_json).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Rule>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let rules = |text: String| from_json(&text).ok_or_else(|| D::Error::custom("filters is no list of filters"));
        text.map(rules).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit() -> Commit {
        Commit::first(1_700_000_000_000).following(Kind::Ingest, 1_700_000_000_005)
    }

    fn dead_ingest(id: Id) -> DeadIngest {
        DeadIngest { id, since: 2, fragments: [Id::new(1, 9)].into() }
    }

    #[test]
    fn a_clean_database_pays_for_no_condition() {
        assert_eq!(commit().visible_segments(&Seen::Recorded), None);
        assert_eq!(commit().visible_granules(&Seen::Recorded), None);
    }

    #[test]
    fn dead_fragments_and_dead_attempts_are_left_out_and_the_ledger_keeps_the_attempts() {
        let mut commit = commit();
        for state in commit.arrays_mut() {
            state.dead = vec![DeadFragment { id: Some(Id::new(1, 7)), name: "x".to_owned(), since: 2, at: 5 }];
        }
        commit.dead_ingests = vec![dead_ingest(Id::new(1, 3))];
        let not_in = |column: &str, id: Id| Condition::In {
            column: column.to_owned(),
            values: vec![Literal::Int(id.0)],
            negated: true,
        };
        let (fragment, attempt) = (not_in(FRAGMENT_ID, Id::new(1, 7)), not_in(INGEST_ID, Id::new(1, 3)));
        assert_eq!(commit.visible_granules(&Seen::Recorded), Some(fragment.clone()));
        assert_eq!(commit.visible_segments(&Seen::Recorded), Some(Condition::And(vec![fragment, attempt])));
    }

    #[test]
    fn a_stray_in_an_empty_database_shows_nothing() {
        let visible = commit().visible_segments(&Seen::Only(BTreeSet::new()));
        assert!(matches!(visible, Some(Condition::In { ref values, negated: false, .. }) if values.is_empty()));
    }

    #[test]
    fn a_commit_survives_its_json() {
        let mut full = commit();
        full.dead_ingests = vec![dead_ingest(Id::new(1, 7))];
        full.granules.add(vec![FragmentRecord { id: Id::new(2, 4), name: "__1_1_x_22".to_owned(), rows: 5 }]);
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Commit>(&json).unwrap(), full);
        // What is kept of a filter is its name, SQL and releases, not the file it came from.
        let text = isdb_schema::filters::to_json(&isdb_schema::filters::choose("night").unwrap());
        full.filters = isdb_schema::filters::from_json(&text);
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Commit>(&json).unwrap(), full);
    }

    #[test]
    fn a_moment_names_one_state_however_fast_commits_follow_and_whatever_the_clocks_say() {
        let mut log = vec![Commit::first(1_000)];
        for (kind, now) in [(Kind::Fence, 5_000), (Kind::Ingest, 900), (Kind::Compact, 900), (Kind::Fence, 1)] {
            log.push(log.last().unwrap().following(kind, now));
        }
        let moments: Vec<(u64, u64)> = log.iter().map(|commit| (commit.timestamp, commit.at)).collect();
        assert_eq!(moments, [(1_000, 1_000), (1_000, 5_000), (5_001, 5_001), (5_002, 5_002), (5_002, 5_002)]);
    }
}
