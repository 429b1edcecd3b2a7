//! The same life of a database in each kind of place: on a local disk, in a bucket, and in a bucket of which one in twenty requests fails. What
//! a user sees is the same after each step.

use isdb_region::Region;
use isdb_schema::catalogue::variable;

use super::home::{Home, Place};
use super::repairing::{again, assert_sound, examine, fragment, now_in, repair};
use super::{
    Content, NOW, assert_clean, attempt, changes, compact, content, counts, ingest, replace, variables, write,
    write_with,
};
use crate::{Database, Design, Error, Remedy, Writer, copy};

const DAY: u64 = 86_400_000;

/// What a user sees after each step, and the number of commits.
type Seen = (Vec<(&'static str, Content)>, u64);

/// Creates a database and does everything to it that a user can do.
async fn life(place: Place) -> Seen {
    let home = Home::new(place);
    let mut seen = Vec::new();
    // Long enough for a file of its own.
    let side: Vec<String> = (0..60).map(|at| format!("[{}.5,{}.25]", at, at % 2)).collect();
    let area = format!("{{\"type\":\"Polygon\",\"coordinates\":[[{},[59.5,40],[0.5,40],[0.5,0.25]]]}}", side.join(","));
    let region = Region::parse(&area).unwrap();
    let design = Design { region: Some(region.clone()), ..Design::new(&variables()) };
    let database = Database::create(&home.location(), &design, NOW).await.unwrap();
    assert!(matches!(Database::create(&home.location(), &design, NOW).await, Err(Error::Occupied { .. })));

    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = replace(&mut writer, &[], 5, NOW).await.unwrap();
    ingest(&mut writer, 7, NOW + 1).await.unwrap();
    seen.push(("ingest", now_in(&database).await));
    let reader = again(&database).await.snapshot().await.unwrap();
    let second = replace(&mut writer, &[first], 6, NOW + 2).await.unwrap();
    seen.push(("replace", now_in(&database).await));
    seen.push(("a reader meanwhile", content(&reader).await.unwrap()));
    assert_eq!(counts(&reader).await, (12, 2));
    writer.set_tag("paper", &database.snapshot().await.unwrap(), NOW + 3).await.unwrap();
    let window = writer.begin_window(1, NOW + 4).unwrap();
    let removal = attempt(second, 6, &[]).removal(window.ingest_id(0), vec![second], 1);
    writer.commit(window, changes(Vec::new(), vec![removal])).await.unwrap();
    seen.push(("remove", now_in(&database).await));

    // It dies with a fragment that no commit names.
    let window = writer.begin_window(1, NOW + 5).unwrap();
    write(&database, &window, 100);
    drop(writer);
    let mut writer = Writer::take_over(&again(&database).await, NOW + 6).await.unwrap();
    seen.push(("take over", now_in(&database).await));
    compact(&mut writer, NOW + 6).await.unwrap();
    writer.consolidate_metadata().await.unwrap();
    seen.push(("consolidate", now_in(&database).await));
    writer.add_variables(&[variable("night_flag").unwrap()], NOW + 7).await.unwrap();
    let window = writer.begin_window(1, NOW + 8).unwrap();
    let both = [variables()[0], variable("night_flag").unwrap()];
    let (fragment_of_both, id) = (write_with(&database, &window, 5, &both), window.ingest_id(0));
    writer.commit(window, changes(vec![fragment_of_both], vec![attempt(id, 5, &[])])).await.unwrap();
    writer.change_region(None, NOW + 9).await.unwrap();
    drop(writer);
    seen.push(("add variables", now_in(&database).await));
    assert_sound(&database).await;

    let other = Home::new(place);
    copy(database.location(), &other.location(), NOW + 10, |_| {}).await.unwrap();
    let copied = Database::open(&other.location()).await.unwrap();
    assert_eq!(now_in(&copied).await, now_in(&database).await);
    seen.push(("copy", content(&copied.snapshot_of_tag("paper").await.unwrap()).await.unwrap()));
    assert_sound(&copied).await;

    home.remove(&format!("{}/d0.tdb", fragment(&database).await));
    let report = examine(&database).await;
    assert_eq!(report.damages.iter().map(|damage| damage.remedy).collect::<Vec<_>>(), [Remedy::Drop]);
    assert_eq!(repair(&database).await.fragments, 1);
    seen.push(("repair", now_in(&database).await));
    let mut writer = Writer::take_over(&again(&database).await, NOW + 11).await.unwrap();
    let window = writer.begin_window(1, NOW + 12).unwrap();
    let (fragment_of_both, new) = (write_with(&database, &window, 5, &both), window.ingest_id(0));
    writer.commit(window, changes(vec![fragment_of_both], vec![attempt(new, 5, &[id])])).await.unwrap();
    seen.push(("ingest again", now_in(&database).await));
    for days in 2..5 {
        writer.vacuum(NOW + days * DAY, DAY).await.unwrap();
    }
    let number = writer.head().number;
    drop(writer);
    assert!(reader.is_expired().await.unwrap());

    // A process that has read nothing yet.
    let database = Database::open(&home.location()).await.unwrap();
    let (newest, tagged) = (database.snapshot().await.unwrap(), database.snapshot_of_tag("paper").await.unwrap());
    assert_eq!(database.design(&tagged).await.unwrap().region.map(|region| region.to_text()), Some(region.to_text()));
    assert!(database.tag_costs().await.unwrap().total > 0);
    seen.push(("vacuum", content(&newest).await.unwrap()));
    seen.push(("tag", content(&tagged).await.unwrap()));
    assert_sound(&database).await;
    let mut writer = Writer::take_over(&database, NOW + 5 * DAY).await.unwrap();
    writer.delete_tag("paper", NOW + 5 * DAY).await.unwrap();
    for days in 6..9 {
        writer.vacuum(NOW + days * DAY, DAY).await.unwrap();
    }
    assert_clean(&database).await;
    if let Some(server) = home.server() {
        assert!(server.keys().iter().all(|key| key.starts_with("a/db/")), "nothing is written beside the database");
        assert!(!server.keys().iter().any(|key| key.contains("/staging/")), "{:?}", server.keys());
    }
    (seen, number)
}

#[tokio::test]
async fn a_database_has_the_same_states_in_an_object_store_as_on_a_local_disk() {
    let local = life(Place::Disk).await;
    for place in [Place::Bucket, Place::Flaky] {
        let found = life(place).await;
        for (found, expected) in found.0.iter().zip(&local.0) {
            assert_eq!(found, expected, "{place:?}");
        }
        assert_eq!(found, local, "{place:?}");
    }
}
