//! From a search to a committed database, against a CMR and an archive on this machine.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::chance::random;
use crate::nasa::archive::{Archive, PASSWORD, TOKEN, Trick, USER};
use crate::nasa::cmr::{Act, FakeCmr, description};
use crate::nasa::s3::S3;
use crate::shim::shim;
use crate::support::{Place, Run};

/// The signal of a process that was killed.
const SIGKILL: i32 = 9;
/// Windows of two granules of one calendar quarter.
const CONFIG: &str = "product: ATL08\nvariables: [h_canopy, h_te_best_fit, canopy_h_metrics]\nwindow: {granules: 2}\n";
/// What two databases of the same granules have in common.
const SEGMENTS: &str = "SELECT * EXCEPT (ingest_id, fragment_id) FROM atl08 ORDER BY granule, beam, segment_id_beg";
const LEDGER: &str = "SELECT granule, release, revision, state, rows_read, rows_kept, checksum, area FROM granules_current \
                      ORDER BY granule";

/// A place with synthetic granules that only NASA has.
pub(crate) struct Nasa {
    pub(crate) place: Place,
    pub(crate) cmr: FakeCmr,
    pub(crate) archive: Archive,
}

impl Nasa {
    /// With what `make_granules` writes for `options`.
    pub(crate) fn with(options: &[&str]) -> Nasa {
        let (place, cmr, archive) = (Place::in_memory(), FakeCmr::start(Vec::new()), Archive::new());
        place.make_granules("theirs", options);
        std::fs::write(place.path("c.yml"), CONFIG).unwrap();
        let nasa = Nasa { place, cmr, archive };
        nasa.publish();
        nasa
    }

    /// Six small granules of one quarter.
    fn six() -> Nasa {
        Nasa::with(&["--count", "6", "--every", "2", "--segments", "20"])
    }

    /// Gives out what lies in `theirs`, and gives its descriptions.
    pub(crate) fn publish(&self) -> Vec<Value> {
        let items: Vec<Value> = (1..).zip(self.names()).map(|(number, name)| self.item(number, &name)).collect();
        self.cmr.know(items.clone());
        items
    }

    fn item(&self, number: u64, name: &str) -> Value {
        let content = Bytes::from(std::fs::read(self.place.path("theirs").join(name)).unwrap());
        let mut item = description(name, number, "NSIDC_CPRD");
        let file = &mut item["umm"]["DataGranule"]["ArchiveAndDistributionInformation"][0];
        file["SizeInBytes"] = json!(content.len());
        file.as_object_mut().unwrap().remove("Checksum");
        item["umm"]["RelatedUrls"][0]["URL"] = json!(self.archive.url(name));
        self.archive.put(name, content);
        item
    }

    /// The names of NASA's files, by time.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.place.files("theirs").iter().map(|path| path.rsplit('/').next().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(&[&["--config", "c.yml"], arguments].concat());
        command
            .env("ISDB_CMR_URL", &self.cmr.url)
            .env("ISDB_EARTHDATA_LOGIN_URL", self.archive.login_url())
            .env("ISDB_EARTHDATA_HOSTS", self.archive.hosts())
            .env("EARTHDATA_TOKEN", TOKEN)
            .env("NETRC", self.place.path("netrc"))
            .env("no_proxy", "*");
        command
    }

    /// Ingests, and kills that after `milliseconds`. False if it was done by then.
    fn killed_after(&self, milliseconds: u64) -> bool {
        let mut child = self.command(&YEARS).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap().signal() == Some(SIGKILL)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "isdb {}\n{}", arguments.join(" "), run.stderr);
        run
    }

    /// How often the file was sent, in whole or in part.
    fn sent(&self, name: &str) -> usize {
        self.archive.count("store", name)
    }

    fn all_sent(&self) -> usize {
        self.archive.count("store", ".h5")
    }

    /// Demands that the database holds what an ingest of the same files from disk gives.
    pub(crate) fn equals_an_ingest_from_disk(&self, options: &[&str]) {
        let local = [&["--config", "c.yml", "--db", "local", "ingest", "theirs"], options].concat();
        self.place.ok(&local);
        for sql in [SEGMENTS, LEDGER] {
            let expected = self.place.rows_with(&["--db", "local"], sql);
            assert!(!expected.is_empty());
            assert!(self.place.rows(sql) == expected, "{sql}");
        }
    }

    fn states(&self) -> Vec<String> {
        self.place.rows("SELECT state, stage, count(*) FROM granules GROUP BY state, stage ORDER BY state")
    }
}

pub(crate) const YEARS: [&str; 5] = ["ingest", "--start", "2018", "--end", "2030"];

/// The box of the segments of one granule.
fn box_of(place: &Place, granule: usize) -> String {
    let whole = ["--config", "c.yml", "--db", "whole", "ingest", "theirs"];
    place.ok(&whole);
    let sql = format!(
        "SELECT concat_ws(',', min(longitude) - 0.01, min(latitude), max(longitude) + 0.01, avg(latitude)) FROM atl08 \
         GROUP BY granule ORDER BY granule LIMIT 1 OFFSET {granule}"
    );
    place.rows_with(&["--db", "whole"], &sql)[0].trim_matches('"').to_owned()
}

#[test]
fn a_region_and_dates_are_all_that_a_database_needs_and_a_second_run_fetches_nothing() {
    let nasa = Nasa::six();
    let region = box_of(&nasa.place, 2);
    let asked = ["ingest", "--region", &region, "--start", "2018-01-01", "--end", "2030-12-31"];
    let run = nasa.ok(&asked);
    assert!(run.stderr.contains("granules: 6\n"), "what is found is told\n{}", run.stderr);
    assert!(run.stderr.contains("to fetch: 6 granules, "), "{}", run.stderr);
    assert!(!nasa.place.path("db.granules").exists(), "what was fetched is gone");
    let form = &nasa.cmr.asked()[1];
    assert_eq!(form.value("temporal"), Some("2018-01-01T00:00:00.000Z,2030-12-31T23:59:59.999Z"));
    assert_eq!((form.value("version"), form.value("bounding_box[]").is_some()), (Some("007"), true));
    nasa.equals_an_ingest_from_disk(&["--region", &region]);
    let empty: usize = nasa.place.rows("SELECT count(*) FROM granules WHERE state = 'empty'")[0].parse().unwrap();
    assert!((1..6).contains(&empty), "some only touch the region by their footprints: {empty}");
    assert!(run.stderr.contains(&format!("{empty} empty")), "{}", run.stderr);
    let urls = nasa.place.rows("SELECT source FROM granules ORDER BY source");
    assert!(urls.iter().all(|url| url.starts_with("http://127.0.0.1")), "{urls:?}");

    let before = nasa.archive.seen().len();
    // The database knows its region, and a search is in there.
    let searches = nasa.cmr.asked().len();
    let again = nasa.ok(&["ingest", "--start", "2018-01-01", "--end", "2030-12-31"]);
    assert!(again.stderr.contains("granules: 6 skipped"), "{}", again.stderr);
    let boxes: Vec<_> = nasa.cmr.asked()[searches..]
        .iter()
        .filter_map(|form| form.value("bounding_box[]").map(str::to_owned))
        .collect();
    assert!(
        !boxes.is_empty()
            && boxes.iter().all(|other| Some(other.as_str()) == nasa.cmr.asked()[1].value("bounding_box[]")),
        "{boxes:?}"
    );
    let again = nasa.ok(&asked);
    assert!(again.stderr.contains("granules: 6 skipped"), "{}", again.stderr);
    assert_eq!(nasa.archive.seen().len(), before, "nobody is asked");
    // More of the granules than before is fetched again, and takes the place of the part.
    nasa.ok(&[&asked[..], &["--whole-granules"]].concat());
    assert_eq!(nasa.place.rows(SEGMENTS), nasa.place.rows_with(&["--db", "whole"], SEGMENTS));
}

#[test]
fn files_are_kept_where_and_when_asked_and_files_that_were_there_before_always() {
    let nasa = Nasa::with(&["--count", "3", "--every", "2", "--segments", "10"]);
    let names = nasa.names();
    let file = |folder: &str, name: &str| isdb_cmr::download_path(&nasa.place.path(folder), name).unwrap();
    nasa.ok(&["download", &nasa.archive.url(&names[0]), "--to", "data"]);
    nasa.ok(&[&YEARS[..], &["--data", "data"]].concat());
    assert_eq!(nasa.all_sent(), 3);
    assert_eq!(names.iter().map(|name| file("data", name).exists()).collect::<Vec<_>>(), [true, false, false]);
    nasa.ok(&[&["--db", "other"], &YEARS[..], &["--keep"]].concat());
    assert!(names.iter().all(|name| file("other.granules", name).exists()));
    let run = nasa.ok(&["--db", "other", "ingest", "other.granules"]);
    assert!(run.stderr.contains("granules: 3 skipped"), "they are known from disk, too\n{}", run.stderr);
}

#[test]
fn another_release_is_refused_before_anything_is_fetched_and_replaces_on_demand() {
    let nasa = Nasa::with(&["--count", "4", "--every", "2", "--segments", "10", "--release", "006"]);
    nasa.ok(&YEARS);
    nasa.place.make_granules("theirs", &["--count", "4", "--every", "2", "--segments", "10"]);
    nasa.publish();
    let before = nasa.all_sent();
    let stays = nasa.ok(&YEARS);
    assert!(stays.stderr.contains("release: 006, that of the database"), "{}", stays.stderr);
    let refused = nasa.run(&[&YEARS[..], &["--release", "7"]].concat());
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("hint: ") && refused.stderr.contains("--replace-release"), "{}", refused.stderr);
    assert_eq!(nasa.all_sent(), before);
    let run = nasa.ok(&[&YEARS[..], &["--release", "7", "--replace-release"]].concat());
    assert!(run.stderr.contains("granules: 4 replaced"), "{}", run.stderr);
    assert_eq!(nasa.place.rows("SELECT release, count(*) FROM granules_current GROUP BY release"), ["007,4"]);
}

#[test]
fn trouble_on_the_way_heals_and_what_does_not_is_recorded_and_tried_again() {
    let nasa = Nasa::six();
    let names = nasa.names();
    nasa.cmr.script(&[Act::Serve, Act::Throttle(1), Act::GatewayTimeout]);
    nasa.archive.play(&names[0], [Trick::Cut(3000), Trick::Store(403)]);
    nasa.archive.play(&names[1], [Trick::Archive(503, vec![("retry-after", "0".to_owned())])]);
    nasa.archive.play(&names[3], [Trick::Archive(404, vec![])]);
    let run = nasa.run(&YEARS);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let told = format!("/{} answered 404 Not Found", names[3]);
    assert!(run.stderr.lines().any(|line| line.starts_with("failed: ") && line.ends_with(&told)), "{}", run.stderr);
    assert!(run.stderr.contains("granules: 5 ingested, 1 failed"), "{}", run.stderr);
    assert_eq!(nasa.states(), ["failed,download,1", "ingested,,5"]);
    let commits = || std::fs::read_dir(nasa.place.path("db/commits")).unwrap().count();
    let before = commits();
    let run = nasa.ok(&YEARS);
    assert!(run.stderr.contains("granules: 1 ingested, 5 skipped"), "{}", run.stderr);
    assert!(commits() > before);
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn a_granule_that_cmr_names_no_place_of_is_recorded_in_the_window_of_its_time() {
    let nasa = Nasa::with(&["--count", "3", "--every", "2", "--segments", "10"]);
    let mut items = nasa.publish();
    items[0]["umm"]["RelatedUrls"] = json!([]);
    nasa.cmr.know(items);
    let run = nasa.run(&YEARS);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(nasa.states(), ["failed,search,1", "ingested,,2"]);
    let times = nasa.place.rows("SELECT finished_at, state FROM granules ORDER BY ingest_id");
    assert!(times[0].ends_with("failed"), "{times:?}");
    let again = nasa.run(&YEARS);
    assert!(again.stderr.contains("2 skipped, 1 failed before"), "{}", again.stderr);
    assert_eq!(nasa.states(), ["failed,search,1", "ingested,,2"]);
}

#[test]
fn a_refused_login_ends_the_run_and_what_was_committed_stays() {
    let nasa = Nasa::six();
    let names = nasa.names();
    nasa.archive.play(&names[4], [Trick::Revoke]);
    let run = nasa.run(&YEARS);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("error: Earthdata refused the token"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: ") && !run.stderr.contains(TOKEN), "{}", run.stderr);
    assert_eq!(nasa.states(), ["ingested,,4"]);
    nasa.archive.accept_tokens();
    nasa.ok(&YEARS);
    for name in &names[..4] {
        assert_eq!(nasa.sent(name), 1, "{name}");
    }
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn a_work_list_is_ingested_and_brings_back_what_was_removed() {
    let nasa = Nasa::six();
    let names = nasa.names();
    nasa.ok(&["search", "-o", "list.ndjson"]);
    nasa.ok(&["ingest", "list.ndjson"]);
    nasa.equals_an_ingest_from_disk(&[]);
    nasa.place.ok(&["remove", names[1].trim_end_matches(".h5")]);
    assert!(nasa.ok(&YEARS).stderr.contains("1 removed on purpose"));
    assert_eq!(nasa.sent(&names[1]), 1);
    let run = nasa.ok(&["ingest", "list.ndjson"]);
    assert!(run.stderr.contains("granules: 1 ingested, 5 skipped"), "{}", run.stderr);
    let mixed = nasa.run(&["ingest", "list.ndjson", "theirs"]);
    assert!(mixed.code == Some(1) && mixed.stderr.contains("a command each"), "{}", mixed.stderr);
    let late = nasa.ok(&["--db", "late", "ingest", "list.ndjson", "--start", "2100"]);
    assert!(late.stderr.contains("6 outside the requested period"), "{}", late.stderr);
}

#[test]
fn files_on_disk_are_chosen_by_their_time() {
    let nasa = Nasa::six();
    let names = nasa.names();
    let day = |name: &str| format!("{}-{}-{}", &name[6..10], &name[10..12], &name[12..14]);
    let until = day(&names[2]);
    let expected = names.iter().filter(|name| day(name) <= until).count();
    let run = nasa.ok(&["ingest", "theirs", "--end", &until]);
    assert!(run.stderr.contains(&format!("granules: {expected} ingested, {} skipped", 6 - expected)), "{}", run.stderr);
}

/// Which of NASA's files are whole on disk or done in the database, and how often each was sent so far.
fn done(nasa: &Nasa) -> BTreeMap<String, usize> {
    let stored = match nasa.place.path("db").exists() {
        true => nasa.place.run(&["query", "--format", "csv", "SELECT granule FROM granules"]).stdout,
        false => String::new(),
    };
    let is_whole = |name: &str| Path::exists(&isdb_cmr::download_path(&nasa.place.path("db.granules"), name).unwrap());
    let names = nasa.names().into_iter();
    let done = names.filter(|name| is_whole(name) || stored.contains(name.trim_end_matches(".h5")));
    done.map(|name| (name.clone(), nasa.sent(&name))).collect()
}

#[test]
fn killed_at_random_moments_and_run_again_it_goes_on_and_fetches_nothing_whole_twice() {
    let nasa = Nasa::with(&["--count", "10", "--every", "2", "--segments", "20"]);
    nasa.archive.slow_down(Duration::from_millis(4));
    let mut random = random();
    let wanted = isdb_testing::times(12, 60);
    // A run that was done before its kill does not count, and the next one begins anew.
    let (mut killed, mut runs) = (0, 0);
    while killed < wanted {
        runs += 1;
        assert!(runs <= 4 * wanted, "{killed} of {runs} kills came while an ingest was at work");
        killed += u32::from(nasa.killed_after(150 + random.below(500)));
        // What it had asked for by then is counted.
        std::thread::sleep(Duration::from_millis(50));
        let before = done(&nasa);
        // A short run, so that there is something to be wrong.
        nasa.killed_after(150 + random.below(300));
        for (name, sent) in before {
            assert_eq!(nasa.sent(&name), sent, "{name} was there already");
        }
        if done(&nasa).len() == nasa.names().len() && killed < wanted {
            for left in ["db", "db.granules"] {
                let _ = std::fs::remove_dir_all(nasa.place.path(left));
            }
        }
    }
    let before = done(&nasa);
    nasa.ok(&YEARS);
    for (name, sent) in before {
        assert_eq!(nasa.sent(&name), sent, "{name} was there already");
    }
    assert!(!nasa.place.path("db.granules").exists(), "nothing is left, not even of interrupted runs");
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn granules_are_fetched_to_file_systems_without_locks_links_and_synced_folders() {
    let Some(library) = shim("filesystem") else { return };
    let nasa = Nasa::six();
    let mut command = nasa.command(&YEARS);
    let ended =
        command.env("LD_PRELOAD", library).env("ISDB_TEST_LACKS", "link=1 dirsync=22 flock=37").output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(!nasa.place.path("db.granules").exists());
    nasa.equals_an_ingest_from_disk(&[]);
}

#[test]
fn granules_read_in_place_are_stored_as_if_they_had_been_fetched() {
    let (nasa, s3) = (Nasa::six(), S3::new());
    let names = nasa.names();
    let items = (1..).zip(&names).map(|(number, name)| {
        let mut item = nasa.item(number, name);
        let urls = item["umm"]["RelatedUrls"].as_array_mut().unwrap();
        let direct = urls.iter_mut().find(|url| url["Type"] == "GET DATA VIA DIRECT ACCESS").unwrap();
        direct["URL"] = json!(format!("s3://nsidc/ATLAS/{name}"));
        let content = std::fs::read(nasa.place.path("theirs").join(name)).unwrap();
        s3.put(&format!("/nsidc/ATLAS/{name}"), Bytes::from(content));
        item
    });
    nasa.cmr.know(items.collect());
    let ingest = |database: &str, more: &[&str]| {
        let mut command = nasa.command(&[&["--db", database, "ingest", "--release", "7"], more].concat());
        // The archive gives credentials of S3 to a login only.
        command.env_remove("EARTHDATA_TOKEN").env("EARTHDATA_USERNAME", USER).env("EARTHDATA_PASSWORD", PASSWORD);
        let ended = command.env("ISDB_S3_ENDPOINT", s3.endpoint()).output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    let (code, told) = ingest("direct", &["--direct"]);
    assert_eq!(code, Some(0), "{told}");
    let (requests, bytes) = s3.answered();
    println!("6 granules read in place: {requests} requests, {bytes} bytes");
    assert!(requests >= names.len() && !nasa.place.path("direct.granules").exists(), "nothing is fetched to disk");
    let (code, told) = ingest("fetched", &[]);
    assert_eq!(code, Some(0), "{told}");
    let of = |database| nasa.place.rows_with(&["--db", database], SEGMENTS);
    let direct = of("direct");
    assert!(!direct.is_empty() && direct == of("fetched"));

    s3.refuse();
    let (code, told) = ingest("outside", &["--direct"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("us-west-2") && told.contains("a download works from everywhere"), "{told}");
    assert!(told.contains("6 read\n"), "the stage: {told}");
    // That says nothing of the granules: the same command goes on, once S3 gives them out.
    s3.accept();
    let (code, told) = ingest("outside", &["--direct"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(of("outside") == direct);
}

#[test]
fn a_wrong_file_fails_its_granule_and_the_others_are_ingested() {
    // Of another release, and of another granule.
    for (case, options) in [("release", &["--release", "6"][..]), ("granule", &["--seed", "2"])] {
        let nasa = Nasa::six();
        let names = nasa.names();
        nasa.place.make_granules("wrong", &[&["--count", "1", "--segments", "20"], options].concat());
        std::fs::copy(nasa.place.path(&nasa.place.files("wrong")[0]), nasa.place.path("theirs").join(&names[1]))
            .unwrap();
        nasa.publish();
        let asked = [&YEARS[..], &["--release", "7"]].concat();
        let run = nasa.run(&asked);
        assert_eq!(run.code, Some(3), "{case}: {}", run.stderr);
        let (id, _) = names[1].split_once('.').unwrap();
        let told = format!("is not what the catalogue describes: expected {id}, found ATL08_");
        assert!(run.stderr.contains(&told), "{case}: {}", run.stderr);
        assert!(run.stderr.contains("5 ingested, 1 failed"), "{case}: {}", run.stderr);
        // It is remembered, and not fetched again and again.
        let sent = nasa.all_sent();
        let again = nasa.run(&asked);
        assert_eq!(again.code, Some(3), "{case}: {}", again.stderr);
        assert!(again.stderr.contains("5 skipped, 1 failed before"), "{case}: {}", again.stderr);
        assert_eq!(nasa.all_sent(), sent);
    }
}

#[test]
fn an_absurd_size_in_a_work_list_fails_its_granule_and_the_others_are_ingested() {
    let nasa = Nasa::six();
    nasa.ok(&["search", "-o", "list.ndjson"]);
    let list = std::fs::read_to_string(nasa.place.path("list.ndjson")).unwrap();
    let absurd = |(index, line): (usize, &str)| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if index < 2 {
            line["bytes"] = json!(u64::MAX);
        }
        format!("{line}\n")
    };
    let list: String = list.lines().enumerate().map(absurd).collect();
    std::fs::write(nasa.place.path("list.ndjson"), list).unwrap();
    let run = nasa.run(&["ingest", "list.ndjson"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    for name in &nasa.names()[..2] {
        let told = format!("failed: search: {name}: expected a size of at most ");
        assert!(run.stderr.contains(&told) && run.stderr.contains("found 18446744073709551615"), "{}", run.stderr);
    }
    assert!(run.stderr.contains("4 ingested, 2 failed"), "{}", run.stderr);
}
