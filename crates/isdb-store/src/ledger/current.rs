//! The current attempts of a ledger. The SQL view `granules_current` applies the same rule.

use std::collections::HashSet;

use super::row::LedgerRow;
use crate::id::Id;

/// Returns the current attempts in `ledger`, in its order: attempts that ingested their granule or found it empty, and that no
/// other attempt has replaced or removed. `ledger` must contain all rows, because the newer row names the attempts that it
/// replaces.
pub fn current_attempts(ledger: &[LedgerRow]) -> impl Iterator<Item = &LedgerRow> {
    let replaced: HashSet<Id> = ledger.iter().flat_map(|row| row.replaces.iter().copied()).collect();
    ledger.iter().filter(move |row| row.state.is_done() && !replaced.contains(&row.ingest_id))
}

#[cfg(test)]
mod tests {
    use isdb_schema::ledger::GranuleState;

    use super::*;

    fn row(id: i64, state: GranuleState, replaces: &[i64]) -> LedgerRow {
        LedgerRow { state, replaces: replaces.iter().copied().map(Id).collect(), ..LedgerRow::new(Id(id)) }
    }

    fn current(ledger: &[LedgerRow]) -> Vec<i64> {
        current_attempts(ledger).map(|row| row.ingest_id.0).collect()
    }

    #[test]
    fn ingested_and_empty_granules_are_current_and_failed_attempts_are_not() {
        let ledger =
            [row(1, GranuleState::Ingested, &[]), row(2, GranuleState::Empty, &[]), row(3, GranuleState::Failed, &[])];
        assert_eq!(current(&ledger), [1, 2]);
        assert_eq!(current(&[]), [0_i64; 0]);
    }

    #[test]
    fn a_replaced_attempt_is_not_current_wherever_its_successor_is_in_the_ledger() {
        let ledger = [row(1, GranuleState::Ingested, &[]), row(2, GranuleState::Empty, &[1])];
        assert_eq!(current(&ledger), [2]);
        let [old, new] = ledger;
        assert_eq!(current(&[new, old]), [2]);
    }

    #[test]
    fn an_attempt_may_replace_several_and_be_replaced_itself() {
        let ledger = [
            row(1, GranuleState::Ingested, &[]),
            row(2, GranuleState::Ingested, &[]),
            row(3, GranuleState::Ingested, &[1, 2]),
            row(4, GranuleState::Ingested, &[3]),
        ];
        assert_eq!(current(&ledger), [4]);
    }

    #[test]
    fn a_removed_granule_has_no_current_attempt_until_it_is_ingested_again() {
        let mut ledger = vec![row(1, GranuleState::Ingested, &[]), row(2, GranuleState::Removed, &[1])];
        assert_eq!(current(&ledger), [0_i64; 0]);
        ledger.push(row(3, GranuleState::Ingested, &[]));
        assert_eq!(current(&ledger), [3]);
    }
}
