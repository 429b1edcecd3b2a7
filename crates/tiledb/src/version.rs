//! The version of libtiledb that this crate supports.

use tiledb_sys as sys;

use crate::error::{Error, Result};

/// Major and minor version of libtiledb. The safety of reads and writes relies on the behaviour of this version's queries: which
/// buffers a query still refers to after a submit, for example. Newer versions have to be reviewed first.
pub(crate) const EXPECTED: (i32, i32) = (2, 30);

/// Checks the version of the libtiledb that this program has loaded.
///
/// # Errors
/// [`Error::Version`] for any version other than [`EXPECTED`].
pub(crate) fn check_loaded() -> Result<()> {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: three valid out pointers.
    unsafe { sys::tiledb_version(&mut major, &mut minor, &mut patch) };
    check(major, minor, patch)
}

fn check(major: i32, minor: i32, patch: i32) -> Result<()> {
    if (major, minor) == EXPECTED {
        return Ok(());
    }
    Err(Error::Version {
        expected: format!("{}.{}", EXPECTED.0, EXPECTED.1),
        found: format!("{major}.{minor}.{patch}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_versions_are_accepted_and_other_versions_are_refused() {
        assert!(check(2, 30, 0).is_ok() && check(2, 30, 7).is_ok());
        for (major, minor, patch) in [(2, 29, 2), (2, 31, 0), (3, 30, 0)] {
            let message = check(major, minor, patch).unwrap_err().to_string();
            assert!(message.starts_with("expected libtiledb 2.30, found "), "{message}");
            assert!(message.contains(&format!("{major}.{minor}.{patch}")), "{message}");
        }
    }

    #[test]
    fn the_linked_library_has_the_expected_version() {
        check_loaded().unwrap();
    }
}
