//! A process that is aborted at each fault point: whatever it was doing, readers see a committed state, and the next writer removes
//! the leftover files.

use std::process::{Command, Stdio};

use super::home::{Home, PLACES, Place, fresh_at};
use super::object_store::location_at;
use super::{NOW, assert_clean, attempt, changes, compact, content, replace, write};
use crate::{Database, Id, Location, Writer, fault};

/// The test that is aborted, in a process of its own. The environment variables name its database and fault point.
const VICTIM: &str = "tests::deaths::a_victim";
const DATABASE: &str = "ISDB_TEST_DATABASE";
const POINT: &str = "ISDB_TEST_DIE_AT";

/// Points that only a local disk has: an object store removes many objects with one request.
const ON_DISK: [&str; 2] = ["sweep-each", "vacuum-each-commit-file"];

/// The attempt that the victim replaces.
const OLD: Id = Id((2 << 32) | 1);

/// The work of the victim, which reaches every fault point.
async fn work(database: &Database) -> crate::Result<()> {
    let mut writer = Writer::take_over(database, NOW).await?;
    if !is_replaced(database).await {
        fault::reached("after-fragment");
        replace(&mut writer, &[OLD], 7, NOW).await?;
    }
    compact(&mut writer, NOW).await?;
    writer.compact_ledger(NOW).await?;
    writer.vacuum(NOW, 0).await?;
    Ok(())
}

async fn is_replaced(database: &Database) -> bool {
    database.snapshot().await.unwrap().ledger().await.unwrap().iter().any(|row| row.replaces == [OLD])
}

#[tokio::test]
#[ignore = "run by the test below, in a process that is aborted"]
async fn a_victim() {
    let database = std::env::var(DATABASE).unwrap();
    let is_remote = database.starts_with("http://");
    let location = if is_remote { location_at(database) } else { Location::parse(&database).unwrap() };
    fault::arm(&std::env::var(POINT).unwrap());
    work(&Database::open(&location).await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn wherever_a_process_dies_readers_see_committed_states_and_the_next_writer_cleans_up() {
    for place in PLACES {
        die_everywhere(place).await;
    }
}

async fn die_everywhere(place: Place) {
    let (home, base) = fresh_at(place).await;
    let mut writer = Writer::take_over(&base, NOW).await.unwrap();
    assert_eq!(replace(&mut writer, &[], 5, NOW).await.unwrap(), OLD);
    let other = replace(&mut writer, &[], 3, NOW).await.unwrap();
    // Enough files of the ledger that a compaction of it has work.
    for _ in 0..32 {
        let window = writer.begin_window(1, NOW).unwrap();
        writer.commit(window, changes(vec![], vec![attempt(window.ingest_id(0), 0, &[])])).await.unwrap();
    }
    // The orphan fragment of another dead writer.
    let window = writer.begin_window(1, NOW).unwrap();
    write(&base, &window, 100);
    drop(writer);
    let before = content(&base.snapshot().await.unwrap()).await.unwrap();

    for point in fault::POINTS.into_iter().filter(|point| place == Place::Disk || !ON_DISK.contains(point)) {
        // One column is written like the next, and there are many of them.
        let every = match (point, place) {
            ("fragment-each-column", _) => 5,
            ("vacuum-each-ledger-file", Place::Bucket) => 20,
            _ => 1,
        };
        for time in (1..).step_by(every) {
            let copy = home.copied();
            let text = format!("{place:?} {point}:{time}");
            if !is_aborted(&copy, &format!("{point}:{time}")) {
                assert!(time > 1, "{text} is never reached");
                break;
            }
            let database = Database::open(&copy.location()).await.unwrap();
            let found = content(&database.snapshot().await.unwrap()).await.unwrap();
            let replaced = (found.0.len(), found.0.get(&other), found.0.get(&OLD), found.1.len());
            assert!(found == before || replaced == (2, Some(&3), None, 35), "{text}: {found:?}");
            let was_replaced = is_replaced(&database).await;

            work(&database).await.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_clean(&database).await;
            let repaired = content(&database.snapshot().await.unwrap()).await.unwrap();
            assert_eq!(repaired.0.values().sum::<usize>(), 10, "{text}");
            assert!(!was_replaced || repaired == found, "{text}: {repaired:?}");
        }
    }
}

fn is_aborted(home: &Home, point: &str) -> bool {
    let database = match home {
        Home::Disk(folder) => folder.path().join("db").to_str().unwrap().to_owned(),
        Home::Bucket(server) => server.endpoint(),
    };
    let status = Command::new(std::env::current_exe().unwrap())
        .args([VICTIM, "--exact", "--ignored"])
        .env(DATABASE, database)
        .env(POINT, point)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    // A failed test has an exit code; an aborted process has none.
    assert!(status.success() || status.code().is_none(), "{point}: {status}");
    !status.success()
}
