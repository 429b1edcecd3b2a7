//! The installed program, away from its build folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::TestFolder;

#[test]
fn a_moved_bin_and_lib_pair_runs_with_its_own_library() {
    let place = TestFolder::new();
    let library = library_of(Path::new(env!("CARGO_BIN_EXE_isdb")));
    for folder in ["bin", "lib"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    std::fs::copy(env!("CARGO_BIN_EXE_isdb"), place.path("bin/isdb")).unwrap();
    let moved = place.path("lib").join(library.file_name().unwrap());
    std::fs::copy(&library, &moved).unwrap();
    let loaded = library_of(&place.path("bin/isdb"));
    assert_eq!(loaded.canonicalize().unwrap(), moved.canonicalize().unwrap());
}

#[test]
fn the_bare_binary_finds_its_library() {
    let run = Command::new(env!("CARGO_BIN_EXE_isdb")).arg("--version").env_remove("LD_LIBRARY_PATH").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(String::from_utf8(run.stdout).unwrap().starts_with("isdb "));
}

/// The libtiledb that the dynamic loader selects for `program`.
fn library_of(program: &Path) -> PathBuf {
    let mut command = Command::new(program);
    let run = command.env_remove("LD_LIBRARY_PATH").env("LD_TRACE_LOADED_OBJECTS", "1").output().unwrap();
    let loaded = String::from_utf8(run.stdout).unwrap();
    let line = loaded.lines().find(|line| line.contains("libtiledb")).unwrap();
    PathBuf::from(line.split("=> ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap())
}
