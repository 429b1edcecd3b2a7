//! `isdb tag`: a tagged state has the same rows whatever is replaced, consolidated and vacuumed after it, until the tag is deleted.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::TestFolder;

const ROWS: &str = "SELECT * FROM atl08 ORDER BY granule, beam, segment_id_beg";
const GRANULES: &str = "SELECT * FROM granules ORDER BY ingest_id";

/// A database of two granules.
fn prepared() -> TestFolder {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 2, 60);
    place.ok(&["ingest", "granules"]);
    place
}

/// Replaces every granule, and removes all that no tag keeps.
fn replace_everything(place: &TestFolder, filters: &str) {
    place.ok(&["ingest", "--refilter", "--filters", filters, "granules"]);
    place.ok(&["consolidate"]);
    vacuum(place);
}

fn vacuum(place: &TestFolder) -> String {
    place.ok(&["vacuum", "--older-than", "0s"]).stderr
}

/// The rows and the ledger of the state `at`, as CSV files on disk have them.
fn exported(place: &TestFolder, at: &str) -> [Vec<u8>; 2] {
    [ROWS, GRANULES].map(|sql| {
        place.ok(&["query", "--at", at, "-o", "rows.csv", sql]);
        fs::read(place.path("rows.csv")).unwrap()
    })
}

/// The tags of the database as objects.
fn tags(place: &TestFolder) -> Vec<Value> {
    serde_json::from_str(&place.ok(&["tag", "--format", "json"]).stdout).unwrap()
}

/// The bytes of all files in `folder` and below.
fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let size = |entry: fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => bytes(&entry.path()),
        false => entry.metadata().unwrap().len(),
    };
    entries.map(size).sum()
}

#[test]
fn a_tagged_state_has_the_same_rows_after_everything_in_it_was_replaced_and_vacuumed() {
    let place = prepared();
    let at = place.timestamp();
    let run = place.ok(&["tag", "paper-2026"]);
    assert!(run.stderr.contains("paper-2026: commit ") && run.stderr.contains(&at), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    let before = exported(&place, "paper-2026");
    assert_eq!(before, exported(&place, &at));
    let count = place.rows("SELECT count(*) FROM atl08");

    replace_everything(&place, "strong");
    replace_everything(&place, "strong,night");
    assert_ne!(place.rows("SELECT count(*) FROM atl08"), count, "the newest state has other rows");
    assert_eq!(exported(&place, "paper-2026"), before);
    assert_eq!(exported(&place, &at), before, "a time selects a tagged state, too");
    assert_eq!(place.rows_with(&["--at", "paper-2026"], "SELECT count(*) FROM atl08"), count);

    let costs = &tags(&place)[0]["kept_bytes"];
    assert!(costs.as_u64().unwrap() > 0, "{costs}");
    let info = place.ok(&["info"]).stdout;
    assert!(info.contains("tags       paper-2026: commit ") && info.contains("; keeps "), "{info}");

    let size = bytes(&place.path("db"));
    let deleted = place.ok(&["tag", "--delete", "paper-2026"]);
    assert!(deleted.stderr.contains("deleted: paper-2026"), "{}", deleted.stderr);
    vacuum(&place);
    // The commits of the tag and of the vacuum are small.
    let freed = size - bytes(&place.path("db"));
    assert!(freed * 10 > costs.as_u64().unwrap() * 9, "{freed} of {costs} bytes");
    for at in ["paper-2026", &at] {
        let run = place.run(&["query", "--at", at, ROWS]);
        let expected = if at == "paper-2026" { "has no tag paper-2026" } else { "has expired" };
        assert!(run.code == Some(1) && run.stderr.contains(expected), "{}", run.stderr);
    }
    assert!(!place.ok(&["info"]).stdout.contains("tags "));
}

#[test]
fn an_untagged_state_expires_and_cannot_be_tagged_then() {
    let place = prepared();
    let at = place.timestamp();
    replace_everything(&place, "strong");
    let run = place.run(&["tag", "late", "--at", &at]);
    assert!(run.code == Some(1) && run.stderr.contains("has expired"), "{}", run.stderr);
    assert!(run.stderr.contains("`isdb tag` keeps a state"), "{}", run.stderr);
    assert_eq!(tags(&place), Vec::<Value>::new());
}

#[test]
fn a_tag_can_be_set_to_an_earlier_state_by_its_time_or_another_tag() {
    let place = prepared();
    let (at, count) = (place.timestamp(), place.rows("SELECT count(*) FROM atl08"));
    let info = place.ok(&["info"]).stdout;
    let printed = info.split_once(&format!("at {at} (")).unwrap().1.split_once(')').unwrap().0.to_owned();
    place.make_granules("more", &["--count", "1", "--seed", "5", "--segments", "60"]);
    place.ok(&["ingest", "more"]);
    place.ok(&["tag", "by-milliseconds", "--at", &at]);
    place.ok(&["tag", "by-instant", "--at", &printed]);
    place.ok(&["tag", "by-tag", "--at", "by-instant"]);
    place.ok(&["tag", "newest"]);
    for name in ["by-milliseconds", "by-instant", "by-tag"] {
        assert_eq!(place.rows_with(&["--at", name], "SELECT count(*) FROM atl08"), count, "{name}");
    }
    assert_ne!(place.rows_with(&["--at", "newest"], "SELECT count(*) FROM atl08"), count);
    let at_ms: u64 = at.parse().unwrap();
    let tags = tags(&place);
    let names: Vec<&str> = tags.iter().map(|tag| tag["tag"].as_str().unwrap()).collect();
    assert_eq!(names, ["by-instant", "by-milliseconds", "by-tag", "newest"]);
    assert!(tags[..3].iter().all(|tag| tag["at"] == at_ms && tag["time"] == printed.as_str()), "{tags:?}");
    assert_eq!(tags[3]["at"].to_string(), place.timestamp());

    // The same tag again changes nothing; another state needs another name.
    place.ok(&["tag", "newest"]);
    let moved = place.run(&["tag", "newest", "--at", &at]);
    assert!(
        moved.code == Some(1) && moved.stderr.contains("has a tag newest, which keeps the state of"),
        "{}",
        moved.stderr
    );
    assert!(moved.stderr.contains("isdb tag --delete"), "{}", moved.stderr);
}

#[test]
fn unknown_and_invalid_names_are_refused_with_advice() {
    let place = prepared();
    place.ok(&["tag", "paper-2026"]);
    for (arguments, parts) in [
        (&["query", "--at", "papr-2026", ROWS][..], &["did you mean paper-2026?", "a time is 2026-11-29"][..]),
        (&["info", "--at", "2020-13"], &["has no tag 2020-13", "a time is 2026-11-29"]),
        (&["tag", "--delete", "papr-2026"], &["did you mean paper-2026?"]),
        (&["tag", "2026"], &["it looks like a time", "v1.0"]),
        (&["tag", "my paper"], &["expected letters, digits"]),
        (&["info", "--at", "2001"], &["did not exist yet"]),
    ] {
        let run = place.run(arguments);
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.stderr);
        assert!(parts.iter().all(|part| run.stderr.contains(part)), "{arguments:?}: {}", run.stderr);
    }
    for arguments in [&["tag", "--delete"][..], &["tag", "--at", "paper-2026"], &["tag", "a", "--delete", "--at", "1"]]
    {
        assert_eq!(place.run(arguments).code, Some(2), "{arguments:?}");
    }
    assert_eq!(tags(&place).len(), 1);
}

#[test]
fn a_citation_names_the_tag_or_says_how_long_the_state_is_kept() {
    let place = prepared();
    let cite = |options: &[&str]| place.ok(&[&["info", "--cite"], options].concat()).stdout;
    let json = |options: &[&str]| -> Value {
        serde_json::from_str(&cite(&[&["--format", "json"], options].concat())).unwrap()
    };
    let text = cite(&[]);
    assert!(text.contains("\nkept until at least ") && text.contains("; `isdb tag NAME --at "), "{text}");
    let untagged = json(&[]);
    assert!(
        untagged["tags"] == serde_json::json!([]) && untagged["kept_until"].as_str() > untagged["at_utc"].as_str(),
        "{untagged}"
    );

    place.ok(&["tag", "paper-2026"]);
    place.make_granules("more", &["--count", "1", "--seed", "5", "--segments", "60"]);
    place.ok(&["ingest", "more"]);
    let text = cite(&["--at", "paper-2026"]);
    assert!(text.ends_with("\nkept by the tag paper-2026: --at paper-2026\n"), "{text}");
    let tagged = json(&["--at", &untagged["at"].to_string()]);
    assert_eq!((&tagged["tags"], &tagged["at"]), (&serde_json::json!(["paper-2026"]), &untagged["at"]));
    assert!(tagged["kept_until"].is_null() && json(&[])["tags"] == serde_json::json!([]));

    place.ok(&["query", "--at", "paper-2026", "-o", "rows.arrow", "SELECT latitude FROM atl08"]);
    let file = fs::File::open(place.path("rows.arrow")).unwrap();
    let schema = arrow::ipc::reader::FileReader::try_new(file, None).unwrap().schema();
    assert_eq!(schema.metadata()["isdb_tag"], "paper-2026");
    assert_eq!(schema.metadata()["isdb_citation"], text.trim_end());
}
