//! Visibility: the query conditions that hide dead attempts from a read.

use isdb_schema::segments::INGEST_ID;
use tiledb::{Literal, Predicate};

use crate::id::Id;
use crate::log::state::LogState;

/// The condition for reads of the live fragments: rows of dead attempts are hidden. None when there are none.
pub(super) fn segments_condition(state: &LogState) -> Option<Predicate> {
    id_condition(INGEST_ID, state.dead_attempts.into_iter().map(|(id, _)| *id), true)
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
    fn a_clean_database_is_read_without_a_condition() {
        assert_eq!(segments_condition(&LogState::after(&first(1))), None);
    }

    #[test]
    fn segments_of_dead_attempts_are_hidden() {
        let mut state = LogState::after(&first(1));
        let mut commit = state.next_commit(CommitKind::Ingest, 2);
        commit.segments.added = vec![record(Id(9), 1)];
        state.apply(&commit);
        let mut commit = state.next_commit(CommitKind::Ingest, 3);
        commit.dead_attempts = vec![DeadAttempt { id: Id(3), fragments: [Id(9)].into() }];
        state.apply(&commit);
        let values = vec![Literal::Int(3)];
        let expected = Predicate::In { column: INGEST_ID.to_owned(), values, negated: true };
        assert_eq!(segments_condition(&state), Some(expected));
    }
}
