//! A full disk: the ingest ends with an error that names the database, committed windows stay, and the same command completes once
//! space is free.

use std::process::Command;

use crate::support::{Content, TestFolder};

/// Sizes of the disk in kB, in order: too small to create a database, enough for some windows, enough for all.
const SIZES: [u32; 9] = [200, 500, 700, 800, 900, 1_000, 1_200, 1_800, 40_000];
const CONFIG: &str =
    "product: ATL08\nvariables: [h_canopy, h_te_best_fit, canopy_h_metrics, night_flag]\nwindow: {granules: 2}\n";

/// Mounts a disk, ingests at each size until that succeeds, and keeps the messages of each run and the rows after it. Runs in a
/// mount namespace, in which a user may mount.
const SCRIPT: &str = r#"
set -eu
mkdir -p disk
mount -t tmpfs -o size=200k,mode=755 disk disk
touch mounted
for size in $SIZES; do
    mount -o remount,size=${size}k disk
    code=0
    "$ISDB" --config c.yml ingest granules > out.$size 2> err.$size || code=$?
    echo $code > code.$size
    "$ISDB" query --format csv "$WHOLE" > whole.$size 2>&1 || true
    [ $code = 0 ] && break
done
"$ISDB" query --format csv "$SEGMENTS" > segments
"$ISDB" query --format csv "$LEDGER" > ledger
"#;

const WHOLE: &str = "SELECT (SELECT count(*) FROM granules) AS granules, (SELECT count(*) FROM segments) - \
                     (SELECT coalesce(sum(rows_kept), 0) FROM granules) AS differing";

#[test]
fn an_ingest_into_a_full_disk_fails_loses_nothing_and_completes_once_space_is_free() {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "10", "--every", "2", "--segments", "150"]);
    std::fs::write(place.path("c.yml"), CONFIG).unwrap();
    place.ok(&["--config", "c.yml", "ingest", "granules"]);
    let expected = Content::read(&place);

    let sizes = SIZES.map(|size| size.to_string());
    // Root may mount where a container forbids user namespaces; other users need a namespace as root.
    let run_in = |options: &[&str]| {
        Command::new("unshare")
            .args(options)
            .args(["--mount", "sh", "-c", SCRIPT])
            .current_dir(place.path(""))
            .env("ISDB", env!("CARGO_BIN_EXE_isdb"))
            .env("ISDB_DB", "disk/db")
            .env("SIZES", sizes.join(" "))
            .env("WHOLE", WHOLE)
            .env("SEGMENTS", Content::SEGMENTS)
            .env("LEDGER", Content::LEDGER)
            .output()
    };
    let mut run = run_in(&["--user", "--map-root-user"]);
    if !place.path("mounted").exists() {
        run = run_in(&[]);
    }
    if !place.path("mounted").exists() {
        let why = run.map_or_else(|error| error.to_string(), |run| String::from_utf8_lossy(&run.stderr).into_owned());
        return isdb_testing::skip(
            "no mounts",
            &format!("a disk of a chosen size, mounted with unshare: {}", why.trim()),
        );
    }
    let run = run.unwrap();
    assert!(run.status.success(), "{run:?}");

    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap_or_default();
    let (mut full, mut granules) = (0, 0);
    for size in &sizes {
        let (code, message) = (read(&format!("code.{size}")), read(&format!("err.{size}")));
        if code.trim() == "0" {
            break;
        }
        full += 1;
        assert_eq!(code.trim(), "1", "{size} kB: {message}");
        assert!(message.contains("No space left on device") && message.contains("disk/db"), "{size} kB: {message}");
        let whole = read(&format!("whole.{size}"));
        if let Some((seen, differing)) = whole.lines().nth(1).and_then(|row| row.split_once(',')) {
            assert_eq!(differing, "0", "{size} kB: {whole}");
            let seen: usize = seen.parse().unwrap_or_else(|_| panic!("{size} kB: {whole}"));
            assert!(seen.is_multiple_of(2) && seen >= granules, "{size} kB: {seen} granules after {granules}");
            granules = seen;
        } else {
            assert!(granules == 0 && whole.contains("no isdb database"), "{size} kB: {whole}");
        }
    }
    assert!(full >= 3 && granules > 0, "some runs end before the first window and some after it: {full}, {granules}");
    let rows = |name: &str| read(name).lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert!(rows("segments") == expected.segments && rows("ledger") == expected.ledger, "all is there in the end");
}
