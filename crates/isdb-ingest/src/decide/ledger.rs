//! The ledger of a run: read once, extended by the rows of each window that the run commits. It finds the current attempts
//! of a granule, the files that failed, and the granules removed on purpose.

use std::collections::HashMap;

use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::decide::rank::Rank;
use crate::decide::stored_attempt::{SharedSelections, StoredAttempt};
use crate::find::granule_key::GranuleKey;

/// The attempts of a ledger. An attempt is current if it succeeded and no other has replaced or removed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Every attempt, by ascending id. The other fields hold positions in this list.
    attempts: Vec<StoredAttempt>,
    selections: SharedSelections,
    /// The attempt that replaced each attempt.
    successors: HashMap<Id, usize>,
    /// The current attempts at each granule.
    granules: HashMap<GranuleKey, Vec<usize>>,
    /// Removals that no later ingest undid.
    removed: HashMap<GranuleKey, Vec<usize>>,
    /// The newest attempt at each file, if it failed.
    failed: HashMap<Box<str>, usize>,
    /// The current attempts at extracts that have segments.
    extracts: Vec<usize>,
}

impl Ledger {
    /// Creates the ledger of `rows`, whose ids ascend.
    pub(crate) fn new(rows: impl IntoIterator<Item = LedgerRow>) -> Ledger {
        let mut ledger = Ledger::default();
        rows.into_iter().for_each(|row| ledger.add(row));
        ledger
    }

    /// Adds the row of an attempt that is newer than all others.
    pub(crate) fn add(&mut self, row: LedgerRow) {
        let attempt = StoredAttempt::new(row, &mut self.selections);
        let position = self.attempts.len();
        match attempt.state {
            GranuleState::Removed => self.removed.entry(attempt.key.clone()).or_default().push(position),
            GranuleState::Failed => {
                self.failed.insert(attempt.source.clone(), position);
            }
            GranuleState::Ingested | GranuleState::Empty => {
                self.failed.remove(&attempt.source);
                if let Some(removed) = self.removed.get_mut(&attempt.key) {
                    removed.retain(|removed| self.attempts[*removed].granule != attempt.granule);
                }
                self.granules.entry(attempt.key.clone()).or_default().push(position);
                if attempt.key.is_extract() && attempt.rows_kept > 0 {
                    self.extracts.push(position);
                }
            }
        }
        for replaced in &attempt.replaces {
            self.successors.insert(*replaced, position);
            let Ok(replaced) = self.position(*replaced) else { continue };
            let attempt = &mut self.attempts[replaced];
            attempt.part = None;
            if let Some(current) = self.granules.get_mut(&attempt.key) {
                current.retain(|current| *current != replaced);
            }
            if attempt.key.is_extract() {
                self.extracts.retain(|current| *current != replaced);
            }
        }
        self.attempts.push(attempt);
    }

    fn position(&self, id: Id) -> Result<usize, usize> {
        self.attempts.binary_search_by_key(&id, |attempt| attempt.ingest_id)
    }

    /// Returns every attempt, by ascending id.
    pub(crate) fn attempts(&self) -> &[StoredAttempt] {
        &self.attempts
    }

    /// Returns the attempt `id`.
    pub(crate) fn get(&self, id: Id) -> Option<&StoredAttempt> {
        self.attempts.get(self.position(id).ok()?)
    }

    /// Returns the attempt that replaced or removed the attempt `id`.
    pub(crate) fn successor(&self, id: Id) -> Option<&StoredAttempt> {
        self.attempts.get(*self.successors.get(&id)?)
    }

    /// Whether the attempt `id` is current.
    pub(crate) fn is_current(&self, id: Id) -> bool {
        !self.successors.contains_key(&id) && self.get(id).is_some_and(|attempt| attempt.state.is_done())
    }

    /// Returns the current attempts, by ascending id.
    pub(crate) fn current(&self) -> impl DoubleEndedIterator<Item = &StoredAttempt> {
        self.attempts
            .iter()
            .filter(|attempt| attempt.state.is_done() && !self.successors.contains_key(&attempt.ingest_id))
    }

    /// Returns the current attempts at extracts (files that do not name their granule) that have segments.
    pub(crate) fn extracts(&self) -> impl Iterator<Item = &StoredAttempt> {
        self.extracts.iter().map(|position| &self.attempts[*position])
    }

    /// Returns the current attempts at the granule `key`, in the order of their ids: one for the whole granule, or one
    /// for each subset.
    pub(crate) fn of_granule(&self, key: &GranuleKey) -> Vec<&StoredAttempt> {
        self.granules.get(key).into_iter().flatten().map(|position| &self.attempts[*position]).collect()
    }

    /// Whether the granule `id` with this `key` and `rank` was removed on purpose and not ingested again. If no attempt
    /// at `key` is current, the removal of a newer revision or release counts as well.
    pub(crate) fn is_removed(&self, key: &GranuleKey, id: &str, rank: Rank) -> bool {
        let mut removed = self.removed.get(key).into_iter().flatten().map(|position| &self.attempts[*position]);
        let is_empty = self.granules.get(key).is_none_or(Vec::is_empty);
        removed.any(|removed| (is_empty || *removed.granule == *id) && rank <= removed.rank)
    }

    /// Returns the newest attempt at the file `source`, if it failed.
    pub(crate) fn failed(&self, source: &str) -> Option<&StoredAttempt> {
        self.failed.get(source).map(|position| &self.attempts[*position])
    }

    /// Returns the newest current attempt with a release, which is the release of the database. Carried segments of an older
    /// release do not make that release the database's.
    pub(crate) fn newest_with_release(&self) -> Option<&StoredAttempt> {
        self.current().rev().find(|attempt| attempt.rank.release.is_some() && !attempt.is_carried)
    }

    /// Whether the database has any segment.
    pub(crate) fn has_segments(&self) -> bool {
        self.current().any(|attempt| attempt.rows_kept > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn ids(ledger: &Ledger, granule: &LedgerRow) -> Vec<i64> {
        ledger.of_granule(&GranuleKey::from_row(granule)).iter().map(|attempt| attempt.ingest_id.0).collect()
    }

    /// Returns the ledger of `rows` and `more`.
    fn ledger(rows: &[LedgerRow], more: &[LedgerRow]) -> Ledger {
        Ledger::new(rows.iter().chain(more).cloned())
    }

    #[test]
    fn replaced_and_removed_attempts_are_not_current() {
        let mut rows = vec![row(1, "a"), row(2, "b"), row(3, "a"), row(4, "b")];
        rows[2].replaces = vec![Id(1)];
        rows[3].state = GranuleState::Removed;
        rows[3].replaces = vec![Id(2)];
        let removed = ledger(&rows, &[]);
        assert_eq!(ids(&removed, &rows[0]), [3]);
        assert_eq!(ids(&removed, &rows[1]), [0_i64; 0]);
        let is_removed = |ledger: &Ledger, id: &str| {
            ledger.is_removed(&GranuleKey::from_row(&rows[1]), id, Rank::from_row(&rows[1]))
        };
        assert!(is_removed(&removed, "b") && is_removed(&removed, "b of an older revision"));
        let back = ledger(&rows, &[row(5, "b")]);
        assert_eq!(ids(&back, &rows[1]), [5], "a removed granule can be brought back");
        assert!(!is_removed(&back, "b"));
        // Another stored revision does not bring the removed one back.
        let other = ledger(&rows, &[LedgerRow { granule: "b2".to_owned(), ..row(5, "b") }]);
        assert!(is_removed(&other, "b") && !is_removed(&other, "b2"));
    }

    #[test]
    fn a_failure_replaces_nothing_and_counts_until_its_file_succeeds() {
        let mut rows = vec![row(1, "a"), row(2, "a")];
        rows[1].state = GranuleState::Failed;
        let failed = ledger(&rows, &[]);
        assert_eq!(ids(&failed, &rows[0]), [1]);
        assert!(failed.failed(&rows[0].source).is_some());
        assert!(ledger(&rows, &[row(3, "a")]).failed(&rows[0].source).is_none());
    }

    #[test]
    fn the_release_of_the_database_changes_when_an_attempt_of_another_release_replaces_one() {
        let mut rows = vec![row(1, "a"), row(2, "b"), row(3, "a")];
        let release = |ledger: Ledger| ledger.newest_with_release().unwrap().rank.release;
        assert_eq!(release(ledger(&rows[..2], &[])), Some(6));
        rows[2].release = Some("007".to_owned());
        rows[2].replaces = vec![Id(1)];
        assert_eq!(release(ledger(&rows, &[])), Some(7));
        let carried = LedgerRow { stage: Some(isdb_schema::ledger::CARRIED.to_owned()), ..row(4, "b") };
        assert_eq!(release(ledger(&rows, &[carried])), Some(7), "a carried attempt of release 006 does not count");
    }

    #[test]
    fn a_ledger_that_grows_row_by_row_has_the_same_current_attempts_as_one_that_is_read_again() {
        let extract = |id: i64, replaces: &[i64]| LedgerRow {
            rgt: None,
            granule: format!("x-0123456789abcde{id}"),
            replaces: replaces.iter().copied().map(Id).collect(),
            ..row(id, "x")
        };
        let rows = [
            row(1, "a"),
            extract(2, &[]),
            extract(3, &[]),
            LedgerRow { state: GranuleState::Failed, ..row(4, "b") },
            LedgerRow { replaces: vec![Id(1)], ..row(5, "a") },
            LedgerRow { state: GranuleState::Removed, ..extract(6, &[2]) },
            row(7, "b"),
        ];
        let mut growing = Ledger::default();
        for (index, row) in rows.iter().enumerate() {
            growing.add(row.clone());
            let so_far = &rows[..=index];
            let expected: Vec<Id> = isdb_store::current_attempts(so_far).map(|row| row.ingest_id).collect();
            assert_eq!(growing.current().map(|attempt| attempt.ingest_id).collect::<Vec<_>>(), expected);
            let of_granules =
                so_far.iter().flat_map(|row| ids(&growing, row)).collect::<std::collections::BTreeSet<_>>();
            assert_eq!(of_granules, expected.iter().map(|id| id.0).collect());
        }
        assert_eq!(growing.extracts().map(|attempt| attempt.ingest_id.0).collect::<Vec<_>>(), [3]);
        assert_eq!(growing.successor(Id(2)).map(|attempt| attempt.ingest_id), Some(Id(6)));
        assert!(
            growing.get(Id(2)).is_some_and(|replaced| replaced.part.is_none()),
            "its segments are not carried any more"
        );
    }
}
