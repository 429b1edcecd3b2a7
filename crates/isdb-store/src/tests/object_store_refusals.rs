//! What an object store refuses is one clear error, and nothing is half done.

use isdb_testing::s3::{Fault, S3Server};
use secrecy::SecretString;

use super::object_store::{location, remote, settings};
use super::{NOW, content, ingest, variables};
use crate::{Database, Design, Error, Location, StorageCredentials, StorageSettings, Writer, check, copy, repair};

/// The text and the hint of an error of the store.
fn described(error: &Error) -> (String, String) {
    match error {
        Error::Store { hint, .. } => (error.to_string(), hint.clone().unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

fn key(id: &str, token: Option<&str>) -> StorageCredentials {
    let secret = |text: &str| SecretString::from(text.to_owned());
    StorageCredentials::Key { id: secret(id), secret: secret("wrongsecret"), token: token.map(secret) }
}

async fn open_with(server: &S3Server, change: impl FnOnce(&mut StorageSettings)) -> Error {
    let mut settings = settings(server);
    change(&mut settings);
    let location = Location::with_settings(&location(server).uri(), &settings).unwrap();
    Database::open(&location).await.unwrap_err()
}

#[tokio::test]
async fn wrong_credentials_and_settings_are_reported_with_what_helps() {
    let (server, _database) = remote().await;
    let (text, hint) = described(&open_with(&server, |settings| settings.credentials = key("AKIDWRONG", None)).await);
    assert!(text.contains("s3://bucket/a/db") && text.contains("InvalidAccessKeyId"), "{text}");
    assert!(hint.contains("AWS_PROFILE") && !text.contains("wrongsecret"), "{hint}");
    let expired = key(isdb_testing::s3::KEY_ID, Some("an expired token"));
    let (text, hint) = described(&open_with(&server, |settings| settings.credentials = expired).await);
    assert!(
        text.contains("ExpiredToken") && hint.contains("expired") && !text.contains("an expired"),
        "{text}: {hint}"
    );
    let anonymous = |settings: &mut StorageSettings| settings.credentials = StorageCredentials::Anonymous;
    let (text, hint) = described(&open_with(&server, anonymous).await);
    assert!(text.contains("AccessDenied") && hint.contains("permission"), "{text}: {hint}");
    let (text, hint) = described(&open_with(&server, |settings| settings.allow_http = false).await);
    assert!(hint.contains("AWS_ALLOW_HTTP"), "{text}: {hint}");

    let elsewhere = Location::with_settings("s3://nosuch/db", &settings(&server)).unwrap();
    let (text, hint) = described(&Database::open(&elsewhere).await.unwrap_err());
    assert!(text.contains("NoSuchBucket") && hint.contains("name of the bucket"), "{text}: {hint}");
    let nothing = Location::with_settings("s3://bucket/nothing", &settings(&server)).unwrap();
    assert!(matches!(Database::open(&nothing).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_read_only_bucket_can_be_read_and_a_writer_is_refused_before_it_begins() {
    let (server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    drop(writer);
    server.set_read_only();
    let (keys, database) = (server.keys(), Database::open(database.location()).await.unwrap());
    assert_eq!(content(&database.snapshot().await.unwrap()).await.unwrap().0.values().sum::<usize>(), 5);
    let (text, hint) = described(&Writer::take_over(&database, NOW).await.map(drop).unwrap_err());
    assert!(text.contains("AccessDenied") && hint.contains("permission"), "{text}: {hint}");
    let elsewhere = Location::with_settings("s3://bucket/other", &settings(&server)).unwrap();
    let refused = Database::create(&elsewhere, &Design::new(&variables()), NOW).await.map(drop).unwrap_err();
    assert!(described(&refused).0.contains("AccessDenied"));
    assert_eq!(server.keys(), keys);
}

#[tokio::test]
async fn a_read_that_the_store_refuses_is_not_a_damaged_file() {
    let (server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    let database = Database::open(database.location()).await.unwrap();
    let snapshot = database.snapshot().await.unwrap();
    server.set_faults(|request| match request.key.contains("/__fragments/") {
        true => Fault::Refuse(403, "AccessDenied"),
        false => Fault::None,
    });
    let error = content(&snapshot).await.unwrap_err();
    assert!(described(&error).0.contains("__fragment_metadata.tdb: AccessDenied"), "{error}");

    server.clear_faults();
    let metadata = server.keys().into_iter().find(|key| key.ends_with("__fragment_metadata.tdb")).unwrap();
    server.remove(&metadata);
    let damaged = content(&snapshot).await.unwrap_err();
    assert!(
        matches!(&damaged, Error::Damaged { object, .. } if object.starts_with("s3://bucket/a/db/segments/")),
        "{damaged:?}"
    );
}

#[tokio::test]
async fn a_missing_permission_is_no_damage_and_a_repair_without_one_to_write_does_not_begin() {
    let (server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    drop(writer);
    for part in ["commits/", "ledger/", "__schema/__", "a1.tdb"] {
        server.set_faults(move |request| match request.method == "GET" && request.key.contains(part) {
            true => Fault::Refuse(403, "AccessDenied"),
            false => Fault::None,
        });
        let (text, hint) = described(&check(database.location(), |_| {}).await.map(drop).unwrap_err());
        assert!(text.contains(part) && text.contains("AccessDenied") && hint.contains("permission"), "{text}: {hint}");
    }
    server.clear_faults();
    let lost = server.keys().into_iter().find(|key| key.ends_with("/d0.tdb")).unwrap();
    server.remove(&lost);
    assert_eq!(check(database.location(), |_| {}).await.unwrap().damages.len(), 1, "a check only reads");
    server.set_read_only();
    let (keys, _) = (server.keys(), server.take_requests());
    let refused = repair(database.location(), || NOW, |_| {}, async |_| true).await.map(drop).unwrap_err();
    assert!(described(&refused).0.contains("AccessDenied"), "{refused}");
    assert_eq!(server.keys(), keys);
    assert!(!server.take_requests().iter().any(|request| request.key.contains("__fragments")), "before the check");
}

#[tokio::test]
async fn a_missing_permission_to_list_or_to_delete_is_reported_before_the_work() {
    let (server, database) = remote().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 5, NOW).await.unwrap();
    drop(writer);
    let (local, place) = (tempfile::tempdir().unwrap(), database.location());
    let to = Location::parse(local.path().join("db").to_str().unwrap()).unwrap();
    let beside = Location::with_settings("s3://bucket/beside", &settings(&server)).unwrap();
    let (keys, _) = (server.keys(), server.take_requests());
    for refused in ["?list", "?delete"] {
        server.set_faults(move |request| match request.key == refused {
            true => Fault::Refuse(403, "AccessDenied"),
            false => Fault::None,
        });
        let repaired = repair(place, || NOW, |_| {}, async |_| true).await.map(drop);
        let copied = copy(place, &beside, NOW, |_| {}).await.map(drop);
        let mut errors = vec![repaired, copied];
        if refused == "?list" {
            errors.push(check(place, |_| {}).await.map(drop));
            errors.push(copy(place, &to, NOW, |_| {}).await.map(drop));
        }
        for error in errors {
            let (text, hint) = described(&error.unwrap_err());
            assert!(text.contains("AccessDenied") && hint.contains("permission"), "{refused}: {text}: {hint}");
        }
        let sent: Vec<String> = server.take_requests().into_iter().map(|request| request.key).collect();
        assert!(!sent.iter().any(|key| key.contains("__fragments")), "{refused}: {sent:?}");
    }
    server.clear_faults();
    let left: Vec<String> = server.keys().into_iter().filter(|key| !keys.contains(key)).collect();
    assert!(left.iter().all(|key| key.contains("/staging/probe-")), "what the probe could not remove: {left:?}");
}
