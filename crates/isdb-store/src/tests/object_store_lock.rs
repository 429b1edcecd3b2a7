//! The lock of a database in an object store.

use std::time::{Duration, Instant};

use super::object_store::{location, remote, settings};
use super::{NOW, attempt, changes, ingest, seen, variables, write};
use crate::{Database, Design, Error, Location, StorageSettings, Writer};

const LOCK: &str = "a/db/lock";
const LIFETIME: Duration = Duration::from_millis(400);

/// The lock of a process of another host.
fn lock_elsewhere(renewals: u64) -> Vec<u8> {
    let lock = format!(
        "{{\"uuid\":\"6f1f6a06-6ad3-4ea2-8c29-8c9c8a2b7d1e\",\"host\":\"elsewhere\",\"process\":7,\"started\":1,\"lifetime_ms\":{},\"renewals\":{renewals}}}",
        LIFETIME.as_millis()
    );
    lock.into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_writer_at_a_time_and_the_next_one_after_it_without_a_wait() {
    let (_server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    assert!(matches!(Writer::take_over(&database, NOW).await, Err(Error::Locked { .. })));
    // Longer than the lock's lifetime: it is renewed.
    tokio::time::sleep(LIFETIME * 2).await;
    ingest(&mut writer, 5, NOW).await.unwrap();
    assert!(matches!(Writer::take_over(&database, NOW).await, Err(Error::Locked { .. })));
    drop(writer);
    let begun = Instant::now();
    Writer::take_over(&database, NOW).await.unwrap();
    assert!(begun.elapsed() < LIFETIME);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_another_host_is_waited_for_while_it_may_be_alive() {
    let (server, database) = remote().await;
    server.put(LOCK, &lock_elsewhere(1));
    let begun = Instant::now();
    drop(Writer::take_over(&database, NOW).await.unwrap());
    assert!(begun.elapsed() >= LIFETIME, "it was not renewed for its lifetime");

    server.put(LOCK, &lock_elsewhere(1));
    let (renewing, renewals) = (server.clone(), 2..);
    let renew = tokio::spawn(async move {
        for renewal in renewals {
            tokio::time::sleep(LIFETIME / 8).await;
            renewing.put(LOCK, &lock_elsewhere(renewal));
        }
    });
    assert!(matches!(Writer::take_over(&database, NOW).await, Err(Error::Locked { .. })));
    renew.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_has_lost_its_lock_commits_nothing() {
    let (server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let window = writer.begin_window(1, NOW).unwrap();
    let fragment = write(&database, &window, 5);
    server.put(LOCK, &lock_elsewhere(1));
    tokio::time::sleep(LIFETIME).await;
    let refused = writer.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 5, &[])])).await;
    assert!(matches!(refused, Err(Error::LostLock { .. })), "{refused:?}");
    drop(writer);
    assert_eq!(server.get(LOCK).unwrap(), lock_elsewhere(1), "the lock of the other is left alone");
    assert_eq!(seen(&database).await, (0, 0));
}

#[tokio::test]
async fn a_store_without_conditional_writes_is_refused_unless_there_is_a_single_writer() {
    let (server, database) = remote().await;
    server.ignore_conditions();
    let refused = Writer::take_over(&database, NOW).await.map(drop);
    assert!(matches!(refused, Err(Error::NoConditionalWrites { condition: "If-None-Match", .. })), "{refused:?}");
    let elsewhere = Location::with_settings("s3://bucket/other", &settings(&server)).unwrap();
    let refused = Database::create(&elsewhere, &Design::new(&variables()), NOW).await.map(drop);
    assert!(matches!(refused, Err(Error::NoConditionalWrites { .. })), "{refused:?}");
    assert!(server.keys().iter().all(|key| key.starts_with("a/db/")), "nothing is left: {:?}", server.keys());

    let alone = StorageSettings { single_writer: true, ..settings(&server) };
    let location = Location::with_settings(&location(&server).uri(), &alone).unwrap();
    let database = Database::open(&location).await.unwrap();
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    assert_eq!(seen(&database).await, (5, 1));
}
