//! Files of an ingest from NASA's archive: conflicts with files of the user, unreadable files, leftovers.

use serde_json::{Value, json};

use crate::fake_nasa::archive::Trick;
use crate::fake_nasa::content::hdf5;
use crate::fake_nasa::setup::{FakeNasa, YEARS};
use crate::support::TestFolder;

fn three() -> FakeNasa {
    FakeNasa::with(&["--count", "3", "--every", "2", "--segments", "10"])
}

fn file(place: &TestFolder, folder: &str, name: &str) -> std::path::PathBuf {
    isdb_cmr::download_path(&place.path(folder), name).unwrap()
}

#[test]
fn a_file_of_the_user_with_a_granules_name_is_neither_replaced_nor_deleted() {
    let nasa = three();
    let names = nasa.names();
    let own = file(&nasa.place, "data", &names[0]);
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, hdf5(1, 5000)).unwrap();
    for _ in 0..2 {
        let run = nasa.run(&[&YEARS[..], &["--data", "data"]].concat());
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert!(run.stderr.contains("isdb did not download it") && run.stderr.contains(&names[0]), "{}", run.stderr);
        assert_eq!(std::fs::read(&own).unwrap(), hdf5(1, 5000));
    }
    std::fs::remove_file(&own).unwrap();
    nasa.ok(&[&YEARS[..], &["--data", "data"]].concat());
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn a_fetched_file_that_cannot_be_read_is_put_aside_and_fetched_again() {
    let nasa = three();
    let names = nasa.names();
    let right = std::fs::read(nasa.place.path("theirs").join(&names[1])).unwrap();
    // A complete file by its length and superblock.
    nasa.archive.put(&names[1], hdf5(3, right.len()));
    let kept = [&YEARS[..], &["--keep", "--data", "data"]].concat();
    let run = nasa.run(&kept);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let aside = format!("{}.unreadable", names[1]);
    assert!(run.stderr.contains(&aside) && run.stderr.contains("--retry downloads it again"), "{}", run.stderr);
    let place = file(&nasa.place, "data", &names[1]);
    assert!(!place.exists() && place.with_file_name(&aside).exists());
    nasa.archive.put(&names[1], right.clone().into());
    nasa.ok(&[&kept[..], &["--retry"]].concat());
    assert_eq!(std::fs::read(&place).unwrap(), right);
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn rounded_sizes_are_marked_as_estimates_and_compared_with_the_free_space() {
    let nasa = three();
    let mut items = nasa.publish();
    for item in &mut items {
        let file = &mut item["umm"]["DataGranule"]["ArchiveAndDistributionInformation"][0];
        file.as_object_mut().unwrap().remove("SizeInBytes");
        file["Size"] = json!(2.0);
    }
    nasa.cmr.know(items.clone());
    let run = nasa.ok(&YEARS);
    assert!(run.stderr.contains("to download: 3 granules, 6.3 MB"), "{}", run.stderr);
    assert!(run.stderr.contains("download: 6.3 MB"), "{}", run.stderr);
    // A terabyte each: more than the free space of most machines.
    if isdb_cmr::free_bytes(&nasa.place.path("")).unwrap() > 3_000_000_000_000 {
        return;
    }
    for item in &mut items {
        item["umm"]["DataGranule"]["ArchiveAndDistributionInformation"][0]["Size"] = json!(1_000_000.0);
    }
    nasa.cmr.know(items);
    let before = nasa.archive.seen().len();
    let full = nasa.run(&[&["--db", "full"], &YEARS[..]].concat());
    assert!(full.code == Some(1) && full.stderr.contains("bytes of free space"), "{}", full.stderr);
    assert_eq!(nasa.archive.seen().len(), before, "before the first byte");
}

#[test]
fn a_missing_licence_is_reported_once_with_its_hint() {
    let nasa = FakeNasa::with(&["--count", "8", "--every", "2", "--segments", "5"]);
    for name in nasa.names() {
        nasa.archive.play(&name, [Trick::Archive(403, vec![])]);
    }
    let run = nasa.run(&YEARS);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let count = |text: &str| run.stderr.matches(text).count();
    assert_eq!((count("failed: "), count("the same for 7 others: ")), (1, 1), "{}", run.stderr);
    assert_eq!((count("hint: "), count("EULA")), (1, 1), "{}", run.stderr);
    assert!(nasa.archive.seen().len() < 8, "{} requests", nasa.archive.seen().len());
    // A refusal is not a failure of the granules.
    nasa.names().iter().for_each(|name| nasa.archive.forget_tricks(name));
    nasa.ok(&YEARS);
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn an_incomplete_cmr_description_fails_its_granule() {
    let nasa = three();
    let mut items = nasa.publish();
    items[1]["umm"] = json!({"GranuleUR": "a record", "CollectionReference": {"Version": "007"}});
    nasa.cmr.know(items);
    let preview = nasa.ok(&[&YEARS[..], &["--dry-run"]].concat());
    assert!(preview.stderr.contains("would fail: a record (G2-NSIDC_CPRD): umm.DataGranule"), "{}", preview.stderr);
    let run = nasa.run(&[&YEARS[..], &["--report", "r.json"]].concat());
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("granules: 2 ingested, 1 failed"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("G2-NSIDC_CPRD").count(), 1, "reported once: {}", run.stderr);
    let report: Value = serde_json::from_slice(&std::fs::read(nasa.place.path("r.json")).unwrap()).unwrap();
    let failed = report["granules"].as_array().unwrap().iter().find(|granule| granule["state"] == "failed").unwrap();
    assert_eq!((&failed["stage"], &failed["granule"]), (&json!("search"), &json!("a record (G2-NSIDC_CPRD)")));
    assert!(failed["error"].as_str().unwrap().contains("umm.DataGranule.Identifiers"), "{failed}");
    // Also where everything else is done.
    assert_eq!(nasa.run(&YEARS).code, Some(3));
}

#[test]
fn files_of_a_killed_run_are_deleted_by_the_next_and_others_stay() {
    let nasa = three();
    let names = nasa.names();
    nasa.ok(&YEARS);
    // As after a kill between the commit and its end.
    for name in &names {
        nasa.ok(&["download", &nasa.archive.url(name), "--to", "db.granules"]);
    }
    let own = nasa.place.path("db.granules/notes.txt");
    std::fs::write(&own, "mine").unwrap();
    let run = nasa.ok(&YEARS);
    assert!(run.stderr.contains("granules to ingest: 0"), "{}", run.stderr);
    assert_eq!(nasa.place.files("db.granules"), ["db.granules/notes.txt"]);
    // Files kept on request are not leftovers.
    nasa.ok(&[&["--db", "kept"], &YEARS[..], &["--keep"]].concat());
    nasa.ok(&[&["--db", "kept"], &YEARS[..]].concat());
    assert!(names.iter().all(|name| file(&nasa.place, "kept.granules", name).exists()));
}

#[test]
fn a_password_in_a_work_list_reaches_neither_database_nor_report() {
    let nasa = three();
    let lines: Vec<String> = nasa
        .names()
        .iter()
        .map(|name| {
            let url = nasa.archive.url(name).replace("http://", "http://ann:hunter2@") + "?X-Amz-Signature=hunter2";
            let line = json!({"granule": name, "start": "2020-01-01T00:00:00Z", "concept_id": "G1-X", "https": url});
            format!("{line}\n")
        })
        .collect();
    std::fs::write(nasa.place.path("list.ndjson"), lines.concat()).unwrap();
    nasa.archive.play(&nasa.names()[0], [Trick::Archive(404, vec![])]);
    let run = nasa.run(&["ingest", "list.ndjson", "--report", "r.json"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let ledger = nasa.place.rows("SELECT * FROM granules").join("\n");
    let report = std::fs::read_to_string(nasa.place.path("r.json")).unwrap();
    for message in [&run.stderr, &ledger, &report] {
        assert!(!message.contains("hunter2") && message.contains("ATL08_"), "{message}");
    }
    nasa.ok(&["ingest", "list.ndjson"]);
    nasa.equals_an_ingest_from_disk(&[]);
}
