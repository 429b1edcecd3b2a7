//! Visibility: the query conditions that hide dead fragments and dead attempts from a read.

use std::collections::BTreeSet;

use isdb_schema::segments::{FRAGMENT_ID, INGEST_ID};
use tiledb::{Literal, Predicate};

use crate::id::Id;
use crate::log::array_state::ArrayState;
use crate::log::commit::Commit;

/// The fragments of an array that a snapshot shows.
pub(crate) enum VisibleFragments {
    /// All except dead ones: every finished fragment is recorded.
    NotDead,
    /// Only these, because a replaced writer has written unrecorded fragments late.
    Only(BTreeSet<Id>),
}

/// The condition for reads of `segments`; None when nothing is hidden.
pub(crate) fn segments_condition(commit: &Commit, visible: &VisibleFragments) -> Option<Predicate> {
    let attempts = id_condition(INGEST_ID, commit.dead_attempts.iter().map(|dead| dead.id), true);
    match (fragments_condition(&commit.segments, visible), attempts) {
        (Some(fragments), Some(attempts)) => Some(Predicate::And(vec![fragments, attempts])),
        (fragments, attempts) => fragments.or(attempts),
    }
}

/// The condition for reads of `granules`; None when nothing is hidden.
pub(crate) fn granules_condition(commit: &Commit, visible: &VisibleFragments) -> Option<Predicate> {
    fragments_condition(&commit.granules, visible)
}

fn fragments_condition(state: &ArrayState, visible: &VisibleFragments) -> Option<Predicate> {
    match visible {
        VisibleFragments::Only(live) => id_condition(FRAGMENT_ID, live.iter().copied(), false),
        VisibleFragments::NotDead => id_condition(FRAGMENT_ID, state.dead.iter().filter_map(|dead| dead.id), true),
    }
}

/// `column [NOT] IN (ids)`; None where that is always true.
pub(crate) fn id_condition(column: &str, ids: impl Iterator<Item = Id>, negated: bool) -> Option<Predicate> {
    let values: Vec<Literal> = ids.map(|id| Literal::Int(id.0)).collect();
    let is_always_true = negated && values.is_empty();
    (!is_always_true).then(|| Predicate::In { column: column.to_owned(), values, negated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::array_state::DeadFragment;
    use crate::log::commit::{CommitKind, DeadAttempt};

    fn commit() -> Commit {
        Commit::first(1_700_000_000_000).successor(CommitKind::Ingest, 1_700_000_000_005)
    }

    #[test]
    fn a_clean_database_is_read_without_conditions() {
        assert_eq!(segments_condition(&commit(), &VisibleFragments::NotDead), None);
        assert_eq!(granules_condition(&commit(), &VisibleFragments::NotDead), None);
    }

    #[test]
    fn segments_of_dead_fragments_and_attempts_are_hidden_and_ledger_rows_of_dead_attempts_are_not() {
        let mut commit = commit();
        for state in commit.arrays_mut() {
            state.dead = vec![DeadFragment { id: Some(Id::new(1, 7)), name: "x".to_owned(), since: 2, at: 5 }];
        }
        commit.dead_attempts = vec![DeadAttempt { id: Id::new(1, 3), since: 2, fragments: [Id::new(1, 9)].into() }];
        let not_in = |column: &str, id: Id| Predicate::In {
            column: column.to_owned(),
            values: vec![Literal::Int(id.0)],
            negated: true,
        };
        let (fragment, attempt) = (not_in(FRAGMENT_ID, Id::new(1, 7)), not_in(INGEST_ID, Id::new(1, 3)));
        let visible = VisibleFragments::NotDead;
        assert_eq!(granules_condition(&commit, &visible), Some(fragment.clone()));
        assert_eq!(segments_condition(&commit, &visible), Some(Predicate::And(vec![fragment, attempt])));
    }

    #[test]
    fn an_unrecorded_fragment_in_an_empty_database_is_hidden() {
        let condition = segments_condition(&commit(), &VisibleFragments::Only(BTreeSet::new()));
        assert!(matches!(condition, Some(Predicate::In { ref values, negated: false, .. }) if values.is_empty()));
    }
}
