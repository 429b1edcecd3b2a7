//! A fresh folder, the program, and granules to ingest.

pub(crate) mod handmade_granule;
pub(crate) mod preload;
pub(crate) mod python;
pub(crate) mod random;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use isdb_testing::{bound_by_permissions, real};
use tempfile::TempDir;

/// A fresh folder with a database name in it.
pub(crate) struct TestFolder {
    folder: TempDir,
    /// Variables of the environment of each run.
    variables: Vec<(&'static str, String)>,
}

/// Exit code and output of a run of the program.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl TestFolder {
    pub(crate) fn new() -> TestFolder {
        TestFolder { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A folder in memory where the machine has one, for tests that write many databases and do not test the disk.
    pub(crate) fn in_memory() -> TestFolder {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        TestFolder { folder: folder.unwrap(), variables: Vec::new() }
    }

    /// Sets variables of the environment for all runs.
    pub(crate) fn set_variables(&mut self, variables: impl IntoIterator<Item = (&'static str, String)>) {
        self.variables.extend(variables);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with its database in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_isdb")), arguments)
    }

    /// The same, without the privileges of root over file permissions; `None`, counted as a skipped test, where impossible.
    pub(crate) fn bound_command(&self, arguments: &[&str]) -> Option<Command> {
        Some(self.prepared(bound_by_permissions(env!("CARGO_BIN_EXE_isdb"))?, arguments))
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.current_dir(self.folder.path()).env("ISDB_DB", "db").args(arguments).stdin(Stdio::null());
        command.envs(self.variables.iter().cloned());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }

    /// Runs the program and asserts that it succeeds.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "isdb {}\n{}", arguments.join(" "), run.stderr);
        run
    }

    /// The rows of a query as CSV lines, without the header.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.rows_with(&[], sql)
    }

    /// The rows of a query with further options, such as another database.
    pub(crate) fn rows_with(&self, options: &[&str], sql: &str) -> Vec<String> {
        let run = self.ok(&[&["query", "--format", "csv"], options, &[sql]].concat());
        run.stdout.lines().skip(1).map(str::to_owned).collect()
    }

    /// The newest commit's timestamp, as `isdb info` prints it.
    pub(crate) fn timestamp(&self) -> String {
        let info = self.ok(&["info"]).stdout;
        info.split("at timestamp ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    }

    /// Paths of the files in `folder`, below this folder.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap())).collect()
    }

    /// Copies a folder with everything below it.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        std::fs::create_dir(self.path(to)).unwrap();
        for entry in std::fs::read_dir(self.path(from)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let (from, to) = (format!("{from}/{name}"), format!("{to}/{name}"));
            if entry.file_type().unwrap().is_dir() {
                self.copy(&from, &to);
            } else {
                std::fs::copy(self.path(&from), self.path(&to)).unwrap();
            }
        }
    }

    /// Writes `count` synthetic granules of about `segments` segments a beam into `folder`.
    pub(crate) fn synthesise(&self, folder: &str, count: usize, segments: usize) {
        self.make_granules(folder, &["--count", &count.to_string(), "--segments", &segments.to_string()]);
    }

    /// Writes synthetic granules into `folder` with the options of the example `make_granules`.
    pub(crate) fn make_granules(&self, folder: &str, options: &[&str]) {
        let generator = Path::new(env!("CARGO_BIN_EXE_isdb")).with_file_name("examples").join("make_granules");
        let made = Command::new(&generator)
            .arg(self.path(folder))
            .args(options)
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", generator.display()));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The rows of a database without the columns that differ between runs: ids of attempts and fragments, and times.
pub(crate) struct Content {
    pub(crate) segments: Vec<String>,
    pub(crate) ledger: Vec<String>,
}

impl Content {
    pub(crate) const SEGMENTS: &str =
        "SELECT * EXCEPT (ingest_id, fragment_id) FROM atl08 ORDER BY granule, beam, segment_id_beg";
    pub(crate) const LEDGER: &str =
        "SELECT * EXCEPT (ingest_id, replaces, finished_at) FROM granules ORDER BY granule, source, ingest_id";

    /// The content of the database of `place`.
    pub(crate) fn read(place: &TestFolder) -> Content {
        Content::read_database(place, "db")
    }

    /// The content of another database in `place`.
    pub(crate) fn read_database(place: &TestFolder, database: &str) -> Content {
        let [segments, ledger] =
            [Content::SEGMENTS, Content::LEDGER].map(|sql| place.rows_with(&["--db", database], sql));
        Content { segments, ledger }
    }

    /// Asserts that the database of `place` has the same content.
    pub(crate) fn is_in(&self, place: &TestFolder, case: &str) {
        self.is_in_database(place, "db", case);
    }

    /// Asserts that another database in `place` has the same content.
    pub(crate) fn is_in_database(&self, place: &TestFolder, database: &str, case: &str) {
        let found = Content::read_database(place, database);
        for (what, expected, found) in
            [("segments", &self.segments, &found.segments), ("granules", &self.ledger, &found.ledger)]
        {
            let differing = expected.iter().zip(found).find(|(expected, found)| expected != found);
            assert!(differing.is_none(), "{case}: {what}: {differing:?}");
            assert_eq!(found.len(), expected.len(), "{case}: {what}");
        }
    }
}

/// The real release 004 granule; `None`, counted as a skipped test, without real granules.
pub(crate) fn release_004() -> Option<PathBuf> {
    real("processed_ATL08_20200821122613_08730802_004_01.h5")
}
