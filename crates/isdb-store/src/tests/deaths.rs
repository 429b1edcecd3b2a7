//! A process that is aborted at each fault point: whatever it was doing, readers see a committed state, and the next writer removes
//! the leftover files.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{NOW, assert_clean, attempt, changes, compact, content, fresh, replace, write};
use crate::{Database, Id, Location, Writer, fault};

/// The test that is aborted, in a process of its own. The environment variables name its database and fault point.
const VICTIM: &str = "tests::deaths::a_victim";
const DATABASE: &str = "ISDB_TEST_DATABASE";
const POINT: &str = "ISDB_TEST_DIE_AT";

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
    let location = Location::parse(&std::env::var(DATABASE).unwrap()).unwrap();
    fault::arm(&std::env::var(POINT).unwrap());
    work(&Database::open(&location).await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn wherever_a_process_dies_readers_see_committed_states_and_the_next_writer_cleans_up() {
    let (folder, base) = fresh().await;
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

    let copy = folder.path().join("copy");
    for point in fault::POINTS {
        // One column is written like the next, and there are many of them.
        let every = if point == "fragment-each-column" { 5 } else { 1 };
        for time in (1..).step_by(every) {
            let _ = std::fs::remove_dir_all(&copy);
            copy_folder(base.location().folder().unwrap(), &copy);
            let text = format!("{point}:{time}");
            if !is_aborted(&copy, &text) {
                assert!(time > 1, "{point} is never reached");
                break;
            }
            let database = Database::open(&Location::parse(copy.to_str().unwrap()).unwrap()).await.unwrap();
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

fn is_aborted(database: &Path, point: &str) -> bool {
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

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => std::fs::copy(entry.path(), target).map(|_| ()).unwrap(),
        }
    }
}
