//! The program in a fresh folder, with the fake CMR and archive as its NASA.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::archive::{Archive, TOKEN};
use super::cmr::{FakeCmr, description};
use crate::support::{Run, TestFolder};

/// The signal of a process that was killed.
const SIGKILL: i32 = 9;

/// Windows of two granules of one calendar quarter.
const CONFIG: &str = "product: ATL08\nvariables: [h_canopy, h_te_best_fit, canopy_h_metrics]\nwindow: {granules: 2}\n";
/// Columns of segments and of the ledger in which an ingest from the archive equals one from disk.
pub(crate) const SEGMENTS: &str =
    "SELECT * EXCEPT (ingest_id, fragment_id) FROM atl08 ORDER BY granule, beam, segment_id_beg";
const LEDGER: &str = "SELECT granule, release, revision, state, rows_read, rows_kept, checksum, area FROM granules_current \
                      ORDER BY granule";

/// A fresh folder whose synthetic granules are in the fake archive only.
pub(crate) struct FakeNasa {
    pub(crate) place: TestFolder,
    pub(crate) cmr: FakeCmr,
    pub(crate) archive: Archive,
}

impl FakeNasa {
    /// Publishes the granules that `make_granules` writes for `options`.
    pub(crate) fn with(options: &[&str]) -> FakeNasa {
        let (place, cmr, archive) = (TestFolder::in_memory(), FakeCmr::start(Vec::new()), Archive::new());
        place.make_granules("theirs", options);
        std::fs::write(place.path("c.yml"), CONFIG).unwrap();
        let nasa = FakeNasa { place, cmr, archive };
        nasa.publish();
        nasa
    }

    /// Six small granules of one calendar quarter.
    pub(crate) fn six() -> FakeNasa {
        FakeNasa::with(&["--count", "6", "--every", "2", "--segments", "20"])
    }

    /// Publishes the files of the folder `theirs` and returns their CMR descriptions.
    pub(crate) fn publish(&self) -> Vec<Value> {
        let items: Vec<Value> = (1..).zip(self.names()).map(|(number, name)| self.item(number, &name)).collect();
        self.cmr.know(items.clone());
        items
    }

    pub(crate) fn item(&self, number: u64, name: &str) -> Value {
        let content = Bytes::from(std::fs::read(self.place.path("theirs").join(name)).unwrap());
        let mut item = description(name, number, "NSIDC_CPRD");
        let file = &mut item["umm"]["DataGranule"]["ArchiveAndDistributionInformation"][0];
        file["SizeInBytes"] = json!(content.len());
        file.as_object_mut().unwrap().remove("Checksum");
        item["umm"]["RelatedUrls"][0]["URL"] = json!(self.archive.url(name));
        self.archive.put(name, content);
        item
    }

    /// Names of the published files, by time.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.place.files("theirs").iter().map(|path| path.rsplit('/').next().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
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

    /// Starts an ingest and kills it after `milliseconds`. Returns false if it ended before.
    pub(crate) fn killed_after(&self, milliseconds: u64) -> bool {
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

    /// Number of responses with this file or a part of it.
    pub(crate) fn sent(&self, name: &str) -> usize {
        self.archive.count("store", name)
    }

    pub(crate) fn all_sent(&self) -> usize {
        self.archive.count("store", ".h5")
    }

    /// Asserts that the database equals one that was ingested from the same files on disk.
    pub(crate) fn equals_an_ingest_from_disk(&self, options: &[&str]) {
        let local = [&["--config", "c.yml", "--db", "local", "ingest", "theirs"], options].concat();
        self.place.ok(&local);
        for sql in [SEGMENTS, LEDGER] {
            let expected = self.place.rows_with(&["--db", "local"], sql);
            assert!(!expected.is_empty());
            assert!(self.place.rows(sql) == expected, "{sql}");
        }
    }

    pub(crate) fn states(&self) -> Vec<String> {
        self.place.rows("SELECT state, stage, count(*) FROM granules GROUP BY state, stage ORDER BY state")
    }
}

pub(crate) const YEARS: [&str; 5] = ["ingest", "--start", "2018", "--end", "2030"];
