//! Runs the scripts of tests/python, which share no code with isdb.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// A Python that finds h5py, pyarrow and TileDB-Py, where `make test` has put them; None, said aloud, without them.
pub(crate) fn python() -> Option<Command> {
    let Some(packages) = std::env::var_os("ISDB_TEST_PYTHON_PACKAGES") else {
        eprintln!("skipped: ISDB_TEST_PYTHON_PACKAGES does not name h5py and TileDB-Py (make test installs them)");
        return None;
    };
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(python)
}

/// Runs a script of tests/python and gives what it prints; None, said aloud, without its packages.
pub(crate) fn script<S: AsRef<OsStr>>(name: &str, arguments: &[S]) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name);
    let run = python()?.arg(path).args(arguments).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{name}\n{stdout}\n{stderr}");
    Some(stdout.into_owned())
}
