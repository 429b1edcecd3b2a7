//! Files that cannot be read: each fails alone, with its reason in the messages and in the ledger, and no other granule is lost.

use std::fs;

use crate::support::handmade_granule::{self as handmade, foreign};
use crate::support::{Content, Run, TestFolder};

#[test]
fn an_unreadable_file_fails_alone_with_its_reason_in_the_ledger() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "4", "--every", "2", "--segments", "60"]);
    let mut files = place.files("granules");
    files.sort();
    place.ok(&["--db", "whole", "ingest", "--filters", "night", &files[0], &files[1], &files[2]]);

    let truncated = place.path(&files[3]);
    let bytes = fs::read(&truncated).unwrap();
    fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(place.path("granules/empty.h5"), "").unwrap();
    foreign(&place, "granules/foreign.h5");
    std::os::unix::fs::symlink("nowhere", place.path("granules/dangling.h5")).unwrap();
    handmade::granule(&place, &format!("granules/{}", handmade::NAME), &[1.0, 1.1, 1.2], |_| {});
    // A folder is searched, whatever its name.
    fs::create_dir(place.path("granules/folder.h5")).unwrap();

    let run = place.run(&["ingest", "--filters", "night", "granules"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("5 failed"), "{}", run.stderr);
    let failed = "SELECT source, error, rows_read, rows_kept FROM granules WHERE state = 'failed' ORDER BY source";
    let ledger = place.rows(failed);
    let reasons = [
        (files[3].as_str(), "truncated"),
        ("granules/empty.h5", "HDF5"),
        ("granules/foreign.h5", "beam"),
        ("granules/dangling.h5", "No such file"),
        (handmade::NAME, "the filter night needs night_flag, which the granule does not have"),
    ];
    assert_eq!(ledger.len(), reasons.len(), "{ledger:#?}");
    for (file, reason) in reasons {
        let row = ledger.iter().find(|row| row.contains(file)).unwrap_or_else(|| panic!("{file}: {ledger:#?}"));
        assert!(row.contains(reason), "{row}");
        let message = run.stderr.lines().find(|line| line.starts_with("failed: ") && line.contains(file));
        assert!(message.is_some_and(|line| line.contains(reason)), "{file}: {}", run.stderr);
    }
    assert_eq!(place.rows(Content::SEGMENTS), place.rows_with(&["--db", "whole"], Content::SEGMENTS));

    // The next run ingests a repaired file, and reports that the others still fail.
    fs::write(&truncated, bytes).unwrap();
    let again = place.run(&["ingest", "--filters", "night", "granules"]);
    assert_eq!(again.code, Some(3), "{}", again.stderr);
    assert_eq!(place.rows("SELECT count(DISTINCT granule) FROM granules WHERE state IN ('ingested', 'empty')"), ["4"]);
}

#[test]
fn a_file_without_read_permission_fails_and_is_ingested_once_readable() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "2", "--every", "2", "--segments", "60"]);
    let locked = place.path(&place.files("granules")[0]);
    let mode = |mode| fs::set_permissions(&locked, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    mode(0o000);
    let Some(mut command) = place.bound_command(&["ingest", "granules"]) else { return };
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("Permission denied"), "{}", run.stderr);
    assert_eq!(place.rows("SELECT count(*) FROM granules WHERE state = 'ingested'"), ["1"]);
    mode(0o644);
    // Its size and time are unchanged: only --retry tries it again, where that option exists.
    let retry = place.ok(&["ingest", "--help"]).stdout.contains("--retry");
    let arguments: &[&str] = if retry { &["ingest", "--retry", "granules"] } else { &["ingest", "granules"] };
    place.ok(arguments);
    assert_eq!(place.rows("SELECT count(DISTINCT granule) FROM granules WHERE state = 'ingested'"), ["2"]);
}
