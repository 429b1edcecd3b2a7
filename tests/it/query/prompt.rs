//! The prompt, in a pseudo-terminal of a Python script.

use std::path::Path;
use std::process::Command;

use crate::support::TestFolder;

#[test]
fn the_prompt_continues_after_errors_and_ctrl_c_and_keeps_its_history() {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 2000);
    place.ok(&["ingest", "granules"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/prompt.py");
    let typed = Command::new("python3")
        .arg(script)
        .args([env!("CARGO_BIN_EXE_isdb"), place.path("state").to_str().unwrap()])
        .env("ISDB_DB", place.path("db"))
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&typed.stdout), String::from_utf8_lossy(&typed.stderr));
    assert!(typed.status.success() && stdout.contains("answered"), "{stdout}\n{stderr}");
}
