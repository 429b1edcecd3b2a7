//! Lost schemas and metadata of the array are made again from the log, and schemas of replaced writers count as no damage.

use std::fs;
use std::path::{Path, PathBuf};

use isdb_schema::catalogue::{Variable, variable};

use super::repairing::{again, assert_sound, examine, flip, now_in, remove, repair, two_granules};
use super::{NOW, attempt, changes, ingest, open, replace, write_with};
use crate::files::array_files::{ENUMERATIONS, list_schemas};
use crate::{Database, Id, Remedy, Writer};

/// What happens to the array.
type Harm = fn(&Path);

fn array(database: &Database) -> PathBuf {
    PathBuf::from(database.location().segments())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn more_variables() -> Vec<&'static Variable> {
    ["canopy_h_metrics", "night_flag", "h_canopy"].map(|name| variable(name).unwrap()).into()
}

/// A database with fragments of two schemas.
async fn two_schemas() -> (tempfile::TempDir, Database) {
    let (folder, database) = two_granules().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    writer.add_variables(&more_variables(), NOW + 1_000).await.unwrap();
    let window = writer.begin_window(1, NOW + 2_000).unwrap();
    let fragment = write_with(&database, &window, 7, &more_variables());
    writer.commit(window, changes(vec![fragment], vec![attempt(window.ingest_id(0), 7, &[])])).await.unwrap();
    drop(writer);
    (folder, database)
}

#[tokio::test]
async fn lost_schemas_and_metadata_are_made_again_and_every_fragment_can_be_read() {
    // What is lost, and how many damages that is.
    let cases: [(&str, usize, Harm); 10] = [
        ("all schemas", 2, |array| fs::remove_dir_all(array.join("__schema")).unwrap()),
        ("the first schema", 1, |array| remove(&files(&array.join("__schema"))[0])),
        ("the second schema", 1, |array| remove(&files(&array.join("__schema"))[1])),
        ("a changed schema", 1, |array| flip(&files(&array.join("__schema"))[0])),
        ("an empty schema", 1, |array| fs::write(&files(&array.join("__schema"))[1], "").unwrap()),
        ("the texts of dictionaries", 2, |array| fs::remove_dir_all(array.join(ENUMERATIONS)).unwrap()),
        ("changed texts of dictionaries", 2, |array| {
            files(&array.join(ENUMERATIONS)).iter().for_each(|file| flip(file));
        }),
        ("all metadata", 1, |array| fs::remove_dir_all(array.join("__meta")).unwrap()),
        ("changed metadata", 1, |array| flip(&files(&array.join("__meta"))[0])),
        ("schemas and metadata", 3, |array| {
            for folder in ["__schema", "__meta"] {
                fs::remove_dir_all(array.join(folder)).unwrap();
            }
        }),
    ];
    for (what, count, harm) in cases {
        let (_folder, database) = two_schemas().await;
        let before = now_in(&database).await;
        let names = files(&array(&database).join("__schema"));
        harm(&array(&database));
        let report = examine(&database).await;
        assert_eq!(report.damages.len(), count, "{what}: {:?}", report.damages);
        assert!(report.damages.iter().all(|damage| damage.remedy == Remedy::Restore), "{what}: {:?}", report.damages);
        repair(&database).await;
        assert_sound(&database).await;
        assert_eq!(files(&array(&database).join("__schema")), names, "{what}: fragments name their schema");
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
    let (_folder, database) = two_granules().await;
    let state = database.newest().await.unwrap();
    fs::remove_dir_all(array(&database).join("__schema")).unwrap();
    for (_, fragment) in &state.segments.live {
        flip(&array(&database).join("__fragments").join(&fragment.record.name).join("d1.tdb"));
    }
    let report = examine(&database).await;
    assert!(report.is_beyond_repair(), "{:?}", report.damages);
    assert!(report.damages.iter().all(|damage| damage.remedy == Remedy::Rebuild), "{:?}", report.damages);
    repair(&database).await;
    assert_eq!(again(&database).await.newest().await.unwrap().number, state.number);
}

#[tokio::test]
async fn the_schema_that_a_replaced_writer_left_is_no_damage() {
    let (_folder, database) = two_granules().await;
    let mut stopped = Writer::take_over(&database, NOW).await.unwrap();
    // The lock fails: another writer takes over while this one is suspended.
    remove(&database.location().folder().unwrap().join("lock"));
    let mut next = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut next, 7, NOW + 10_000).await.unwrap();
    drop(next);
    assert!(stopped.add_variables(&more_variables(), NOW).await.is_err());
    drop(stopped);
    assert_eq!(list_schemas(&array(&database)).unwrap().len(), 2);
    assert_sound(&database).await;
    // A half-written one makes every open fail.
    let schemas = files(&array(&database).join("__schema"));
    fs::write(&schemas[1], "").unwrap();
    let report = examine(&database).await;
    let [damage] = &report.damages[..] else { panic!("{:?}", report.damages) };
    assert_eq!((Path::new(&damage.path), damage.remedy), (&*schemas[1], Remedy::Remove), "{damage:?}");
    repair(&database).await;
    assert_sound(&database).await;
    let mut writer = Writer::take_over(&again(&database).await, NOW).await.unwrap();
    let id: Id = replace(&mut writer, &[], 2, NOW + 20_000).await.unwrap();
    assert_eq!(now_in(&database).await.0[&id], 2);
}
