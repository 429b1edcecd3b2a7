//! One release in one database. A granule of another one is refused before anything is written, unless releases are replaced;
//! then those of a window are replaced together or not at all.

use isdb_schema::ledger::GranuleState;
use isdb_store::LedgerRow;

use crate::error::{Error, Result};
use crate::identify::Candidate;
use crate::select::Attempt;
use crate::standing::Standing;

/// Checks that `candidates` are of the release that the database is pinned to, and of one release while it is empty. A file
/// that does not tell its release fits.
///
/// # Errors
/// [`Error::OtherRelease`], which names both.
pub(crate) fn check_release(candidates: &[Candidate], standing: &Standing<'_>) -> Result<()> {
    let pin = standing.pin().and_then(|row| Some(("the database".to_owned(), row.release.as_deref()?.parse().ok()?)));
    let mut released = candidates.iter().filter_map(|candidate| {
        let release = candidate.identity.as_ref().ok()?.release?;
        Some((candidate.granule(), release))
    });
    let Some((other, pinned)) = pin.or_else(|| released.next()) else { return Ok(()) };
    match released.find(|(_, release)| *release != pinned) {
        None => Ok(()),
        Some((granule, release)) => Err(Error::OtherRelease { granule, release, other, pinned }),
    }
}

/// Takes back the replacements of another release in a window of which a granule failed: they end as failed, and the rows that
/// they wrote already are replaced by nothing. `rows` are those of `attempts`, in the same order.
pub(crate) fn hold_back(rows: &mut [LedgerRow], attempts: &[Attempt]) {
    let Some(failed) = rows.iter().find(|row| row.state == GranuleState::Failed).map(|row| row.granule.clone()) else {
        return;
    };
    for (row, attempt) in rows.iter_mut().zip(attempts) {
        if attempt.taking.is_other_release && row.state.is_done() {
            let error = format!("the other release stays, since {failed} in the same window failed");
            *row = LedgerRow {
                rows_read: 0,
                rows_kept: 0,
                rows_rejected: 0,
                rows_removed: 0,
                removed_by: Vec::new(),
                beams_read: 0,
                beams_empty: 0,
                beams_missing: 0,
                // Its own rows are in the window's fragments and must not be seen.
                replaces: if row.rows_kept > 0 { vec![row.ingest_id] } else { Vec::new() },
                state: GranuleState::Failed,
                stage: Some("window".to_owned()),
                error: Some(error),
                ..row.clone()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use isdb_store::Id;

    use super::*;
    use crate::testing::{candidate, row};
    use crate::verdict::Taking;

    fn of_release(name: &str, release: u16) -> Candidate {
        let mut candidate = candidate(name);
        candidate.identity.as_mut().unwrap().release = Some(release);
        candidate
    }

    #[test]
    fn another_release_is_refused_and_both_are_named() {
        let (ledger, told) = ([row(1, "a")], |result: Result<()>| result.unwrap_err().to_string());
        let (stored, empty) = (Standing::of(&ledger), Standing::of(&[]));
        assert!(check_release(&[of_release("b", 6)], &stored).is_ok());
        assert_eq!(
            told(check_release(&[of_release("b", 7)], &stored)),
            "b is of release 007, and the database is of release 006"
        );
        let mixed = [of_release("a", 6), of_release("b", 7)];
        assert_eq!(told(check_release(&mixed, &empty)), "b is of release 007, and a is of release 006");
        let mut unknown = candidate("c");
        unknown.identity.as_mut().unwrap().release = None;
        assert!(check_release(&[unknown, of_release("b", 6)], &stored).is_ok());
    }

    #[test]
    fn replacements_of_a_release_go_together_or_not_at_all() {
        let attempt = |name: &str, is_other_release| Attempt {
            candidate: candidate(name),
            taking: Taking { is_other_release, replaces: vec![Id(1)], ..Taking::default() },
        };
        let attempts = [attempt("a", true), attempt("b", false), attempt("c", false)];
        let mut rows = [row(5, "a"), row(6, "b"), row(7, "c")];
        rows[0].replaces = vec![Id(1)];
        let before = rows.clone();
        hold_back(&mut rows, &attempts);
        assert_eq!(rows, before, "nothing failed");
        rows[2].state = GranuleState::Failed;
        hold_back(&mut rows, &attempts);
        assert_eq!((rows[0].state, &rows[0].replaces[..], rows[0].rows_kept), (GranuleState::Failed, &[Id(5)][..], 0));
        assert!(rows[0].error.as_ref().unwrap().contains("since c in the same window failed"));
        assert_eq!(rows[1], before[1], "a granule that is new goes in");
    }
}
