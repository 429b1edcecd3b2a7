//! Writers that are killed or suspended at any request: the next writer completes their work, and nothing is lost or doubled.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use isdb_testing::s3::{Fault, Request, S3Server};

use super::{DATABASE, prepared_with};
use crate::support::random::random;
use crate::support::{Content, TestFolder};

/// A window for each granule. Another machine waits for one second.
const CONFIG: &str = "product: ATL08\nvariables: [h_canopy, night_flag]\nwindow: {granules: 1}\n\
                      storage: {lock_lifetime: 1s}\n";
const INGEST: [&str; 4] = ["--config", "c.yml", "ingest", "granules"];

fn prepared(granules: usize) -> (S3Server, TestFolder) {
    let (server, place) = prepared_with(granules, 15);
    std::fs::write(place.path("c.yml"), CONFIG).unwrap();
    (server, place)
}

fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn content(place: &TestFolder) -> Content {
    Content::read_database(place, DATABASE)
}

/// Starts an ingest and sends it `sent` when the server has got the `at`-th request for which `counts` holds, which it then answers.
fn ingest_until(
    server: &S3Server,
    place: &TestFolder,
    sent: &'static str,
    at: usize,
    counts: fn(&Request) -> bool,
) -> (Child, Arc<AtomicUsize>) {
    let (pid, seen) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
    let (of, counter) = (Arc::clone(&pid), Arc::clone(&seen));
    server.set_faults(move |request| {
        if counts(request) && counter.fetch_add(1, Ordering::SeqCst) + 1 == at {
            signal(*of.wait(), sent);
        }
        Fault::None
    });
    let child = place.command(&INGEST).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    pid.set(child.id()).unwrap();
    (child, seen)
}

#[test]
fn an_ingest_killed_at_any_request_loses_and_doubles_nothing() {
    let (server, place) = prepared(2);
    let (ended, requests) = ingest_until(&server, &place, "-KILL", usize::MAX, |_| true);
    assert!(ended.wait_with_output().unwrap().status.success());
    let (expected, requests) = (content(&place), requests.load(Ordering::SeqCst));
    assert_eq!(expected.ledger.len(), 2);

    let mut random = random();
    for _ in 0..isdb_testing::times(10, 100) {
        let at = 1 + usize::try_from(random.below(requests as u64)).unwrap();
        let case = format!("killed at request {at} of {requests}");
        server.clear_faults();
        server.clear();
        let (killed, _) = ingest_until(&server, &place, "-KILL", at, |_| true);
        let killed = killed.wait_with_output().unwrap();
        server.clear_faults();
        let whole = "SELECT (SELECT count(*) FROM segments) - (SELECT coalesce(sum(rows_kept), 0) FROM granules)";
        let seen = place.run(&["query", "--format", "csv", whole]);
        match seen.code {
            Some(0) => assert_eq!(seen.stdout.lines().nth(1), Some("0"), "{case}"),
            _ => {
                assert!(seen.stderr.contains("no isdb database") && !killed.status.success(), "{case}: {}", seen.stderr)
            }
        }
        place.ok(&INGEST);
        expected.is_in_database(&place, DATABASE, &case);
    }
}

/// A writer is suspended when the store has its `at`-th write, and another machine takes over meanwhile and completes the ingest. The
/// first then finds that it lost the lock, or that another process has made its commit.
#[test]
fn a_writer_suspended_beyond_its_lock_does_not_harm_the_next_one() {
    let (server, place) = prepared(2);
    let is_write = |request: &Request| request.method == "PUT";
    let (ended, writes) = ingest_until(&server, &place, "-STOP", usize::MAX, is_write);
    assert!(ended.wait_with_output().unwrap().status.success());
    let (expected, writes) = (content(&place), writes.load(Ordering::SeqCst));

    let mut random = random();
    for run in 0..isdb_testing::times(3, 50) {
        server.clear_faults();
        server.clear();
        // Every third at a commit of a window, where the check of the lock has passed.
        let is_commit = |request: &Request| request.method == "PUT" && request.key.contains("/commits/");
        let (at, counts): (usize, fn(&Request) -> bool) = match run % 3 {
            0 => (2, is_commit),
            _ => (1 + usize::try_from(random.below(writes as u64)).unwrap(), is_write),
        };
        let case = format!("suspended at write {at}, run {run}");
        let (first, _) = ingest_until(&server, &place, "-STOP", at, counts);
        while !is_stopped(first.id()) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // To the next writer, the first is one of another machine: it cannot know that the first is suspended.
        let lock = server.get("lab/atl08/lock").map(|lock| String::from_utf8(lock).unwrap());
        if let Some(lock) = &lock {
            server.put("lab/atl08/lock", lock.replace("\"host\":\"", "\"host\":\"other ").as_bytes());
        }
        server.clear_faults();
        let second = place.run(&INGEST);
        signal(first.id(), "-CONT");
        let first = first.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&first.stderr);
        if second.code != Some(0) {
            // The first was creating the database, or ended before it was suspended.
            assert!(second.stderr.contains("hint: "), "{case}: {}", second.stderr);
        }
        assert!(first.status.success() || stderr.contains("another"), "{case}: {stderr}");
        place.ok(&INGEST);
        expected.is_in_database(&place, DATABASE, &case);
    }
}

/// Whether the process is suspended, or has ended.
fn is_stopped(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_none_or(|state| ["T", "t", "Z"].contains(&state))
}
