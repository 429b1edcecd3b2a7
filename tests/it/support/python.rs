//! Runs the scripts of tests/python, which share no code with isdb.

use std::ffi::OsStr;
use std::path::Path;

use isdb_testing::python;

/// Runs a script of tests/python and returns its output; `None`, counted as a skipped test, without its packages.
pub(crate) fn script<S: AsRef<OsStr>>(name: &str, arguments: &[S]) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name);
    let run = python()?.arg(path).args(arguments).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{name}\n{stdout}\n{stderr}");
    Some(stdout.into_owned())
}
