//! The count of skipped tests.

use std::fs::OpenOptions;
use std::io::Write;

/// The file that collects a line for each skipped test: reason, tab, detail, tab, test.
const COLLECTED_IN: &str = "ISDB_TEST_SKIPS";
/// Set if every test must run.
const STRICT: &str = "ISDB_TEST_STRICT";

/// Records that the calling test, or a part of it, is skipped. The end of `make test` counts each `reason`; `detail` says what is needed
/// and how to provide it. Rust's test harness does not know skipped tests and hides the output of passing tests, so the lines go to
/// the file named by `ISDB_TEST_SKIPS`.
///
/// # Panics
/// If `ISDB_TEST_STRICT` is set and not empty, or if the line cannot be written.
pub fn skip(reason: &str, detail: &str) {
    eprintln!("skipped, {reason}: {detail}");
    let strict = std::env::var_os(STRICT).is_some_and(|value| !value.is_empty());
    assert!(!strict, "{STRICT} is set and this test cannot run, {reason}: it needs {detail}");
    if let Some(path) = std::env::var_os(COLLECTED_IN) {
        let program = std::env::current_exe().expect("the path of this program");
        let program = program.file_stem().unwrap_or_default().to_string_lossy();
        let program = program.rsplit_once('-').map_or(&*program, |(name, _hash)| name);
        let thread = std::thread::current();
        // Line breaks and tabs would break the line or its columns.
        let [reason, detail] = [reason, detail].map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let line = format!("{reason}\t{detail}\t{program}::{}\n", thread.name().unwrap_or("?"));
        // A single append of less than a page: lines of several processes do not mix.
        let mut file = OpenOptions::new().append(true).create(true).open(&path).expect("the file of skipped tests");
        file.write_all(line.as_bytes()).expect("a line in the file of skipped tests");
    }
}
