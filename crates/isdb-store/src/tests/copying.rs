//! Copies: the same states at another place, whatever fails on the way, and nothing that opens before it is whole.

use std::process::{Command, Stdio};

use isdb_schema::catalogue::{Variable, variable};
use isdb_testing::s3::Fault;

use super::home::{Home, PLACES, Place, fault_of};
use super::repairing::{again, assert_sound, everywhere, fragment, now_in, numbered, repair, two_granules};
use super::{NOW, assert_clean, attempt, changes, compact, content, replace, variables, write_with};
use crate::files::array_files::FOOTER;
use crate::{Copied, Database, Error, Id, Location, Writer, check, copy, fault};

/// A database with replaced and removed fragments, a tag that needs some of them, two schemas, and the fragment of a dead writer.
async fn lived_in(place: Place) -> (Home, Database) {
    let (home, database) = two_granules(place).await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    writer.set_tag("paper", &database.snapshot().await.unwrap(), NOW).await.unwrap();
    let old = replace(&mut writer, &[super::repairing::FIRST], 6, NOW).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();
    writer.add_variables(&[variable("night_flag").unwrap()], NOW + 1).await.unwrap();
    ingest_both(&mut writer, &[old], 9, NOW + 2).await;
    let window = writer.begin_window(1, NOW + 3).unwrap();
    write_with(&database, &window, 2, &both());
    drop(writer);
    (home, database)
}

fn both() -> [&'static Variable; 2] {
    [variables()[0], variable("night_flag").unwrap()]
}

/// Ingests a granule with both variables in place of earlier attempts.
async fn ingest_both(writer: &mut Writer, replaces: &[Id], rows: usize, now_ms: u64) {
    let window = writer.begin_window(1, now_ms).unwrap();
    let fragment = write_with(writer.database(), &window, rows, &both());
    let row = attempt(window.ingest_id(0), rows, replaces);
    writer.commit(window, changes(vec![fragment], vec![row])).await.unwrap();
}

async fn copy_to(database: &Database, home: &Home) -> crate::Result<Copied> {
    copy(database.location(), &home.location(), NOW + 10, |_| {}).await
}

/// The states of a database that a copy has.
async fn states(database: &Database) -> [super::Content; 2] {
    let tagged = again(database).await.snapshot_of_tag("paper").await.unwrap();
    [now_in(database).await, content(&tagged).await.unwrap()]
}

#[tokio::test]
async fn a_copy_has_the_newest_state_and_those_of_tags_and_no_file_that_neither_needs() {
    for (from, to) in PLACES.into_iter().flat_map(|from| PLACES.map(|to| (from, to))) {
        let (_original, database) = lived_in(from).await;
        let (expected, home) = (states(&database).await, Home::new(to));
        let mut progress = Vec::new();
        let report = |at: crate::CopyProgress| progress.push((at.fragments, at.of_fragments));
        let copied = copy(database.location(), &home.location(), NOW + 10, report).await.unwrap();
        assert_eq!((copied.fragments, copied.present), (4, 0), "{from:?} {to:?}: two live and two of the tag");
        assert_eq!(progress, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]);
        let other = Database::open(&home.location()).await.unwrap();
        assert_eq!(states(&other).await, expected);
        assert_sound(&other).await;
        let is_left = |path: &String| path.starts_with("staging/") || path == "copy.json";
        assert!(!home.all("").iter().any(is_left), "{:?}", home.all(""));
        assert!(matches!(other.snapshot_at(NOW + 1).await, Err(Error::Expired { .. })), "an earlier state");

        // Life goes on in the copy, and a vacuum finds nothing that it lacks.
        let mut writer = Writer::take_over(&other, NOW + 20).await.unwrap();
        writer.delete_tag("paper", NOW + 20).await.unwrap();
        compact(&mut writer, NOW + 21).await.unwrap();
        writer.vacuum(NOW + 22, 0).await.unwrap();
        assert_clean(&other).await;
        assert_eq!(now_in(&other).await.0, expected[0].0);
        assert_eq!(states(&database).await, expected, "the original is as it was");
    }
}

#[tokio::test]
async fn a_copy_continues_whatever_requests_fail() {
    let (_original, database) = lived_in(Place::Disk).await;
    let home = Home::new(Place::Bucket);
    let server = home.server().unwrap().clone();
    let mut count = 0;
    let mut refused = 0;
    server.set_faults(move |request| {
        count += 1;
        // What no repetition helps against.
        if count % 100 == 47 && request.method == "PUT" && refused < 3 {
            refused += 1;
            return Fault::Refuse(403, "AccessDenied");
        }
        fault_of(count)
    });
    let mut tries = 0;
    let copied = loop {
        tries += 1;
        match copy_to(&database, &home).await {
            Ok(copied) => break copied,
            Err(Error::Store { problem, .. }) if tries < 6 => assert!(problem.contains("AccessDenied"), "{problem}"),
            Err(error) => panic!("{error}"),
        }
    };
    server.clear_faults();
    assert!(tries > 1 && copied.present > 0, "{tries}: {copied:?}");
    let other = Database::open(&home.location()).await.unwrap();
    assert_eq!(states(&other).await, states(&database).await);
    assert_sound(&other).await;
}

const VICTIM: &str = "tests::copying::a_victim";
const FROM: &str = "ISDB_TEST_DATABASE";
const TO: &str = "ISDB_TEST_COPY";
const POINT: &str = "ISDB_TEST_DIE_AT";

#[tokio::test]
#[ignore = "run by the test below, in a process that is aborted"]
async fn a_victim() {
    let [from, to] = [FROM, TO].map(|name| Location::parse(&std::env::var(name).unwrap()).unwrap());
    fault::arm(&std::env::var(POINT).unwrap());
    copy(&from, &to, NOW + 10, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_copy_that_dies_is_no_database_before_it_is_whole_and_the_next_one_finishes_it() {
    let (_original, database) = lived_in(Place::Disk).await;
    let expected = states(&database).await;
    for point in fault::COPY_POINTS {
        // One file is copied like the next, and there are many of them.
        let every = if point == "copy-each-file" { 31 } else { 3 };
        for time in (1..).step_by(every) {
            let home = Home::new(Place::Disk);
            let status = Command::new(std::env::current_exe().unwrap())
                .args([VICTIM, "--exact", "--ignored"])
                .env(FROM, database.location().folder().unwrap())
                .env(TO, home.location().folder().unwrap())
                .env(POINT, format!("{point}:{time}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            if status.success() {
                assert!(time > 1, "{point} is never reached");
                break;
            }
            assert_eq!(status.code(), None, "{point}:{time}: a failed test has an exit code");
            match Database::open(&home.location()).await {
                Ok(other) => assert_eq!(states(&other).await, expected, "{point}:{time}"),
                Err(error) => assert!(matches!(error, Error::UnfinishedCopy { .. }), "{point}:{time}: {error}"),
            }
            copy_to(&database, &home).await.unwrap();
            let other = Database::open(&home.location()).await.unwrap();
            assert_eq!(states(&other).await, expected, "{point}:{time}");
            assert_sound(&other).await;
            assert!(home.get("copy.json").is_none() && home.all("staging").is_empty(), "{point}:{time}");
        }
    }
}

/// A copy that was begun and has the files of the fragments.
async fn begun(database: &Database, place: Place) -> Home {
    let home = Home::new(place);
    copy_to(database, &home).await.unwrap();
    home.remove(&numbered("commits", 1));
    home.remove_all("checkpoints");
    mark(database, &home).await;
    home
}

/// Marks a copy as unfinished.
async fn mark(database: &Database, home: &Home) {
    let first = database.log().read(1).await.unwrap().uuid;
    let number = database.newest().await.unwrap().number;
    let marker =
        format!("{{\"original\":\"elsewhere\",\"first_commit\":\"{first}\",\"first_number\":1,\"commit\":{number}}}");
    home.write("copy.json", marker.as_bytes());
}

/// A copy that died between its first commit and the removal of its marker is a database, to which people write.
#[tokio::test]
async fn nothing_is_removed_of_a_copy_that_is_whole_even_if_it_cannot_be_read() {
    for place in PLACES {
        let (_original, database) = lived_in(Place::Disk).await;
        let home = Home::new(place);
        copy_to(&database, &home).await.unwrap();
        mark(&database, &home).await;
        let other = Database::open(&home.location()).await.unwrap();
        let mut writer = Writer::take_over(&other, NOW + 20).await.unwrap();
        ingest_both(&mut writer, &[], 4, NOW + 21).await;
        let newest = writer.head().number;
        drop(writer);
        let (expected, files) = (now_in(&other).await, home.all(""));
        let whole = home.get(&numbered("commits", newest)).unwrap();
        home.write(&numbered("commits", newest), b"x");
        assert!(copy_to(&database, &home).await.is_err());
        home.write(&numbered("commits", newest), &whole);
        assert_eq!(home.all(""), files);
        copy_to(&database, &home).await.unwrap();
        assert_eq!(now_in(&other).await, expected);
        assert!(home.get("copy.json").is_none());
    }
}

#[tokio::test]
async fn a_copy_is_continued_although_the_original_has_another_state_now() {
    for place in PLACES {
        let (_original, database) = lived_in(Place::Disk).await;
        let home = begun(&database, place).await;
        assert!(matches!(check(&home.location(), |_| {}).await, Err(Error::UnfinishedCopy { .. })));
        let mut writer = Writer::take_over(&database, NOW + 20).await.unwrap();
        compact(&mut writer, NOW + 20).await.unwrap();
        ingest_both(&mut writer, &[], 4, NOW + 21).await;
        writer.vacuum(NOW + 22, 0).await.unwrap();
        drop(writer);
        let copied = copy_to(&database, &home).await.unwrap();
        assert!(copied.present > 0 && copied.files > 0, "{copied:?}");
        let other = Database::open(&home.location()).await.unwrap();
        assert_eq!(states(&other).await, states(&database).await);
        assert_sound(&other).await;
        let folders = |home: &Home| home.all("segments/__commits").len();
        assert_eq!(folders(&home), 4, "fragments that nothing needs any more are removed");
    }
}

#[tokio::test]
async fn the_unfinished_copy_of_another_database_is_left_alone() {
    let (_original, database) = lived_in(Place::Disk).await;
    let (_other, other) = two_granules(Place::Disk).await;
    let home = begun(&database, Place::Disk).await;
    let before = home.all("");
    let refused = copy_to(&other, &home).await.unwrap_err();
    assert!(matches!(&refused, Error::UnfinishedCopy { original, .. } if original == "elsewhere"), "{refused}");
    assert_eq!(home.all("").iter().filter(|path| *path != "lock").count(), before.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_of_the_original_meanwhile_is_named_and_the_copy_can_be_continued() {
    let (_original, database) = two_granules(Place::Disk).await;
    let home = Home::new(Place::Bucket);
    let mut is_first = true;
    let vacuum = |_| {
        if std::mem::replace(&mut is_first, false) {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
                    compact(&mut writer, NOW).await.unwrap();
                    writer.vacuum(NOW, 0).await.unwrap();
                });
            });
        }
    };
    let expired = copy(database.location(), &home.location(), NOW, vacuum).await.unwrap_err();
    assert!(matches!(expired, Error::Expired { .. }), "{expired}");
    copy_to(&database, &home).await.unwrap();
    let other = Database::open(&home.location()).await.unwrap();
    assert_eq!(now_in(&other).await, now_in(&database).await);
    assert_sound(&other).await;
}

#[tokio::test]
async fn damage_is_not_copied_but_named() {
    for (place, (file, problem)) in
        everywhere([(format!("/{FOOTER}"), "CRC32C"), ("/a0.tdb".to_owned(), "expected files of")])
    {
        let (original, database) = two_granules(place).await;
        let folder = fragment(&database).await;
        let harm: fn(&Home, &str) = if file.contains(FOOTER) { Home::flip } else { Home::remove };
        harm(&original, &format!("{folder}{file}"));
        let home = Home::new(Place::Disk);
        let error = copy_to(&database, &home).await.unwrap_err();
        let is_named =
            matches!(&error, Error::Damaged { object, .. } if object.starts_with(&database.location().child(&folder)));
        assert!(is_named && error.to_string().contains(problem), "{error}");
        assert!(matches!(Database::open(&home.location()).await, Err(Error::UnfinishedCopy { .. })));
        repair(&database).await;
        copy_to(&database, &home).await.unwrap();
        let other = Database::open(&home.location()).await.unwrap();
        assert_eq!(now_in(&other).await, now_in(&database).await);
    }
}

#[tokio::test]
async fn a_database_that_has_lost_commits_is_copied_with_what_replaces_them() {
    for lost in [1, 3] {
        let (original, database) = two_granules(Place::Disk).await;
        database.log().write_checkpoint(&database.newest().await.unwrap()).await.unwrap();
        original.remove(&numbered("commits", lost));
        repair(&database).await;
        let home = Home::new(Place::Bucket);
        copy_to(&again(&database).await, &home).await.unwrap();
        let other = Database::open(&home.location()).await.unwrap();
        assert_eq!(now_in(&other).await, now_in(&database).await);
        let report = check(&home.location(), |_| {}).await.unwrap();
        assert_eq!((report.is_sound(), report.lost_commits), (true, 1), "{:?}", report.damages);
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused_before_anything_is_copied() {
    let (_original, database) = two_granules(Place::Disk).await;
    let home = Home::new(Place::Bucket);
    let server = home.server().unwrap();
    server.set_read_only();
    let refused = copy_to(&database, &home).await.unwrap_err();
    assert!(refused.to_string().contains("AccessDenied"), "{refused}");
    assert!(server.take_requests().iter().all(|request| request.bytes < 100), "no file was sent");
    assert_eq!(server.keys(), [""; 0]);
}
