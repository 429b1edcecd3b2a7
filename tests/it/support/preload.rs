//! Libraries that are preloaded into the program, to stand between it and the operating system.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The library made of `tests/shim/<name>.c`, or None, counted as a skipped test, where none can be made or preloaded.
pub(crate) fn shim(name: &str) -> Option<PathBuf> {
    // Tests of one process must not build over each other; other processes build under names of their own.
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
