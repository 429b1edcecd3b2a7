//! Libraries that are preloaded into the program, between it and the operating system.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Builds the library of `tests/shim/<name>.c`; `None`, counted as a skipped test, where it cannot be built or preloaded.
pub(crate) fn shim(name: &str) -> Option<PathBuf> {
    // Tests of one process must not build at the same time; other processes build under other names.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock().unwrap();
    if !cfg!(target_os = "linux") {
        isdb_testing::skip("not Linux", "Linux, where a library can be preloaded into the program");
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim").join(name).with_extension("c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.so", std::process::id()));
    if library.exists() {
        return Some(library);
    }
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl").output();
    let Ok(built) = built else {
        isdb_testing::skip("no C compiler", "cc, to build the libraries of tests/shim");
        return None;
    };
    assert!(built.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&built.stderr));
    Some(library)
}
