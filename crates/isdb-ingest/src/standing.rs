//! What the ledger comes to: its attempts, summed in their order, give what stands for each granule, what failed, and what
//! was removed on purpose.

use std::collections::{HashMap, HashSet};

use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::key::{Key, Rank};

/// The attempts that count. An attempt stands when it was done and no other has replaced or removed it.
pub(crate) struct Standing<'a> {
    keys: HashMap<Key, Vec<&'a LedgerRow>>,
    removed: HashMap<Key, &'a LedgerRow>,
    failed: HashMap<&'a str, &'a LedgerRow>,
    newest: Option<&'a LedgerRow>,
}

impl<'a> Standing<'a> {
    /// The sum of `ledger`, whose rows are in the order of their ids.
    pub(crate) fn of(ledger: &'a [LedgerRow]) -> Standing<'a> {
        let gone: HashSet<Id> = ledger.iter().flat_map(|row| row.replaces.iter().copied()).collect();
        let mut standing =
            Standing { keys: HashMap::new(), removed: HashMap::new(), failed: HashMap::new(), newest: None };
        for row in ledger {
            match row.state {
                GranuleState::Removed => {
                    standing.removed.insert(Key::of_row(row), row);
                }
                GranuleState::Failed => {
                    standing.failed.insert(&row.source, row);
                }
                GranuleState::Ingested | GranuleState::Empty => {
                    standing.failed.remove(row.source.as_str());
                    standing.removed.remove(&Key::of_row(row));
                    if !gone.contains(&row.ingest_id) {
                        standing.keys.entry(Key::of_row(row)).or_default().push(row);
                        standing.newest = row.release.as_ref().map_or(standing.newest, |_| Some(row));
                    }
                }
            }
        }
        standing
    }

    /// What stands for `key`: one attempt at the whole granule, or those at its subsets, in the order of their ids.
    pub(crate) fn of_key(&self, key: &Key) -> &[&'a LedgerRow] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// The rank up to which `key` was removed on purpose, and not brought back since.
    pub(crate) fn removed(&self, key: &Key) -> Option<Rank> {
        self.removed.get(key).map(|row| Rank::of_row(row))
    }

    /// The newest attempt at the file `source`, if it failed.
    pub(crate) fn failed(&self, source: &str) -> Option<&'a LedgerRow> {
        self.failed.get(source).copied()
    }

    /// Every attempt that stands.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &'a LedgerRow> {
        self.keys.values().flatten().copied()
    }

    /// The attempt whose release the database is pinned to: that of its first granule, and, once a release was replaced, that of
    /// the newest.
    pub(crate) fn pin(&self) -> Option<&'a LedgerRow> {
        self.newest
    }

    /// Whether the database holds any segment.
    pub(crate) fn has_segments(&self) -> bool {
        self.rows().any(|row| row.rows_kept > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn ids(standing: &Standing<'_>, of: &LedgerRow) -> Vec<i64> {
        standing.of_key(&Key::of_row(of)).iter().map(|row| row.ingest_id.0).collect()
    }

    #[test]
    fn what_was_replaced_or_removed_no_longer_stands() {
        let mut ledger = vec![row(1, "a"), row(2, "b"), row(3, "a"), row(4, "b")];
        ledger[2].replaces = vec![Id(1)];
        ledger[3].state = GranuleState::Removed;
        ledger[3].replaces = vec![Id(2)];
        let standing = Standing::of(&ledger);
        assert_eq!(ids(&standing, &ledger[0]), [3]);
        assert_eq!(ids(&standing, &ledger[1]), [0_i64; 0]);
        assert!(standing.removed(&Key::of_row(&ledger[1])).is_some());
        ledger.push(row(5, "b"));
        let standing = Standing::of(&ledger);
        assert_eq!(ids(&standing, &ledger[1]), [5], "a removed granule can be brought back");
        assert!(standing.removed(&Key::of_row(&ledger[1])).is_none());
    }

    #[test]
    fn a_failure_takes_nothing_away_and_counts_until_its_file_succeeds() {
        let mut ledger = vec![row(1, "a"), row(2, "a")];
        ledger[1].state = GranuleState::Failed;
        ledger[1].replaces = vec![Id(2)];
        let standing = Standing::of(&ledger);
        assert_eq!(ids(&standing, &ledger[0]), [1]);
        assert!(standing.failed(&ledger[0].source).is_some());
        ledger.push(row(3, "a"));
        assert!(Standing::of(&ledger).failed(&ledger[0].source).is_none());
    }

    #[test]
    fn the_pin_is_the_first_release_until_it_is_replaced() {
        let mut ledger = vec![row(1, "a"), row(2, "b"), row(3, "a")];
        assert_eq!(Standing::of(&ledger[..2]).pin().unwrap().release.as_deref(), Some("006"));
        ledger[2].release = Some("007".to_owned());
        ledger[2].replaces = vec![Id(1)];
        assert_eq!(Standing::of(&ledger).pin().unwrap().release.as_deref(), Some("007"));
    }
}
