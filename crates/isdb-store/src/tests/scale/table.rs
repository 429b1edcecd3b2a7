//! A table of times and sizes by number of fragments. It is printed on request, and best by a build with optimisation:
//! `cargo test --release -p isdb-store --lib -- --ignored --exact tests::scale::table::print --nocapture`. `TMPDIR` selects the disk.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use super::super::{NOW, changes, open};
use super::stubs::{FRAGMENTS_PER_GRANULE, Stubs, bounds, granule, ranges};
use crate::ledger::rows::attempt_entries;
use crate::log::commit_log::COMMITS_PER_CHECKPOINT;
use crate::{Database, Id, LedgerRow, Location, Writer};

const READER: &str = "tests::scale::table::read";
const DATABASE: &str = "ISDB_TEST_DATABASE";
/// A whole read of this many ledger rows.
const LEDGER_ROWS: u32 = 400_000;
const ROWS_PER_WINDOW: u32 = 10_000;

#[tokio::test]
#[ignore = "prints times, which decide nothing"]
async fn print() {
    for count in [500, 5_000, 50_000] {
        table_of(count).await;
    }
    ledger_table().await;
}

async fn table_of(count: u32) {
    let mut stubs = Stubs::new(tempfile::tempdir().unwrap()).await;
    let start = Instant::now();
    stubs.grow_to(count).await;
    println!("{count} fragments, built in {:.1} s", start.elapsed().as_secs_f64());
    let (mut times, mut cpu_times) = (Vec::new(), Vec::new());
    while times.len() < 50 {
        let (window, changes) = stubs.replacement();
        let meter = Meter::start();
        stubs.writer.commit(window, changes).await.unwrap();
        if !stubs.writer.head().number.is_multiple_of(COMMITS_PER_CHECKPOINT) {
            times.push(meter.ms());
            cpu_times.push(meter.cpu_ms());
        }
    }
    let (time, cpu_time) = (median(&mut times), median(&mut cpu_times));
    row("commit of a window", &format!("{time:.2} ms, {cpu_time:.2} ms of CPU, {} bytes", stubs.commit_bytes()));
    let state = stubs.database.newest().await.unwrap();
    let bytes = timed("checkpoint", async || {
        stubs.database.log().write_checkpoint(&state).await.unwrap();
        let path = stubs.database.location().folder().unwrap().join(format!("checkpoints/{:020}", state.number));
        path.metadata().unwrap().len()
    });
    row("checkpoint, bytes", &bytes.await.to_string());
    read_in_child(&stubs.database);
    timed("merge of the ledger", async || stubs.writer.compact_ledger(NOW).await.unwrap().is_some()).await;
    let groups = 200.min(count / FRAGMENTS_PER_GRANULE) as usize;
    timed("compaction", async || stubs.compact(groups).await).await;
    let removed = timed("vacuum", async || stubs.writer.vacuum(NOW, 0).await.unwrap()).await;
    row("vacuumed fragments", &removed.fragments.to_string());
    let Stubs { database, writer, folder, .. } = stubs;
    drop(writer);
    drop(timed("takeover", async || Writer::take_over(&database, NOW).await.unwrap()).await);
    folder.close().unwrap();
}

async fn ledger_table() {
    let mut stubs = Stubs::new(tempfile::tempdir().unwrap()).await;
    let mut merges = Vec::new();
    for _ in 0..LEDGER_ROWS / ROWS_PER_WINDOW {
        let window = stubs.writer.begin_window(ROWS_PER_WINDOW, NOW).unwrap();
        let empty = |index| LedgerRow { rows_kept: 0, ..granule(window.ingest_id(index), &[]) };
        let ledger = (0..ROWS_PER_WINDOW).map(empty).collect();
        stubs.writer.commit(window, changes(Vec::new(), ledger)).await.unwrap();
        let meter = Meter::start();
        if let Some(commit) = stubs.writer.compact_ledger(NOW).await.unwrap() {
            let rows: u64 = commit.ledger.added.iter().map(|file| file.rows).sum();
            merges.push(format!("{rows} rows {:.0} ms, {:.0} ms of CPU", meter.ms(), meter.cpu_ms()));
        }
    }
    println!("{LEDGER_ROWS} rows of the ledger");
    row("merges", &merges.join("; "));
    row("memory at most", &format!("{:.0} MB", resident_mb().1));
    read_in_child(&stubs.database);
}

/// Prints times and memory of a process that only reads.
fn read_in_child(database: &Database) {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args([READER, "--exact", "--ignored", "--nocapture"]).env(DATABASE, database.location().folder().unwrap());
    assert!(child.status().unwrap().success());
}

#[tokio::test]
#[ignore = "run by the table, in a process of its own"]
async fn read() {
    let Ok(root) = std::env::var(DATABASE) else { return };
    let location = Location::parse(&root).unwrap();
    let database = timed("open", async || Database::open(&location).await.unwrap()).await;
    let snapshot = timed("snapshot", async || database.snapshot().await.unwrap()).await;
    if let Some(first) = snapshot.fragments().next() {
        let middle = bounds(Id(first.id.0 + 50));
        let segments = timed("array", async || open(&snapshot).await.unwrap()).await;
        let within = || segments.array().fragments_within(&ranges(&middle)).len();
        timed("first box", async || within()).await;
        let found = timed("1,000 boxes", async || (0..1_000).map(|_| within()).sum::<usize>());
        row("fragments in a box", &(found.await / 1_000).to_string());
        return;
    }
    let files = snapshot.ledger_files();
    row("files", &files.len().to_string());
    let rows = timed("the whole ledger", async || snapshot.ledger().await.unwrap()).await;
    let wanted = [rows[rows.len() / 2].ingest_id].into();
    let found = timed("one attempt", async || attempt_entries(&location, &files, &wanted).unwrap().len()).await;
    assert_eq!(found, 1);
}

/// Runs `work` and prints how long it takes and by how much the process grows meanwhile.
async fn timed<T>(name: &str, work: impl AsyncFnOnce() -> T) -> T {
    let (before, meter) = (resident_mb().0, Meter::start());
    let result = work().await;
    let (time, cpu_time, (after, peak)) = (meter.ms(), meter.cpu_ms(), resident_mb());
    let (grown, at_most) = (after - before, peak - before);
    row(name, &format!("{time:.2} ms, {cpu_time:.2} ms of CPU, {grown:+.1} MB, at most {at_most:+.1} MB"));
    result
}

/// The time since its start, and the processor's time that this process used since then: on a busy machine only the latter means much.
struct Meter {
    start: Instant,
    cpu_ms: f64,
}

impl Meter {
    fn start() -> Meter {
        Meter { start: Instant::now(), cpu_ms: cpu_ms() }
    }

    fn ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }

    fn cpu_ms(&self) -> f64 {
        cpu_ms() - self.cpu_ms
    }
}

/// The processor's time that the threads of this process have used.
fn cpu_ms() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let used = |path: PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0)
    };
    threads.map(|thread| used(thread.path())).sum::<f64>() / 1e6
}

fn row(name: &str, value: &str) {
    println!("  {name:26} {value}");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The memory of this process now, and the most so far, in MB.
fn resident_mb() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
    };
    (value("VmRSS:"), value("VmHWM:"))
}
