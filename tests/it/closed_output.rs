//! Output into a closed pipe or a full disk: no command panics, and lost data is an error.

use std::fs::File;
use std::process::Command;

use crate::support::{Run, TestFolder};

/// Commands that write to standard output, for a folder with a database.
const PRINTING: [&[&str]; 13] = [
    &["info"],
    &["info", "--cite"],
    &["info", "--cite", "--format", "json"],
    &["tag"],
    &["variables"],
    &["variables", "h_canopy"],
    &["variables", "beam"],
    &["filters"],
    &["filters", "strong"],
    &["config", "check", "c.yml"],
    &["config", "schema"],
    &["query", "SELECT latitude FROM atl08"],
    &["--help"],
];

fn place() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 30);
    place.ok(&["ingest", "granules"]);
    place.ok(&["init", "c.yml"]);
    place
}

/// Runs the command with a closed standard output.
pub(crate) fn unread(mut command: Command) -> Run {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Run::from(command.stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn a_closed_pipe_ends_a_command_without_an_error() {
    let place = place();
    for arguments in PRINTING {
        let run = unread(place.command(arguments));
        assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked") && !run.stderr.contains("error"), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let place = place();
    for arguments in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = place.command(arguments).stdout(full).output().unwrap();
        let (code, message) = (output.status.code(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(code, Some(1), "{arguments:?}: {message}");
        assert!(
            message.contains("No space left on device") && !message.contains("panicked"),
            "{arguments:?}: {message}"
        );
    }
}

#[test]
fn an_ingest_continues_when_its_messages_cannot_be_written() {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 1, 30);
    for log in ["warn", "debug"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let db = format!("db-{log}");
        let ingest = ["--db", &db, "--log", log, "ingest", "granules"];
        assert_eq!(place.command(&ingest).stderr(full).status().unwrap().code(), Some(0), "{log}");
        assert_ne!(place.rows_with(&["--db", &db], "SELECT count(*) FROM segments"), ["0"]);
    }
}
