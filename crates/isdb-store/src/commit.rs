//! One commit: the object whose creation changes what readers see. Fragments are told as a change against the commit before,
//! so that a commit stays small however large the database grows; a reader needs the newest one only.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tiledb::{Condition, Literal};

use crate::ids::{FRAGMENT_ID, INGEST_ID, Id};

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 1;

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
}

/// The content of `commits/<number>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub(crate) format: u32,
    /// Position in the log, from 1, without gaps.
    pub number: u64,
    /// T_c, in milliseconds since 1970: both arrays are opened at this end. Taking over does not move it.
    pub timestamp: u64,
    /// The clock when it was made, in milliseconds since 1970, never less than the previous commit's. Ages are measured by it.
    pub at: u64,
    /// The number of the commit by which its writer took over; the upper half of the writer's ids.
    pub epoch: u32,
    /// Snapshots of commits before this number may have been vacuumed away.
    pub horizon: u64,
    /// The fragments of `segments`.
    pub segments: ArrayState,
    /// The fragments of `granules`.
    pub granules: ArrayState,
    /// Attempts whose rows still exist in live fragments and must not be seen.
    pub dead_ingests: BTreeSet<Id>,
    /// The filters that segments have passed since they were changed, as JSON; None as long as those of the creation hold.
    pub(crate) filters: Option<String>,
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
    /// What a read of `segments` has to add; None when nothing is hidden.
    pub(crate) fn visible_segments(&self, seen: &Seen) -> Option<Condition> {
        let dead = is_in(INGEST_ID, self.dead_ingests.iter().copied(), true);
        match (visible(&self.segments, seen), dead) {
            (Some(fragments), Some(ingests)) => Some(Condition::And(vec![fragments, ingests])),
            (fragments, ingests) => fragments.or(ingests),
        }
    }

    /// What a read of `granules` has to add; None when nothing is hidden. The ledger is a history: what was replaced stays in it.
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
fn is_in(column: &str, ids: impl Iterator<Item = Id>, negated: bool) -> Option<Condition> {
    let values: Vec<Literal> = ids.map(|id| Literal::Int(id.0)).collect();
    let hides = !(negated && values.is_empty());
    hides.then(|| Condition::In { column: column.to_owned(), values, negated })
}

/// Every live fragment up to a commit: the sum of the log's changes. Written as a checkpoint now and then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The commit up to which changes are summed; 0 before the first.
    pub(crate) number: u64,
    /// Live fragments of `segments`, by id.
    pub(crate) segments: BTreeMap<Id, FragmentRecord>,
    /// Live fragments of `granules`, by id.
    pub(crate) granules: BTreeMap<Id, FragmentRecord>,
}

impl Recorded {
    pub(crate) fn apply(&mut self, commit: &Commit) {
        self.number = commit.number;
        for (live, state) in [(&mut self.segments, &commit.segments), (&mut self.granules, &commit.granules)] {
            live.retain(|id, _| !state.removed.contains(id));
            live.extend(state.added.iter().map(|fragment| (fragment.id, fragment.clone())));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn commit(number: u64) -> Commit {
        Commit {
            format: FORMAT,
            number,
            timestamp: 1_700_000_000_000,
            at: 0,
            epoch: 2,
            horizon: 0,
            segments: ArrayState::default(),
            granules: ArrayState::default(),
            dead_ingests: BTreeSet::new(),
            filters: None,
            uuid: format!("commit-{number}"),
        }
    }

    fn fragment(counter: u32) -> FragmentRecord {
        FragmentRecord { id: Id::new(2, counter), name: format!("__1_1_{counter}_22"), rows: 5 }
    }

    #[test]
    fn a_clean_database_pays_for_no_condition() {
        let commit = commit(3);
        assert_eq!(commit.visible_segments(&Seen::Recorded), None);
    }

    #[test]
    fn dead_fragments_and_dead_attempts_are_left_out() {
        let dead = DeadFragment { id: Some(Id::new(1, 7)), name: "x".to_owned() };
        let commit = Commit {
            segments: ArrayState { dead: vec![dead], ..ArrayState::default() },
            dead_ingests: [Id::new(1, 3)].into(),
            ..commit(3)
        };
        let not_in = |column: &str, id: Id| Condition::In {
            column: column.to_owned(),
            values: vec![Literal::Int(id.0)],
            negated: true,
        };
        let hidden = vec![not_in(FRAGMENT_ID, Id::new(1, 7)), not_in(INGEST_ID, Id::new(1, 3))];
        assert_eq!(commit.visible_segments(&Seen::Recorded), Some(Condition::And(hidden)));
    }

    #[test]
    fn a_stray_in_an_empty_database_shows_nothing() {
        let commit = commit(3);
        let visible = commit.visible_segments(&Seen::Only(BTreeSet::new()));
        assert!(matches!(visible, Some(Condition::In { ref values, negated: false, .. }) if values.is_empty()));
    }

    #[test]
    fn the_log_sums_up_to_what_is_live() {
        let mut first = commit(1);
        first.segments.added = vec![fragment(1), fragment(2)];
        let mut second = commit(2);
        second.segments.removed = [fragment(1).id].into();
        second.segments.added = vec![fragment(3)];
        let mut recorded = Recorded::default();
        recorded.apply(&first);
        recorded.apply(&second);
        let live: Vec<Id> = recorded.segments.into_keys().collect();
        assert_eq!((recorded.number, live), (2, vec![fragment(2).id, fragment(3).id]));
    }

    #[test]
    fn a_commit_survives_its_json() {
        let mut full = commit(9);
        full.dead_ingests = [Id::new(1, 7)].into();
        full.granules.added = vec![fragment(4)];
        let json = serde_json::to_vec(&full).unwrap();
        assert_eq!(serde_json::from_slice::<Commit>(&json).unwrap(), full);
    }
}
