//! What a ledger comes to, for `isdb info`.

use std::collections::BTreeMap;

use isdb_schema::filters::Rule;
use isdb_schema::ledger::GranuleState;
use isdb_store::LedgerRow;

use crate::standing::Standing;
use crate::wanted::filters_hash;

/// Granules by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many granules are ingested and empty, and of those that are neither, how many failed and were removed in the end.
    pub granules: Vec<(GranuleState, usize)>,
    /// How many granules went through other filters than the database's, by the names of those.
    pub other_filters: BTreeMap<String, usize>,
}

impl Summary {
    /// The sum of `ledger`, whose rows are in the order of their ids, in a database with `filters`.
    pub fn of(ledger: &[LedgerRow], filters: &[Rule]) -> Summary {
        let standing = Standing::of(ledger);
        let mut states: BTreeMap<&str, GranuleState> =
            ledger.iter().map(|row| (row.granule.as_str(), row.state)).collect();
        let mut stands: BTreeMap<&str, GranuleState> = BTreeMap::new();
        for row in standing.rows() {
            let state = stands.entry(row.granule.as_str()).or_insert(row.state);
            if row.state == GranuleState::Ingested {
                *state = row.state;
            }
        }
        states.retain(|granule, state| !state.is_done() && !stands.contains_key(granule));
        states.extend(stands);
        let count = |state: GranuleState| (state, states.values().filter(|other| **other == state).count());
        let hash = filters_hash(filters);
        let mut other_filters = BTreeMap::new();
        for row in standing.rows().filter(|row| row.filters_hash != hash) {
            *other_filters.entry(row.filters.clone()).or_default() += 1;
        }
        Summary { granules: GranuleState::ALL.map(count).into(), other_filters }
    }
}

#[cfg(test)]
mod tests {
    use isdb_store::Id;

    use super::*;
    use crate::testing::row;

    #[test]
    fn each_granule_counts_once_by_what_it_is_now() {
        let mut ledger = vec![row(1, "a"), row(2, "b"), row(3, "c"), row(4, "b"), row(5, "c"), row(6, "d")];
        ledger[3].state = GranuleState::Removed;
        ledger[3].replaces = vec![Id(2)];
        ledger[4].state = GranuleState::Failed;
        ledger[5].state = GranuleState::Failed;
        for row in &mut ledger {
            row.filters_hash = filters_hash(&[]);
        }
        ledger[0].filters_hash = "other".to_owned();
        ledger[0].filters = "night".to_owned();
        let Summary { granules, other_filters } = Summary::of(&ledger, &[]);
        let counts: Vec<usize> = granules.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [2, 0, 1, 1], "ingested, empty, failed, removed");
        assert_eq!(other_filters, BTreeMap::from([("night".to_owned(), 1)]));
    }
}
