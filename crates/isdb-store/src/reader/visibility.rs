//! Visibility: the query conditions that hide dead fragments and dead attempts from a read.

use isdb_schema::segments::{FRAGMENT_ID, INGEST_ID};
use tiledb::{Literal, Predicate};

use crate::id::Id;
use crate::log::state::LogState;

/// The fragments of the array that a snapshot shows.
pub(super) enum VisibleFragments {
    /// All except dead ones: every finished fragment is recorded.
    NotDead,
    /// The live ones, because a replaced writer has written unrecorded fragments late.
    Live,
}

/// The condition for reads of `segments`; None when nothing is hidden.
pub(super) fn segments_condition(state: &LogState, visible: VisibleFragments) -> Option<Predicate> {
    let attempts = id_condition(INGEST_ID, state.dead_attempts.into_iter().map(|(id, _)| *id), true);
    let fragments = match visible {
        VisibleFragments::Live => id_condition(FRAGMENT_ID, state.segments.live.into_iter().map(|(id, _)| *id), false),
        VisibleFragments::NotDead => {
            id_condition(FRAGMENT_ID, state.segments.dead.into_iter().filter_map(|(_, dead)| dead.id), true)
        }
    };
    match (fragments, attempts) {
        (Some(fragments), Some(attempts)) => Some(Predicate::And(vec![fragments, attempts])),
        (fragments, attempts) => fragments.or(attempts),
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
    use crate::fragment::record::tests::record;
    use crate::log::changes::DeadAttempt;
    use crate::log::commit::CommitKind;
    use crate::log::commit::tests::first;

    #[test]
    fn a_clean_database_is_read_without_conditions() {
        assert_eq!(segments_condition(&LogState::after(&first(1)), VisibleFragments::NotDead), None);
    }

    #[test]
    fn segments_of_dead_fragments_and_attempts_are_hidden() {
        let mut state = LogState::after(&first(1));
        let mut commit = state.next_commit(CommitKind::Ingest, 2);
        commit.segments.added = vec![record(Id(7), 1), record(Id(9), 1)];
        state.apply(&commit);
        let mut commit = state.next_commit(CommitKind::Compact, 3);
        commit.segments.removed = [Id(7)].into();
        commit.dead_attempts = vec![DeadAttempt { id: Id(3), fragments: [Id(9)].into() }];
        state.apply(&commit);
        let not_in = |column: &str, id: Id| Predicate::In {
            column: column.to_owned(),
            values: vec![Literal::Int(id.0)],
            negated: true,
        };
        let expected = Predicate::And(vec![not_in(FRAGMENT_ID, Id(7)), not_in(INGEST_ID, Id(3))]);
        assert_eq!(segments_condition(&state, VisibleFragments::NotDead), Some(expected));
    }

    #[test]
    fn an_unrecorded_fragment_in_an_empty_database_is_hidden() {
        let condition = segments_condition(&LogState::after(&first(1)), VisibleFragments::Live);
        assert!(matches!(condition, Some(Predicate::In { ref values, negated: false, .. }) if values.is_empty()));
    }
}
