//! What the ledger comes to: its attempts, summed in their order, give what stands for each granule, what failed, and what
//! was removed on purpose.

use std::collections::{HashMap, HashSet};

use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::key::{Key, Rank};

/// The attempts that count. An attempt stands when it was done and no other has replaced or removed it.
pub(crate) struct Standing<'a> {
    keys: HashMap<Key, Vec<&'a LedgerRow>>,
    removed: HashMap<Key, Vec<&'a LedgerRow>>,
    failed: HashMap<&'a str, &'a LedgerRow>,
    newest: Option<&'a LedgerRow>,
    strangers: Vec<&'a LedgerRow>,
}

impl<'a> Standing<'a> {
    /// The sum of `ledger`, whose rows are in the order of their ids.
    pub(crate) fn of(ledger: &'a [LedgerRow]) -> Standing<'a> {
        let gone: HashSet<Id> = ledger.iter().flat_map(|row| row.replaces.iter().copied()).collect();
        let mut standing = Standing {
            keys: HashMap::new(),
            removed: HashMap::new(),
            failed: HashMap::new(),
            newest: None,
            strangers: Vec::new(),
        };
        for row in ledger {
            match row.state {
                GranuleState::Removed => {
                    standing.removed.entry(Key::of_row(row)).or_default().push(row);
                }
                GranuleState::Failed => {
                    standing.failed.insert(&row.source, row);
                }
                GranuleState::Ingested | GranuleState::Empty => {
                    standing.failed.remove(row.source.as_str());
                    if let Some(removed) = standing.removed.get_mut(&Key::of_row(row)) {
                        removed.retain(|removed| removed.granule != row.granule);
                    }
                    if !gone.contains(&row.ingest_id) {
                        standing.keys.entry(Key::of_row(row)).or_default().push(row);
                        // What a newer release has left of an older one does not make that the database's.
                        if row.release.is_some() && !row.is_carried() {
                            standing.newest = Some(row);
                        }
                    }
                }
            }
        }
        let strangers = standing.keys.iter().filter(|(key, _)| key.is_content()).flat_map(|(_, rows)| rows);
        standing.strangers = strangers.filter(|row| row.rows_kept > 0).copied().collect();
        standing
    }

    /// The attempts with segments of files that do not tell their granule.
    pub(crate) fn strangers(&self) -> &[&'a LedgerRow] {
        &self.strangers
    }

    /// What stands for `key`: one attempt at the whole granule, or those at its subsets, in the order of their ids.
    pub(crate) fn of_key(&self, key: &Key) -> &[&'a LedgerRow] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether the granule `id` of this `key` and `rank` was removed on purpose and not brought back since: it, or a newer one
    /// while nothing else of the key stands.
    pub(crate) fn is_removed(&self, key: &Key, id: &str, rank: Rank) -> bool {
        let removed = self.removed.get(key).map_or(&[][..], Vec::as_slice);
        let is_empty = self.of_key(key).is_empty();
        removed.iter().any(|row| (is_empty || row.granule == id) && rank <= Rank::of_row(row))
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
        let is_removed = |standing: &Standing<'_>, id: &str| {
            standing.is_removed(&Key::of_row(&ledger[1]), id, Rank::of_row(&ledger[1]))
        };
        assert!(is_removed(&standing, "b") && is_removed(&standing, "b of an older revision"));
        let back = [&ledger[..], &[row(5, "b")]].concat();
        let standing = Standing::of(&back);
        assert_eq!(ids(&standing, &ledger[1]), [5], "a removed granule can be brought back");
        assert!(!is_removed(&standing, "b"));
        // Another revision that stands says nothing of the one that was removed.
        let other = [&ledger[..], &[LedgerRow { granule: "b2".to_owned(), ..row(5, "b") }]].concat();
        let standing = Standing::of(&other);
        assert!(is_removed(&standing, "b") && !is_removed(&standing, "b2"));
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
        let left = LedgerRow { stage: Some(isdb_schema::ledger::CARRIED.to_owned()), ..row(4, "b") };
        let with_rest = [&ledger[..], &[left]].concat();
        assert_eq!(Standing::of(&with_rest).pin().unwrap().release.as_deref(), Some("007"), "what is left of 006");
    }
}
