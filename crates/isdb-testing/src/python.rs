//! Python with the packages of the independent checks.

use std::process::Command;

use crate::skip::skip;

/// A command for Python with h5py, numpy, pyarrow and TileDB-Py, which `make test` installs; `None`, counted as a skipped test, without
/// them.
#[must_use]
pub fn python() -> Option<Command> {
    let Some(packages) = std::env::var_os("ISDB_TEST_PYTHON_PACKAGES") else {
        skip(
            "no Python packages",
            "ISDB_TEST_PYTHON_PACKAGES, the folder with h5py and TileDB-Py that make test installs",
        );
        return None;
    };
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(python)
}
