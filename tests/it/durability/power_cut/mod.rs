//! Power cuts. A preloaded library records every operation on the disk, and the database is rebuilt from the synced state: reported
//! commits are complete, no row is doubled, and the same commands then give the same database.

mod disk;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::preload::shim;
use crate::support::random::{Random, random};
use crate::support::{Content, Run, TestFolder};
use disk::{Disk, Event, events};

/// Granules per window.
const WINDOW: i64 = 2;
const CONFIG: &str =
    "product: ATL08\nvariables: [h_canopy, night_flag]\nwindow: {granules: 2}\nconsolidate: {fragments: 0}\n";

/// Windows, replaced granules, a new column, consolidation, vacuum, and another window.
const COMMANDS: [&[&str]; 6] = [
    &["--config", "c.yml", "ingest", "granules"],
    &["--config", "c.yml", "ingest", "revised"],
    &["add-variable", "asr"],
    &["consolidate"],
    &["vacuum", "--older-than", "0s"],
    &["ingest", "more"],
];

/// One recorded command of [`COMMANDS`].
struct RecordedCommand {
    /// Number of events before its first one.
    begins: usize,
    /// Number of attempts in the ledger before it.
    attempts: i64,
}

/// Segments minus rows kept in the ledger, doubled segments, and attempts.
const WHOLE: &str = "SELECT (SELECT count(*) FROM segments) - (SELECT coalesce(sum(rows_kept), 0) FROM granules_current), \
     (SELECT count(*) FROM segments) - (SELECT count(*) FROM (SELECT DISTINCT ingest_id, beam, segment_id_beg FROM segments)), \
     (SELECT count(*) FROM granules)";

fn prepared() -> TestFolder {
    let place = TestFolder::in_memory();
    let make = |folder: &str, count: &str, more: &[&str]| {
        place.make_granules(folder, &[&["--count", count, "--every", "2", "--segments", "10"], more].concat());
    };
    make("granules", "4", &[]);
    make("revised", "2", &["--revision", "2"]);
    make("more", "6", &[]);
    std::fs::write(place.path("c.yml"), CONFIG).unwrap();
    place
}

fn with_database<'a>(database: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--db", database], arguments].concat()
}

/// Runs `COMMANDS` in the folder `disk` and records it. Returns the events, and the beginning of each command.
fn record(place: &TestFolder, library: &Path) -> (Vec<Event>, Vec<RecordedCommand>) {
    for folder in ["disk", "record"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    let (mut commands, mut attempts) = (Vec::new(), 0);
    for arguments in COMMANDS {
        let begins = if commands.is_empty() { 0 } else { events(&place.path("record")).len() };
        commands.push(RecordedCommand { begins, attempts });
        let mut command = place.command(&with_database("disk/db", arguments));
        command.env("LD_PRELOAD", library);
        command.env("ISDB_TEST_RECORD_ROOT", place.path("disk")).env("ISDB_TEST_RECORD", place.path("record"));
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, Some(0), "isdb {}\n{}", arguments.join(" "), run.stderr);
        attempts = place.rows_with(&["--db", "disk/db"], "SELECT count(*) FROM granules")[0].parse().unwrap();
    }
    (events(&place.path("record")), commands)
}

/// Which unsynced changes of a folder survive the power cut.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Luck {
    None,
    Some,
    All,
}

/// The moment of a power cut.
struct PowerCut {
    /// Number of events before it.
    at: usize,
    /// Which unsynced changes survive.
    luck: Luck,
    /// Whether the remaining commands run afterwards.
    goes_on: bool,
    seed: u64,
}

/// After each reported commit, after the creation of each file that every open of an array reads, and at random moments.
fn cuts(events: &[Event], random: &mut Random) -> Vec<PowerCut> {
    let mut cuts = Vec::new();
    let mut is_new = false;
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Create { path, is_folder: false, .. } | Event::Rename { to: path, .. }
                if is_read_by_every_open(path) =>
            {
                cuts.push(PowerCut { at: at + 1, luck: Luck::All, goes_on: false, seed: 0 });
            }
            Event::Link { to, .. } => is_new |= to.parent().is_some_and(|folder| folder.ends_with("db/commits")),
            // Its folder and that of the database are synced.
            Event::Entries { .. } if is_new => {
                is_new = false;
                cuts.push(PowerCut { at: at + 2, luck: Luck::None, goes_on: false, seed: 0 });
            }
            _ => {}
        }
    }
    assert!(cuts.len() > 2 * COMMANDS.len(), "{} commits", cuts.len());
    for case in 0..isdb_testing::times(8, 300) {
        let at = usize::try_from(random.below(events.len() as u64)).unwrap();
        let luck = if case % 2 == 0 { Luck::None } else { Luck::Some };
        cuts.push(PowerCut { at, luck, goes_on: true, seed: random.next() });
    }
    cuts
}

/// Whether libtiledb reads the file whenever it opens the array. It reads fragments only once they have a commit file.
fn is_read_by_every_open(path: &Path) -> bool {
    let is_of = |folder: &str| path.parent().is_some_and(|parent| parent.ends_with(folder));
    ["db/segments", "db/granules"]
        .iter()
        .any(|array| ["__schema", "__meta", "__fragment_meta"].iter().any(|folder| is_of(&format!("{array}/{folder}"))))
}

/// On a network, opening a file takes longer than writing it. What is synced twice was written twice.
fn each_file_of_a_fragment_is_opened_and_synced_once(events: &[Event]) {
    let is_of_fragment = |path: &Path| path.components().any(|part| part.as_os_str() == "__fragments");
    let (mut files, mut syncs) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        match event {
            // The number of a removed file may be given to a later one.
            Event::Create { inode, path, is_folder } => {
                files.remove(inode);
                if !is_folder && is_of_fragment(path) {
                    files.insert(*inode, path.clone());
                    assert_eq!(syncs.insert(path.clone(), 0), None, "{} was created twice", path.display());
                }
            }
            Event::Reopen { path } => assert!(!is_of_fragment(path), "{} was opened again", path.display()),
            Event::Sync { inode, .. } => {
                if let Some(path) = files.get(inode) {
                    *syncs.entry(path.clone()).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    assert!(syncs.len() > 20, "{} files of fragments", syncs.len());
    assert!(syncs.values().all(|times| *times == 1), "{syncs:?}");
}

#[test]
fn after_a_power_cut_committed_rows_exist_once_and_the_next_run_continues() {
    let Some(library) = shim("record") else { return };
    let place = prepared();
    let (events, commands) = record(&place, &library);
    each_file_of_a_fragment_is_opened_and_synced_once(&events);
    let expected = Content::read_database(&place, "disk/db");
    let mut disk = Disk::new(&place.path("disk"));
    events.iter().for_each(|event| disk.apply(event));
    disk.is_as_on_disk();

    let cuts = cuts(&events, &mut random());
    // Two workers: each case runs some processes, one after the other.
    let next = AtomicUsize::new(0);
    let work = |worker: usize| {
        while let Some(cut) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut disk = Disk::new(&place.path("disk"));
            events[..cut.at].iter().for_each(|event| disk.apply(event));
            let folder = format!("cut-{worker}");
            let mut random = Random::new(cut.seed);
            disk.after_a_power_cut(&place.path(&folder), &mut |changes| match cut.luck {
                Luck::None => 0,
                Luck::Some => usize::try_from(random.below(changes as u64 + 1)).unwrap(),
                Luck::All => changes,
            });
            check(&place, &folder, cut, &events, &commands, &expected);
            std::fs::remove_dir_all(place.path(&folder)).unwrap();
        }
    };
    std::thread::scope(|scope| {
        let workers = [0, 1].map(|worker| scope.spawn(move || work(worker)));
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// Checks the database in `folder`, and runs the remaining commands.
fn check(
    place: &TestFolder,
    folder: &str,
    cut: &PowerCut,
    events: &[Event],
    commands: &[RecordedCommand],
    expected: &Content,
) {
    let database = format!("{folder}/db");
    let command = commands.iter().rposition(|command| command.begins <= cut.at).unwrap();
    let message = message(&events[commands[command].begins..cut.at]);
    let case = format!(
        "the power went at event {} of {}, in isdb {}, luck {:?}; the last was {:?}",
        cut.at,
        events.len(),
        COMMANDS[command].join(" "),
        cut.luck,
        events[..cut.at].last(),
    );
    let least = commands[command].attempts + committed_granules(&message);
    let seen = place.run(&with_database(&database, &["query", "--format", "csv", WHOLE]));
    if seen.code == Some(0) {
        let row: Vec<i64> =
            seen.stdout.lines().nth(1).unwrap().split(',').map(|number| number.parse().unwrap()).collect();
        let [differing, doubled, attempts] = row[..] else { panic!("{case}: {row:?}") };
        assert_eq!((differing, doubled, attempts % WINDOW), (0, 0, 0), "{case}");
        assert!(attempts >= least, "{case}: {attempts} of {least} that were reported as committed");
    } else {
        assert!(seen.stderr.contains("no isdb database"), "{case}: {}", seen.stderr);
        // The line "granules to ingest" follows the creation of the database.
        assert!(least == 0 && !message.contains("granules to ingest"), "{case}: the database is gone");
    }
    if cut.goes_on {
        for arguments in &COMMANDS[command..] {
            let run = place.run(&with_database(&database, arguments));
            assert_eq!(run.code, Some(0), "{case}: isdb {}\n{}", arguments.join(" "), run.stderr);
        }
        expected.is_in_database(place, &database, &case);
    }
}

/// The standard error of a command.
fn message(events: &[Event]) -> String {
    let text = |event: &Event| if let Event::Stderr { text } = event { Some(text.clone()) } else { None };
    events.iter().filter_map(text).collect()
}

/// Number of granules that it reports as committed.
fn committed_granules(message: &str) -> i64 {
    let whole_lines = message.rsplit_once('\n').map_or("", |(lines, _)| lines);
    let count = |line: &str| line.strip_prefix("granules: ")?.split_once(" of ")?.0.parse().ok();
    whole_lines.lines().filter_map(count).next_back().unwrap_or(0)
}
