//! Files that have to be read again: subsets of one granule store each segment once, so that what one of them left out comes
//! back from its file when the attempt that had it is replaced or removed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use isdb_store::{Id, LedgerRow};

use crate::identify::{Candidate, look};
use crate::key::Key;
use crate::standing::Standing;

/// The stage of a file that has to be read again and is gone.
pub(crate) const AGAIN: &str = "again";

/// The attempts that stand and left out segments which the attempts that had them have no more.
pub(crate) fn owed(ledger: &[LedgerRow], standing: &Standing<'_>) -> BTreeSet<Id> {
    let history = History::of(ledger);
    let is_owed = |row: &&LedgerRow| {
        let mut seen = HashSet::from([row.ingest_id]);
        row.stored_by().any(|holder| history.has_lost(holder, &mut seen))
    };
    standing.rows().filter(is_owed).map(|row| row.ingest_id).collect()
}

/// Which attempt took the place of which.
struct History<'a> {
    rows: HashMap<Id, &'a LedgerRow>,
    gone_by: HashMap<Id, &'a LedgerRow>,
}

impl<'a> History<'a> {
    fn of(ledger: &'a [LedgerRow]) -> History<'a> {
        let gone_by = ledger.iter().flat_map(|row| row.replaces.iter().map(move |id| (*id, row)));
        History { rows: ledger.iter().map(|row| (row.ingest_id, row)).collect(), gone_by: gone_by.collect() }
    }

    /// Whether segments that the attempt `id` had may be in the database no more.
    fn has_lost(&self, id: Id, seen: &mut HashSet<Id>) -> bool {
        if !seen.insert(id) {
            return false;
        }
        let Some(row) = self.rows.get(&id) else { return false };
        match self.gone_by.get(&id) {
            None => false,
            Some(heir) if inherits(heir, row) => {
                // What the heir left out, others have.
                self.has_lost(heir.ingest_id, seen) || heir.stored_by().any(|holder| self.has_lost(holder, seen))
            }
            Some(_) => true,
        }
    }
}

/// Whether `heir` has, or has left to others, every segment that `row` had, but for those that other filters remove.
fn inherits(heir: &LedgerRow, row: &LedgerRow) -> bool {
    let is_whole = heir.subset != Some(true) && heir.area.is_none();
    let is_same_file = heir.source == row.source && heir.checksum.is_some() && heir.checksum == row.checksum;
    heir.state.is_done() && (heir.is_carried() || is_whole || is_same_file)
}

/// The files of the attempts `owed`, but for those that `known` has already.
pub(crate) fn files<'a>(owed: impl IntoIterator<Item = &'a LedgerRow>, known: &[Candidate]) -> Vec<Candidate> {
    let known: HashSet<String> = known.iter().map(Candidate::source).collect();
    let unknown = owed.into_iter().filter(|row| !known.contains(&row.source));
    unknown.map(file).collect()
}

/// The file that the attempt `row` read, as it is now.
fn file(row: &LedgerRow) -> Candidate {
    let path = Path::new(&row.source);
    let left_out = row.rows_already_stored();
    let gone = |what: &str| {
        let error = format!(
            "{}: {what}, and {left_out} of its segments, which another file of the granule had, may be missing from the \
             database",
            row.source
        );
        let origin = row.source.contains("://").then(|| row.source.clone());
        Candidate { stage: AGAIN, origin, ..Candidate::new(path.to_owned(), Err(error)) }
    };
    let candidate = match path.try_exists() {
        // A URL is no path.
        _ if row.source.contains("://") => gone("it came from an archive and has to be named to be fetched again"),
        Ok(false) => gone("it is no longer there"),
        // It is there, or that is not known.
        Ok(true) | Err(_) => match look(path.to_owned()) {
            found if found.identity.as_ref().is_ok_and(|identity| Key::of(identity) != Key::of_row(row)) => {
                let what = gone("it holds something else now");
                Candidate { size_bytes: found.size_bytes, modified_at: found.modified_at, ..what }
            }
            found => found,
        },
    };
    Candidate { is_only_again: true, ..candidate }
}

#[cfg(test)]
mod tests {
    use isdb_schema::ledger::{ALREADY_STORED, CARRIED, GranuleState, Removed};

    use super::*;
    use crate::testing::row;

    /// A subset in the file `name`, whose segments some of `stored_by` have.
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

    fn owed_ids(ledger: &[LedgerRow]) -> Vec<i64> {
        owed(ledger, &Standing::of(ledger)).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn what_was_left_out_is_owed_when_the_attempt_that_had_it_is_replaced_or_removed_and_not_before() {
        let ledger = [subset(1, "a.h5", &[]), subset(2, "b.h5", &[1])];
        assert!(owed_ids(&ledger).is_empty());
        let changed = replacing(&[1], LedgerRow { checksum: Some("xxh64:new".into()), ..subset(3, "a.h5", &[]) });
        assert_eq!(owed_ids(&[&ledger[..], std::slice::from_ref(&changed)].concat()), [2]);
        let removed = replacing(&[1], LedgerRow { state: GranuleState::Removed, ..subset(3, "a.h5", &[]) });
        assert_eq!(owed_ids(&[&ledger[..], &[removed]].concat()), [2]);
        // Read again, it is owed no more.
        let again = replacing(&[2], subset(4, "b.h5", &[3]));
        assert!(owed_ids(&[&ledger[..], &[changed, again]].concat()).is_empty());
        let failed = LedgerRow { state: GranuleState::Failed, ..subset(3, "a.h5", &[]) };
        assert!(owed_ids(&[&ledger[..], &[failed]].concat()).is_empty(), "nothing was replaced");
    }

    #[test]
    fn nothing_is_owed_while_an_heir_has_it() {
        let ledger = [subset(1, "a.h5", &[]), subset(2, "b.h5", &[1])];
        let with = |more: &[LedgerRow]| owed_ids(&[&ledger[..], more].concat());
        assert!(with(&[replacing(&[1], subset(3, "a.h5", &[]))]).is_empty(), "the same file, for more variables");
        assert!(with(&[replacing(&[1, 2], row(3, "a"))]).is_empty(), "the whole granule");
        // c.h5 replaces some of a.h5, whose other segments stay.
        let part = [
            subset(3, "c.h5", &[]),
            replacing(&[1], LedgerRow { stage: Some(CARRIED.to_owned()), ..subset(4, "a.h5", &[3]) }),
        ];
        assert!(with(&part).is_empty());
        // When c.h5 goes, both may have lost segments to it.
        let removed = replacing(&[3], LedgerRow { state: GranuleState::Removed, ..subset(5, "c.h5", &[]) });
        assert_eq!(with(&[&part[..], &[removed]].concat()), [2, 4]);
    }

    #[test]
    fn attempts_that_left_each_other_something_are_no_endless_question() {
        let ledger = [subset(1, "a.h5", &[2]), subset(2, "b.h5", &[1])];
        assert!(owed_ids(&ledger).is_empty());
    }

    #[test]
    fn a_file_that_is_gone_fails_and_one_that_is_known_is_not_looked_at_twice() {
        let row = LedgerRow { source: "/no/such/folder/b.h5".to_owned(), ..subset(2, "b.h5", &[1]) };
        let found = files([&row], &[]);
        let [gone] = &found[..] else { panic!("{found:?}") };
        assert_eq!((gone.stage, gone.is_only_again), (AGAIN, true));
        assert!(gone.identity.as_ref().unwrap_err().contains("1 of its segments"));
        let known = Candidate::new("/no/such/folder/b.h5".into(), Err(String::new()));
        assert!(files([&row], &[known]).is_empty());
    }
}
