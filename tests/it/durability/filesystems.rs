//! File systems without hard links, locks or synced folders: everything works, or the program refuses before it creates anything.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::preload::shim;
use crate::support::{Content, Run, TestFolder};

/// Unsupported operations of file systems, with the errno that they return.
const LACKING: [&str; 8] = [
    // exFAT, SMB, blobfuse; some FUSE; old kernels.
    "link=1",
    "link=95",
    "link=38",
    // CIFS and some FUSE.
    "dirsync=22",
    "dirsync=95",
    // NFS without a lock daemon; Lustre without -o flock.
    "flock=37",
    "flock=38",
    "link=1 dirsync=22 flock=37",
];
/// Neither hard links nor renames without replacement.
const UNSUPPORTED: &str = "link=1 rename2=22";

const CONFIG: &str = "product: ATL08\nvariables: [h_canopy, night_flag]\nwindow: {granules: 1}\n";
const INGEST: [&str; 4] = ["--config", "c.yml", "ingest", "granules"];

fn prepared(granules: usize) -> TestFolder {
    let place = TestFolder::in_memory();
    place.make_granules("granules", &["--count", &granules.to_string(), "--every", "2", "--segments", "10"]);
    std::fs::write(place.path("c.yml"), CONFIG).unwrap();
    place
}

/// The program on a file system without `what`.
fn lacking(place: &TestFolder, library: &Path, what: &str, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    command.env("LD_PRELOAD", library).env("ISDB_TEST_LACKS", what);
    command
}

fn run(place: &TestFolder, library: &Path, what: &str, arguments: &[&str]) -> Run {
    Run::from(lacking(place, library, what, arguments).output().unwrap())
}

/// Every file below the folder, sorted.
fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        found.push(entry.path().display().to_string());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        }
    }
    found.sort();
    found
}

/// Commits that were written but not linked to a name.
fn staged_commits(place: &TestFolder) -> Vec<String> {
    place.files("db/staging").into_iter().filter(|name| name.contains("commit")).collect()
}

#[test]
fn a_file_system_without_links_locks_or_synced_folders_holds_the_same_database() {
    let Some(library) = shim("filesystem") else { return };
    let place = prepared(3);
    let life: [&[&str]; 4] = [&INGEST, &["add-variable", "asr"], &["consolidate"], &["vacuum", "--older-than", "0s"]];
    for arguments in life {
        place.ok(arguments);
    }
    let expected = Content::read(&place);
    for what in LACKING {
        std::fs::remove_dir_all(place.path("db")).unwrap();
        for arguments in life {
            let run = run(&place, &library, what, arguments);
            assert_eq!(run.code, Some(0), "{what}: isdb {}\n{}", arguments.join(" "), run.stderr);
            let is_warned = run.stderr.contains("this file system has no locks");
            assert_eq!(is_warned, what.contains("flock"), "{what}: {}", run.stderr);
        }
        expected.is_in(&place, what);
        let read = run(&place, &library, what, &["query", "--format", "csv", "SELECT count(*) FROM atl08"]);
        assert!(read.code == Some(0) && !read.stderr.contains("WARN"), "{what}: {}", read.stderr);
        assert_eq!(staged_commits(&place), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn a_file_system_that_cannot_hold_the_commit_log_is_refused_and_left_unchanged() {
    let Some(library) = shim("filesystem") else { return };
    let place = prepared(1);
    let before = files_below(&place.path(""));
    for database in ["db", "new/folders/db"] {
        let run = run(&place, &library, UNSUPPORTED, &[&["--db", database], &INGEST[..]].concat());
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        let message: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        let [message] = message[..] else { panic!("{}", run.stderr) };
        assert!(message.contains(&format!("/{database} supports neither hard links nor renames")), "{message}");
        assert!(run.stderr.contains("hint: choose a folder on a local disk"), "{}", run.stderr);
        assert_eq!(files_below(&place.path("")), before, "{database}");
    }
    // A database copied to such a file system can be read, and a writer changes nothing.
    place.ok(&INGEST);
    let expected = Content::read(&place);
    for arguments in
        [&["--config", "c.yml", "ingest", "granules", "--refilter", "--filters", "night"][..], &["consolidate"]]
    {
        let run = run(&place, &library, UNSUPPORTED, arguments);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains("supports neither hard links"), "{}", run.stderr);
    }
    expected.is_in(&place, "after the refusals");
    assert_eq!(staged_commits(&place), Vec::<String>::new());
}

#[test]
fn without_locks_the_second_writer_stops_the_first_and_no_row_is_lost_or_doubled() {
    let Some(library) = shim("filesystem") else { return };
    let place = prepared(6);
    place.ok(&INGEST);
    let expected = Content::read(&place);
    // The first writer must stop with windows left to write; on a busy machine the signal may come too late.
    let stopped = (0..20).any(|_| {
        if place.path("db").exists() {
            std::fs::remove_dir_all(place.path("db")).unwrap();
        }
        let is_stopped = interrupt_by_second_writer(&place, &library);
        place.ok(&INGEST);
        expected.is_in(&place, "two writers at a time");
        is_stopped
    });
    assert!(stopped, "no second writer came while the first was at work");
}

/// Stops an ingest after its first window, runs another one, and continues the first. Returns true if the first had windows left.
fn interrupt_by_second_writer(place: &TestFolder, library: &Path) -> bool {
    let what = "link=1 flock=37";
    let mut first =
        lacking(place, library, what, &INGEST).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut message = BufReader::new(first.stderr.take().unwrap()).lines();
    assert!(message.any(|line| line.unwrap().starts_with("granules: 1 of 6")));
    let signal = |signal: &str| Command::new("kill").args([signal, &first.id().to_string()]).status().unwrap();
    signal("-STOP");
    let second = run(place, library, what, &INGEST);
    signal("-CONT");
    let rest: Vec<String> = message.map(Result::unwrap).collect();
    let ended = first.wait().unwrap();
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    let is_overtaken = rest.iter().any(|line| line.starts_with("error: ") || line.contains("another writer took over"));
    assert_eq!(ended.success(), !is_overtaken, "{rest:?}");
    is_overtaken
}
