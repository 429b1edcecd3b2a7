//! Real granules and CMR replies, which are not in the repository.

use std::path::{Path, PathBuf};

use crate::skip::skip;

/// The folder of real data: `ISDB_TEST_DATA`, else `../shared/data` beside the checkout. The folder may not exist.
#[must_use]
pub fn data_folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("ISDB_TEST_DATA").map_or_else(default, PathBuf::from)
}

/// The file or folder `name` in [`data_folder`]; `None`, counted as a skipped test, if it does not exist.
#[must_use]
pub fn real(name: &str) -> Option<PathBuf> {
    existing(data_folder().join(name))
}

/// The file or folder `name` beside [`data_folder`]; `None`, counted as a skipped test, if it does not exist.
#[must_use]
pub fn beside_data(name: &str) -> Option<PathBuf> {
    existing(data_folder().join("..").join(name))
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    let found = path.canonicalize().ok();
    if found.is_none() {
        skip("no real data", &format!("{} (ISDB_TEST_DATA names the folder of real granules)", path.display()));
    }
    found
}
