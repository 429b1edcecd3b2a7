//! A database in an object store: what is special to one, and few requests.

use std::time::Duration;

use isdb_testing::s3::{BUCKET, Fault, KEY_ID, Request, S3Server, SECRET};
use secrecy::SecretString;

use super::{NOW, assert_clean, attempt, changes, content, ingest, open, seen, variables, write};
use crate::{Database, Design, Error, Location, StorageCredentials, StorageSettings, Writer};

const DAY: u64 = 86_400_000;

pub(super) fn settings(server: &S3Server) -> StorageSettings {
    settings_of(server.endpoint())
}

/// The settings of the server at `endpoint`, which may be of another process.
pub(super) fn settings_of(endpoint: String) -> StorageSettings {
    let secret = |text: &str| SecretString::from(text.to_owned());
    StorageSettings {
        endpoint: Some(endpoint),
        allow_http: true,
        credentials: StorageCredentials::Key { id: secret(KEY_ID), secret: secret(SECRET), token: None },
        lock_lifetime: Duration::from_millis(400),
        ..StorageSettings::default()
    }
}

pub(super) fn location(server: &S3Server) -> Location {
    location_at(server.endpoint())
}

/// The location of the database in the bucket of the server at `endpoint`.
pub(super) fn location_at(endpoint: String) -> Location {
    Location::with_settings(&format!("s3://{BUCKET}/a/db"), &settings_of(endpoint)).unwrap()
}

pub(super) async fn remote() -> (S3Server, Database) {
    let server = S3Server::start();
    let database = Database::create(&location(&server), &Design::new(&variables()), NOW).await.unwrap();
    (server, database)
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_and_one_of_another_writer_is_not_replaced() {
    let (server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let mut is_first = true;
    server.set_faults(move |request| match request.method == "PUT" && request.key.contains("/commits/") {
        true if std::mem::replace(&mut is_first, false) => Fault::LoseAnswer,
        _ => Fault::None,
    });
    ingest(&mut writer, 5, NOW).await.unwrap();
    assert_eq!(seen(&Database::open(database.location()).await.unwrap()).await, (5, 1));

    server.clear_faults();
    let next = writer.head().number + 1;
    let other = server.get(&format!("a/db/commits/{:020}", next - 1)).unwrap();
    server.put(&format!("a/db/commits/{next:020}"), &other);
    let window = writer.begin_window(1, NOW + 1).unwrap();
    let fragment = write(&database, &window, 4);
    let refused = writer.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 4, &[])])).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(server.get(&format!("a/db/commits/{next:020}")).unwrap(), other);
}

#[tokio::test]
async fn what_a_dead_writer_left_is_removed_by_the_next_one() {
    let (server, database) = remote().await;
    let mut dead = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut dead, 5, NOW).await.unwrap();
    let window = dead.begin_window(1, NOW + 1).unwrap();
    write(&database, &window, 7);
    server.put("a/db/ledger/orphan.parquet", b"x");
    server.put("a/db/staging/probe-old", b"x");
    drop(dead);
    assert_eq!(seen(&database).await, (5, 1));
    // The store's clock is the machine's, which is later than NOW: a takeover after two days removes what is older than one.
    let later = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + 2 * DAY;
    let mut writer = Writer::take_over(&database, later).await.unwrap();
    writer.vacuum(later + DAY, 0).await.unwrap();
    assert_clean(&database).await;
    assert_eq!(seen(&database).await, (5, 1));
}

#[tokio::test]
async fn an_interrupted_creation_is_removed_by_the_next_and_other_objects_are_not() {
    let server = S3Server::start();
    let mut puts = 0;
    server.set_faults(move |request| {
        puts += usize::from(request.method == "PUT");
        if puts > 5 { Fault::Refuse(403, "AccessDenied") } else { Fault::None }
    });
    let design = Design::new(&variables());
    assert!(matches!(Database::create(&location(&server), &design, NOW).await, Err(Error::Store { .. })));
    server.clear_faults();
    assert!(matches!(Database::open(&location(&server)).await, Err(Error::NotFound { .. })));
    let database = Database::create(&location(&server), &design, NOW).await.unwrap();
    let schemas =
        server.keys().iter().filter(|key| key.contains("segments/__schema/__") && !key.contains("__enum")).count();
    assert_eq!(schemas, 1);
    assert!(matches!(Database::create(database.location(), &design, NOW).await, Err(Error::Occupied { .. })));

    let other = S3Server::start();
    other.put("a/db/thesis.tex", b"x");
    assert!(matches!(Database::create(&location(&other), &design, NOW).await, Err(Error::Occupied { .. })));
    assert_eq!(other.keys(), ["a/db/thesis.tex"]);
}

#[tokio::test]
async fn reads_make_few_requests_and_repeat_none() {
    let (server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    for granule in 0..20 {
        ingest(&mut writer, 5, NOW + granule).await.unwrap();
    }
    drop(writer);
    let _ = server.take_requests();
    let database = Database::open(database.location()).await.unwrap();
    let opening = server.take_requests();
    let of = |method: &str, requests: &[Request]| requests.iter().filter(|request| request.method == method).count();
    assert!(opening.len() <= 30 && of("HEAD", &opening) == 0, "{opening:#?}");
    let snapshot = database.snapshot().await.unwrap();
    let again = server.take_requests();
    assert_eq!(again.len(), 1, "{again:#?}");
    let first = content(&snapshot).await.unwrap();
    assert_eq!(first.0.values().sum::<usize>(), 100);
    let _ = server.take_requests();
    assert_eq!(content(&snapshot).await.unwrap(), first);
    let files = |request: &&Request| request.key.contains("/segments/");
    let read_again: Vec<Request> = server.take_requests().iter().filter(files).cloned().collect();
    assert!(read_again.is_empty(), "{read_again:#?}");
    open(&snapshot).await.unwrap();
}
