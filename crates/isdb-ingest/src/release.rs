//! One release in one database. A granule of another one is refused before anything is written, unless releases are replaced;
//! then those of a window are replaced together or not at all.

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

/// Whether the granules of a window go in together or not at all: when one of them replaces another release, so that the two
/// are not mixed more than they have to.
pub(crate) fn is_all_or_nothing(window: &[Attempt]) -> bool {
    window.iter().any(|attempt| attempt.taking.is_other_release)
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
}
