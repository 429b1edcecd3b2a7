//! Lost schemas and metadata of the array are made again from the log, and schemas of replaced writers count as no damage.

use isdb_schema::catalogue::{Variable, variable};

use super::home::{Home, PLACES, Place};
use super::repairing::{again, assert_found, assert_sound, everywhere, examine, now_in, repair, two_granules};
use super::{NOW, attempt, changes, ingest, open, replace, write_with};
use crate::files::fragment_list::schemas;
use crate::{Database, Id, Remedy, Writer};

/// What happens to the array.
type Harm = fn(&Home);

const SCHEMAS: &str = "segments/__schema";
const ENUMERATIONS: &str = "segments/__schema/__enumerations";
const METADATA: &str = "segments/__meta";

fn more_variables() -> Vec<&'static Variable> {
    ["canopy_h_metrics", "night_flag", "h_canopy"].map(|name| variable(name).unwrap()).into()
}

/// A database with fragments of two schemas.
async fn two_schemas(place: Place) -> (Home, Database) {
    let (home, database) = two_granules(place).await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    writer.add_variables(&more_variables(), NOW + 1_000).await.unwrap();
    let window = writer.begin_window(1, NOW + 2_000).unwrap();
    let fragment = write_with(&database, &window, 7, &more_variables());
    writer.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 7, &[])])).await.unwrap();
    drop(writer);
    (home, database)
}

#[tokio::test]
async fn lost_schemas_and_metadata_are_made_again_and_every_fragment_can_be_read() {
    // What is lost, and how many damages that is.
    let cases: [(&str, usize, Harm); 10] = [
        ("all schemas", 2, |home| home.remove_all(SCHEMAS)),
        ("the first schema", 1, |home| home.remove(&home.files(SCHEMAS)[0])),
        ("the second schema", 1, |home| home.remove(&home.files(SCHEMAS)[1])),
        ("a changed schema", 1, |home| home.flip(&home.files(SCHEMAS)[0])),
        ("an empty schema", 1, |home| home.write(&home.files(SCHEMAS)[1], b"")),
        ("the texts of dictionaries", 2, |home| home.remove_all(ENUMERATIONS)),
        ("changed texts of dictionaries", 2, |home| home.files(ENUMERATIONS).iter().for_each(|file| home.flip(file))),
        ("all metadata", 1, |home| home.remove_all(METADATA)),
        ("changed metadata", 1, |home| home.flip(&home.files(METADATA)[0])),
        ("schemas and metadata", 3, |home| [SCHEMAS, METADATA].iter().for_each(|folder| home.remove_all(folder))),
    ];
    for (place, (what, count, harm)) in everywhere(cases) {
        let (home, database) = two_schemas(place).await;
        let before = now_in(&database).await;
        let names = home.files(SCHEMAS);
        harm(&home);
        let report = examine(&database).await;
        assert_eq!(report.damages.len(), count, "{what}: {:?}", report.damages);
        assert!(report.damages.iter().all(|damage| damage.remedy == Remedy::Restore), "{what}: {:?}", report.damages);
        repair(&database).await;
        assert_sound(&database).await;
        assert_eq!(home.files(SCHEMAS), names, "{what}: fragments name their schema");
        assert_eq!(now_in(&database).await, before, "{what}");
        let snapshot = again(&database).await.snapshot().await.unwrap();
        assert_eq!(*snapshot.schema(), open(&snapshot).await.unwrap().array().schema(), "{what}");
        let window_of = again(&database).await;
        let mut writer = Writer::take_over(&window_of, NOW + 3_000).await.unwrap();
        let window = writer.begin_window(1, NOW + 3_000).unwrap();
        let fragment = write_with(&window_of, &window, 2, &more_variables());
        writer.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 2, &[])])).await.unwrap();
        assert_sound(&database).await;
    }
}

#[tokio::test]
async fn nothing_is_dropped_when_no_fragment_fits_the_schemas_that_were_made_again() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let state = database.newest().await.unwrap();
        home.remove_all(SCHEMAS);
        for (_, fragment) in &state.segments.live {
            home.flip(&format!("segments/__fragments/{}/d1.tdb", fragment.record.name));
        }
        let report = examine(&database).await;
        assert!(report.is_beyond_repair(), "{:?}", report.damages);
        assert!(report.damages.iter().all(|damage| damage.remedy == Remedy::Rebuild), "{:?}", report.damages);
        repair(&database).await;
        assert_eq!(again(&database).await.newest().await.unwrap().number, state.number);
    }
}

#[tokio::test]
async fn the_schema_that_a_replaced_writer_left_is_no_damage() {
    // In an object store the lock of a suspended writer expires, and it notices that itself.
    let (home, database) = two_granules(Place::Disk).await;
    let mut stopped = Writer::take_over(&database, NOW).await.unwrap();
    // The lock fails: another writer takes over while this one is suspended.
    home.remove("lock");
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    drop(next);
    assert!(stopped.add_variables(&more_variables(), NOW).await.is_err());
    drop(stopped);
    assert_eq!(schemas(database.location()).unwrap().len(), 2);
    assert_sound(&database).await;
    // A half-written one makes every open fail.
    let late = home.files(SCHEMAS).remove(1);
    home.write(&late, b"");
    assert_found(&examine(&database).await, &database, &late, Remedy::Remove);
    repair(&database).await;
    assert_sound(&database).await;
    let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
    let id: Id = replace(&mut writer, &[], 2, NOW + 20_000).await.unwrap();
    assert_eq!(now_in(&database).await.0[&id], 2);
}
