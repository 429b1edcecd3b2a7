//! One release in one database: a granule of another release is refused before anything is written, unless releases are
//! replaced.

use crate::decide::ledger::Ledger;
use crate::error::{Error, Result};
use crate::find::candidate::Candidate;

/// Checks that `candidates` are of the release of the database, or of one release if the database is empty. A file that
/// does not name its release is accepted.
///
/// # Errors
/// [`Error::OtherRelease`], which names both.
pub(crate) fn check_release(candidates: &[Candidate], ledger: &Ledger) -> Result<()> {
    let stored = ledger.newest_with_release().and_then(|newest| newest.rank.release);
    let pin = stored.map(|release| ("the database".to_owned(), release));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{candidate, row};

    fn of_release(name: &str, release: u16) -> Candidate {
        let mut candidate = candidate(name);
        candidate.identity.as_mut().unwrap().release = Some(release);
        candidate
    }

    #[test]
    fn another_release_is_refused_and_both_are_named() {
        let message = |result: Result<()>| result.unwrap_err().to_string();
        let (stored, empty) = (Ledger::new([row(1, "a")]), Ledger::default());
        assert!(check_release(&[of_release("b", 6)], &stored).is_ok());
        assert_eq!(
            message(check_release(&[of_release("b", 7)], &stored)),
            "b is of release 007, and the database is of release 006"
        );
        let mixed = [of_release("a", 6), of_release("b", 7)];
        assert_eq!(message(check_release(&mixed, &empty)), "b is of release 007, and a is of release 006");
        let mut unknown = candidate("c");
        unknown.identity.as_mut().unwrap().release = None;
        assert!(check_release(&[unknown, of_release("b", 6)], &stored).is_ok());
    }
}
