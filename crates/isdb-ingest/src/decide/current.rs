//! The ledger as of one commit: the current attempts of each granule, the files that failed, and the granules removed
//! on purpose.

use std::collections::HashMap;

use isdb_schema::ledger::GranuleState;
use isdb_store::{LedgerRow, current_attempts};

use crate::decide::rank::Rank;
use crate::find::granule_key::GranuleKey;

/// The attempts of a ledger that matter for a decision. An attempt is current if it succeeded and no other has replaced
/// or removed it.
pub(crate) struct CurrentAttempts<'a> {
    granules: HashMap<GranuleKey, Vec<&'a LedgerRow>>,
    removed: HashMap<GranuleKey, Vec<&'a LedgerRow>>,
    failed: HashMap<&'a str, &'a LedgerRow>,
    newest_with_release: Option<&'a LedgerRow>,
    extracts: Vec<&'a LedgerRow>,
}

impl<'a> CurrentAttempts<'a> {
    /// Reads `ledger`, whose rows are in the order of ids.
    pub(crate) fn new(ledger: &'a [LedgerRow]) -> CurrentAttempts<'a> {
        let mut removed: HashMap<GranuleKey, Vec<&LedgerRow>> = HashMap::new();
        let mut failed: HashMap<&str, &LedgerRow> = HashMap::new();
        for row in ledger {
            match row.state {
                GranuleState::Removed => removed.entry(GranuleKey::from_row(row)).or_default().push(row),
                GranuleState::Failed => {
                    failed.insert(&row.source, row);
                }
                GranuleState::Ingested | GranuleState::Empty => {
                    failed.remove(row.source.as_str());
                    if let Some(removed) = removed.get_mut(&GranuleKey::from_row(row)) {
                        removed.retain(|removed| removed.granule != row.granule);
                    }
                }
            }
        }
        let mut granules: HashMap<GranuleKey, Vec<&LedgerRow>> = HashMap::new();
        let (mut extracts, mut newest_with_release) = (Vec::new(), None);
        for row in current_attempts(ledger) {
            let key = GranuleKey::from_row(row);
            if key.is_extract() && row.rows_kept > 0 {
                extracts.push(row);
            }
            granules.entry(key).or_default().push(row);
            // Carried rows of an older release do not make that release the database's.
            if row.release.is_some() && !row.is_carried() {
                newest_with_release = Some(row);
            }
        }
        CurrentAttempts { granules, removed, failed, newest_with_release, extracts }
    }

    /// Returns the current attempts at extracts (files that do not name their granule) that have segments.
    pub(crate) fn extracts(&self) -> &[&'a LedgerRow] {
        &self.extracts
    }

    /// Returns the current attempts at the granule `key`, in the order of their ids: one for the whole granule, or one
    /// for each subset.
    pub(crate) fn of_granule(&self, key: &GranuleKey) -> &[&'a LedgerRow] {
        self.granules.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether the granule `id` with this `key` and `rank` was removed on purpose and not ingested again. If no attempt
    /// at `key` is current, the removal of a newer revision or release counts as well.
    pub(crate) fn is_removed(&self, key: &GranuleKey, id: &str, rank: Rank) -> bool {
        let removed = self.removed.get(key).map_or(&[][..], Vec::as_slice);
        let is_empty = self.of_granule(key).is_empty();
        removed.iter().any(|row| (is_empty || row.granule == id) && rank <= Rank::from_row(row))
    }

    /// Returns the newest attempt at the file `source`, if it failed.
    pub(crate) fn failed(&self, source: &str) -> Option<&'a LedgerRow> {
        self.failed.get(source).copied()
    }

    /// Returns all current attempts.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &'a LedgerRow> {
        self.granules.values().flatten().copied()
    }

    /// Returns the newest current attempt with a release, which is the release of the database.
    pub(crate) fn newest_with_release(&self) -> Option<&'a LedgerRow> {
        self.newest_with_release
    }

    /// Whether the database has any segment.
    pub(crate) fn has_segments(&self) -> bool {
        self.rows().any(|row| row.rows_kept > 0)
    }
}

#[cfg(test)]
mod tests {
    use isdb_store::Id;

    use super::*;
    use crate::testing::row;

    fn ids(current: &CurrentAttempts<'_>, granule: &LedgerRow) -> Vec<i64> {
        current.of_granule(&GranuleKey::from_row(granule)).iter().map(|row| row.ingest_id.0).collect()
    }

    #[test]
    fn replaced_and_removed_attempts_are_not_current() {
        let mut ledger = vec![row(1, "a"), row(2, "b"), row(3, "a"), row(4, "b")];
        ledger[2].replaces = vec![Id(1)];
        ledger[3].state = GranuleState::Removed;
        ledger[3].replaces = vec![Id(2)];
        let current = CurrentAttempts::new(&ledger);
        assert_eq!(ids(&current, &ledger[0]), [3]);
        assert_eq!(ids(&current, &ledger[1]), [0_i64; 0]);
        let is_removed = |current: &CurrentAttempts<'_>, id: &str| {
            current.is_removed(&GranuleKey::from_row(&ledger[1]), id, Rank::from_row(&ledger[1]))
        };
        assert!(is_removed(&current, "b") && is_removed(&current, "b of an older revision"));
        let back = [&ledger[..], &[row(5, "b")]].concat();
        let current = CurrentAttempts::new(&back);
        assert_eq!(ids(&current, &ledger[1]), [5], "a removed granule can be brought back");
        assert!(!is_removed(&current, "b"));
        // Another stored revision does not bring the removed one back.
        let other = [&ledger[..], &[LedgerRow { granule: "b2".to_owned(), ..row(5, "b") }]].concat();
        let current = CurrentAttempts::new(&other);
        assert!(is_removed(&current, "b") && !is_removed(&current, "b2"));
    }

    #[test]
    fn a_failure_replaces_nothing_and_counts_until_its_file_succeeds() {
        let mut ledger = vec![row(1, "a"), row(2, "a")];
        ledger[1].state = GranuleState::Failed;
        ledger[1].replaces = vec![Id(2)];
        let current = CurrentAttempts::new(&ledger);
        assert_eq!(ids(&current, &ledger[0]), [1]);
        assert!(current.failed(&ledger[0].source).is_some());
        ledger.push(row(3, "a"));
        assert!(CurrentAttempts::new(&ledger).failed(&ledger[0].source).is_none());
    }

    #[test]
    fn the_release_of_the_database_changes_when_an_attempt_of_another_release_replaces_one() {
        let mut ledger = vec![row(1, "a"), row(2, "b"), row(3, "a")];
        assert_eq!(CurrentAttempts::new(&ledger[..2]).newest_with_release().unwrap().release.as_deref(), Some("006"));
        ledger[2].release = Some("007".to_owned());
        ledger[2].replaces = vec![Id(1)];
        assert_eq!(CurrentAttempts::new(&ledger).newest_with_release().unwrap().release.as_deref(), Some("007"));
        let carried = LedgerRow { stage: Some(isdb_schema::ledger::CARRIED.to_owned()), ..row(4, "b") };
        let with_carried = [&ledger[..], &[carried]].concat();
        assert_eq!(
            CurrentAttempts::new(&with_carried).newest_with_release().unwrap().release.as_deref(),
            Some("007"),
            "a carried attempt of release 006 does not count"
        );
    }
}
