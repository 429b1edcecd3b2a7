//! Which candidates are ingested: not what is in the database already, and not what would be in it twice. Replacing is not
//! built yet, so another revision or another subset of a granule is refused aloud instead of being stored beside the first.

use std::collections::HashMap;

use isdb_store::LedgerRow;

use crate::identify::Candidate;
use crate::report::{Failure, Report};

/// What is known of a granule that is in the database, or about to be.
struct Known {
    granule: String,
    is_subset: bool,
    size_bytes: u64,
}

/// The candidates to ingest; the others are counted or told in `report`.
pub(crate) fn select(mut candidates: Vec<Candidate>, ledger: &[LedgerRow], report: &mut Report) -> Vec<Candidate> {
    let mut known: HashMap<String, Known> = HashMap::new();
    for row in ledger.iter().filter(|row| row.state.is_done()) {
        let size_bytes = u64::try_from(row.size_bytes).unwrap_or(0);
        let entry = Known { granule: row.granule.clone(), is_subset: row.subset == Some(true), size_bytes };
        known.insert(track(&row.granule).to_owned(), entry);
    }
    // The highest release and revision of a granule comes first, and so is the one that is taken.
    candidates.sort_by_cached_key(|candidate| std::cmp::Reverse(candidate.granule()));
    let mut selected = Vec::new();
    for candidate in candidates {
        // A file that cannot be read has a name only, which says nothing of what is in the database.
        let Ok(identity) = &candidate.identity else {
            selected.push(candidate);
            continue;
        };
        let granule = candidate.granule();
        let entry = Known { granule: granule.clone(), is_subset: identity.subset, size_bytes: candidate.size_bytes };
        match known.get(track(&granule)) {
            None => {
                known.insert(track(&granule).to_owned(), entry);
                selected.push(candidate);
            }
            Some(other) if other.granule != granule => {
                let error = format!("{}: {} of the same pass is taken already", path(&candidate), other.granule);
                report.failed.push(Failure { path: candidate.path, error });
            }
            Some(other) if (other.is_subset || entry.is_subset) && other.size_bytes != entry.size_bytes => {
                let error = format!("{}: another subset of {granule} is taken already", path(&candidate));
                report.failed.push(Failure { path: candidate.path, error });
            }
            Some(_) => report.skipped += 1,
        }
    }
    selected
}

/// A granule's id without release and revision: `ATL08_20200821122613_08730802`.
fn track(granule: &str) -> &str {
    let mut parts = granule.rsplitn(3, '_');
    let (revision, release) = (parts.next(), parts.next());
    let is_number = |part: Option<&str>, digits| {
        part.is_some_and(|part: &str| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
    };
    match parts.next() {
        Some(track) if is_number(revision, 2) && is_number(release, 3) => track,
        _ => granule,
    }
}

fn path(candidate: &Candidate) -> std::path::Display<'_> {
    candidate.path.display()
}

#[cfg(test)]
mod tests {
    use isdb_datafusion::GranuleIdentity;

    use super::*;

    fn candidate(id: &str, subset: bool, size_bytes: u64) -> Candidate {
        let identity = GranuleIdentity { id: id.to_owned(), subset, ..GranuleIdentity::default() };
        Candidate { path: format!("{id}-{size_bytes}.h5").into(), size_bytes, identity: Ok(identity) }
    }

    fn run(candidates: Vec<Candidate>) -> (Vec<String>, usize, usize) {
        let mut report = Report::default();
        let selected = select(candidates, &[], &mut report);
        let names = selected.iter().map(|candidate| candidate.path.display().to_string()).collect();
        (names, report.skipped, report.failed.len())
    }

    const PASS: &str = "ATL08_20200821122613_08730802";

    #[test]
    fn a_copy_is_skipped_without_a_word_of_failure() {
        let id = format!("{PASS}_006_01");
        let (selected, skipped, failed) = run(vec![candidate(&id, false, 5), candidate(&id, false, 5)]);
        assert_eq!((selected.len(), skipped, failed), (1, 1, 0));
    }

    #[test]
    fn of_two_revisions_the_newer_is_taken_and_the_older_is_told() {
        let older = candidate(&format!("{PASS}_006_01"), false, 5);
        let newer = candidate(&format!("{PASS}_006_02"), false, 5);
        let (selected, skipped, failed) = run(vec![older, newer]);
        assert_eq!((selected, skipped, failed), (vec![format!("{PASS}_006_02-5.h5")], 0, 1));
    }

    #[test]
    fn another_subset_of_a_granule_is_told_and_not_taken_for_a_copy() {
        let id = format!("{PASS}_006_01");
        let (selected, skipped, failed) = run(vec![candidate(&id, true, 5), candidate(&id, true, 6)]);
        assert_eq!((selected.len(), skipped, failed), (1, 0, 1));
    }

    #[test]
    fn a_name_that_is_no_granule_s_stands_for_itself() {
        assert_eq!(track("clip_of_mine_01"), "clip_of_mine_01");
        assert_eq!(track(&format!("{PASS}_006_02")), PASS);
    }
}
