//! Readers beside a busy writer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Content, NOW, compact, content, fresh, replace};
use crate::{Database, Error, Id, Writer};

const OPENS: usize = 1_000;

/// Opens and reads a thousand snapshots. Returns the states by their commits, and how many reads expired.
async fn read_snapshots(database: Database) -> (BTreeMap<u64, Content>, usize) {
    let (mut states, mut expired): (BTreeMap<u64, Content>, usize) = (BTreeMap::new(), 0);
    for _ in 0..OPENS {
        let snapshot = match database.snapshot().await {
            Ok(snapshot) => snapshot,
            Err(Error::Expired { .. }) => {
                expired += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        match content(&snapshot).await {
            Ok(found) => {
                let state = states.entry(snapshot.commit()).or_insert_with(|| found.clone());
                assert_eq!(*state, found, "one commit, one state");
            }
            Err(_) if snapshot.is_expired().await.unwrap() => expired += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (states, expired)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_a_thousand_snapshots_beside_a_busy_writer_shows_a_committed_state() {
    let (_folder, database) = fresh().await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (database, done) = (Database::open(database.location()).await.unwrap(), Arc::clone(&done));
        tokio::spawn(async move {
            let read = read_snapshots(database).await;
            done.store(true, Ordering::SeqCst);
            read
        })
    };
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let mut written: BTreeMap<u64, Content> = BTreeMap::from([(1, Content::default())]);
    let mut now = Content::default();
    let mut newest: [Option<Id>; 3] = [None; 3];
    let mut round = 0;
    while !done.load(Ordering::SeqCst) && !reader.is_finished() {
        let granule = round % newest.len();
        let rows = 1 + round % 7;
        let old = newest[granule];
        let id = replace(&mut writer, old.as_slice(), rows, NOW).await.unwrap();
        newest[granule] = Some(id);
        if let Some(old) = old {
            now.0.remove(&old);
        }
        now.0.insert(id, rows);
        now.1.insert(id);
        written.insert(writer.head().number, now.clone());
        if round % 4 == 3 {
            compact(&mut writer, NOW).await.unwrap();
            writer.compact_ledger(NOW).await.unwrap();
            writer.consolidate_metadata().await.unwrap();
        }
        if round % 6 == 5 {
            writer.vacuum(NOW, 0).await.unwrap();
        }
        if round % 10 == 9 {
            drop(writer);
            writer = Writer::take_over(&database, NOW).await.unwrap();
        }
        round += 1;
    }
    let (states, expired) = reader.await.unwrap();
    assert!(states.len() > 1 && expired < OPENS / 2, "{} states, {expired} expired", states.len());
    for (number, found) in states {
        // Commits in between change files, but no visible row.
        let (_, expected) = written.range(..=number).next_back().unwrap();
        assert_eq!(found, *expected, "commit {number}");
    }
}
