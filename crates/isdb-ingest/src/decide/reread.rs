//! Files that have to be read again. Subsets of one granule store each segment once: a segment that one of them left to
//! another attempt has to be restored from its file when that attempt is replaced or removed.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use isdb_store::Id;

use crate::decide::ledger::Ledger;
use crate::decide::stored_attempt::StoredAttempt;
use crate::find::candidate::Candidate;
use crate::find::granule_key::GranuleKey;
use crate::find::identify::identify_file;
use crate::find::stage::REREAD;

/// Returns the current attempts that left segments to attempts which no longer have them.
pub(crate) fn attempts_to_reread(ledger: &Ledger) -> BTreeSet<Id> {
    let has_lost_segments = |attempt: &&StoredAttempt| {
        let mut seen = HashSet::from([attempt.ingest_id]);
        attempt.stored_by.iter().any(|id| has_lost(ledger, *id, &mut seen))
    };
    ledger.current().filter(has_lost_segments).map(|attempt| attempt.ingest_id).collect()
}

/// Whether segments that the attempt `id` had may no longer be in the database. `seen` stops loops between attempts that
/// left segments to each other.
fn has_lost(ledger: &Ledger, id: Id, seen: &mut HashSet<Id>) -> bool {
    if !seen.insert(id) {
        return false;
    }
    let Some(attempt) = ledger.get(id) else { return false };
    match ledger.successor(id) {
        None => false,
        Some(successor) if has_all_segments(successor, attempt) => {
            // The segments that the successor left to others.
            has_lost(ledger, successor.ingest_id, seen)
                || successor.stored_by.iter().any(|id| has_lost(ledger, *id, seen))
        }
        Some(_) => true,
    }
}

/// Whether `successor` has, or left to other attempts, every segment that `row` had, apart from what other filters
/// remove.
fn has_all_segments(successor: &StoredAttempt, row: &StoredAttempt) -> bool {
    let is_whole = !successor.is_subset && successor.selection.area.is_none();
    let is_same_file =
        successor.source == row.source && successor.checksum.is_some() && successor.checksum == row.checksum;
    successor.state.is_done() && (successor.is_carried || is_whole || is_same_file)
}

/// Returns the files of the attempts `rows`, without files that are candidates already.
pub(crate) fn files_to_reread<'a>(
    rows: impl IntoIterator<Item = &'a StoredAttempt>,
    candidates: &[Candidate],
) -> Vec<Candidate> {
    let known: HashSet<String> = candidates.iter().map(Candidate::source).collect();
    rows.into_iter().filter(|row| !known.contains(&*row.source)).map(file_to_reread).collect()
}

/// Returns the file that the attempt `row` read, as it is now. If it does not exist or has other content, the candidate
/// has failed.
fn file_to_reread(row: &StoredAttempt) -> Candidate {
    let path = Path::new(&*row.source);
    let lost = match row.rows_already_stored {
        0 => "segments that a repair dropped".to_owned(),
        left_out => format!("{left_out} of its segments, which another file of the granule had,"),
    };
    let failed = |reason: &str| {
        let error = format!("{}: {reason}, and {lost} may be missing from the database", row.source);
        let origin = row.source.contains("://").then(|| row.source.to_string());
        Candidate { stage: REREAD, origin, ..Candidate::new(path.to_owned(), Err(error)) }
    };
    let candidate = match path.try_exists() {
        // A URL, not a path.
        _ if row.source.contains("://") => {
            failed("it came from an archive and has to be requested to be downloaded again")
        }
        Ok(false) => failed("it is no longer there"),
        // It exists, or that cannot be determined and reading it will report why.
        Ok(true) | Err(_) => match identify_file(path.to_owned()) {
            found if found.identity.as_ref().is_ok_and(|it| GranuleKey::from_identity(it) != row.key) => {
                let (size_bytes, modified_at) = (found.size_bytes, found.modified_at);
                Candidate { size_bytes, modified_at, ..failed("it has other content now") }
            }
            found => found,
        },
    };
    Candidate { is_reread: true, ..candidate }
}

#[cfg(test)]
mod tests {
    use isdb_schema::ledger::{ALREADY_STORED, CARRIED, GranuleState, Removed};

    use isdb_store::LedgerRow;

    use super::*;
    use crate::decide::stored_attempt::SharedSelections;
    use crate::testing::row;

    /// Returns a subset in the file `name` that left segments to the attempts `stored_by`.
    fn subset(id: i64, name: &str, stored_by: &[i64]) -> LedgerRow {
        let removed = Removed {
            filter: ALREADY_STORED.to_owned(),
            removed: 1,
            stored_by: stored_by.to_vec(),
            ..Removed::default()
        };
        LedgerRow {
            source: format!("/data/{name}"),
            subset: Some(true),
            checksum: Some(format!("xxh64:{name}")),
            removed_by: if stored_by.is_empty() { Vec::new() } else { vec![removed] },
            ..row(id, "a")
        }
    }

    fn replacing(replaced: &[i64], row: LedgerRow) -> LedgerRow {
        LedgerRow { replaces: replaced.iter().map(|id| Id(*id)).collect(), ..row }
    }

    fn reread_ids(ledger: &[LedgerRow]) -> Vec<i64> {
        attempts_to_reread(&Ledger::new(ledger.iter().cloned())).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn a_file_is_read_again_once_the_attempt_that_had_its_segments_is_replaced_or_removed() {
        let ledger = [subset(1, "a.h5", &[]), subset(2, "b.h5", &[1])];
        assert!(reread_ids(&ledger).is_empty());
        let changed = replacing(&[1], LedgerRow { checksum: Some("xxh64:new".into()), ..subset(3, "a.h5", &[]) });
        assert_eq!(reread_ids(&[&ledger[..], std::slice::from_ref(&changed)].concat()), [2]);
        let removed = replacing(&[1], LedgerRow { state: GranuleState::Removed, ..subset(3, "a.h5", &[]) });
        assert_eq!(reread_ids(&[&ledger[..], &[removed]].concat()), [2]);
        // A file that was read again does not have to be read a second time.
        let again = replacing(&[2], subset(4, "b.h5", &[3]));
        assert!(reread_ids(&[&ledger[..], &[changed, again]].concat()).is_empty());
        let failed = LedgerRow { state: GranuleState::Failed, ..subset(3, "a.h5", &[]) };
        assert!(reread_ids(&[&ledger[..], &[failed]].concat()).is_empty(), "nothing was replaced");
    }

    #[test]
    fn no_file_is_read_again_while_a_successor_has_its_segments() {
        let ledger = [subset(1, "a.h5", &[]), subset(2, "b.h5", &[1])];
        let with = |more: &[LedgerRow]| reread_ids(&[&ledger[..], more].concat());
        assert!(with(&[replacing(&[1], subset(3, "a.h5", &[]))]).is_empty(), "the same file, for more variables");
        assert!(with(&[replacing(&[1, 2], row(3, "a"))]).is_empty(), "the whole granule");
        // c.h5 replaces some of a.h5, whose other segments stay.
        let part = [
            subset(3, "c.h5", &[]),
            replacing(&[1], LedgerRow { stage: Some(CARRIED.to_owned()), ..subset(4, "a.h5", &[3]) }),
        ];
        assert!(with(&part).is_empty());
        // When c.h5 is removed, both may have left segments to it.
        let removed = replacing(&[3], LedgerRow { state: GranuleState::Removed, ..subset(5, "c.h5", &[]) });
        assert_eq!(with(&[&part[..], &[removed]].concat()), [2, 4]);
    }

    #[test]
    fn two_attempts_that_left_segments_to_each_other_cause_no_endless_loop() {
        let ledger = [subset(1, "a.h5", &[2]), subset(2, "b.h5", &[1])];
        assert!(reread_ids(&ledger).is_empty());
    }

    #[test]
    fn a_missing_file_fails_and_a_file_of_the_request_is_not_read_twice() {
        let row = LedgerRow { source: "/no/such/folder/b.h5".to_owned(), ..subset(2, "b.h5", &[1]) };
        let row = StoredAttempt::new(row, &mut SharedSelections::default());
        let found = files_to_reread([&row], &[]);
        let [gone] = &found[..] else { panic!("{found:?}") };
        assert_eq!((gone.stage, gone.is_reread), (REREAD, true));
        assert!(gone.identity.as_ref().unwrap_err().contains("1 of its segments"));
        let known = Candidate::new("/no/such/folder/b.h5".into(), Err(String::new()));
        assert!(files_to_reread([&row], &[known]).is_empty());
    }
}
