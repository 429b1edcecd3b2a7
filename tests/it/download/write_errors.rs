//! Failed writes: the partial file is a correct beginning of the file, and the next run completes it.

use super::*;

/// The source of a library in which the nth write to a `.part` file fails, once.
const SHIM: &str = include_str!("../../shim/fail_write.c");
/// Some writes of 256 kB.
const LENGTH: usize = 2_300_000;

/// Builds the shim; `None`, counted as a skipped test, without a C compiler.
fn shim(place: &TestFolder) -> Option<PathBuf> {
    let (source, library) = (place.path("fail_write.c"), place.path("fail_write.so"));
    std::fs::write(&source, SHIM).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    if !built.as_ref().is_ok_and(|status| status.success()) {
        isdb_testing::skip("without a C compiler", "cc, which builds the library that makes writes fail");
        return None;
    }
    Some(library)
}

#[test]
fn a_failed_write_keeps_a_correct_partial_file_and_the_next_run_completes_it() {
    let (archive, content) = (Archive::new(), hdf5(1, LENGTH));
    archive.put("a.h5", content.clone());
    let tools = TestFolder::new();
    let Some(library) = shim(&tools) else { return };
    let is_long = isdb_testing::is_long();
    let url = archive.url("a.h5");
    let mut hit = 0;
    for (errno, error) in [("ENOSPC", "No space left on device"), ("EIO", "Input/output error")] {
        // A full disk accepts a part of the last write first.
        for short in [false, true].into_iter().filter(|short| is_long || *short == (errno == "ENOSPC")) {
            for number in (1..).step_by(if is_long { 1 } else { 3 }) {
                let place = TestFolder::in_memory();
                let mut first = command(&place, &archive, &["download", &url]);
                first.env("LD_PRELOAD", &library).env("FAIL_WRITE", number.to_string()).env("FAIL_ERRNO", errno);
                if short {
                    first.env("FAIL_SHORT", "1");
                }
                let case = format!("{errno}, short {short}, write {number}");
                let first = with_token(first);
                let target = place.path("granules/a/a.h5");
                if first.code == Some(0) {
                    assert!(number > 4 && std::fs::read(&target).unwrap() == content, "{case}: no write failed");
                    break;
                }
                hit += 1;
                assert!(first.code == Some(3) && first.stderr.contains(error), "{case}: {}", first.stderr);
                let part = std::fs::read(target.with_extension("h5.part")).unwrap_or_default();
                assert!(content.starts_with(&part), "{case}: the .part is not a beginning of the file");
                let second = with_token(command(&place, &archive, &["download", &url]));
                assert_eq!(second.code, Some(0), "{case}: {}", second.stderr);
                assert!(std::fs::read(&target).unwrap() == content, "{case}: the file differs");
            }
        }
    }
    println!("{hit} writes failed");
    assert!(hit >= 4);
}
