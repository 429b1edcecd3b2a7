//! Readers during writes: while granules are ingested, consolidated and vacuumed, every open sees exactly one committed state.

use std::collections::HashSet;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use isdb::datafusion::error::DataFusionError;
use isdb::datafusion::prelude::SessionContext;
use isdb_testing::times;

use crate::support::TestFolder;

/// Number of opens, and in `make test-long`.
const OPENS: [u32; 2] = [300, 3_000];
const READERS: usize = 2;
const GRANULES: usize = 30;
/// Number of writes.
const ROUNDS: usize = 20;
/// Granules per window.
const WINDOW: usize = 2;
const CONFIG: &str = "product: ATL08\nvariables: [h_canopy, h_te_best_fit, night_flag]\nwindow: {granules: 2}\n";

/// The state that a reader sees: granules, segments, and a sum that identifies the segments.
type State = [i64; 3];

const SEEN: [&str; 2] = [
    "SELECT count(DISTINCT granule) FROM granules WHERE state = 'ingested'",
    "SELECT count(*), coalesce(sum(CAST(segment_id_beg AS BIGINT)), 0) FROM segments",
];

async fn first_row(database: &SessionContext, sql: &str) -> Result<Vec<i64>, DataFusionError> {
    let batches = database.sql(sql).await?.collect().await?;
    let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
    Ok(batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().value(0)).collect())
}

/// An error and its causes in one line.
fn message(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Opens the database and reads its state; an error as text.
async fn read_state(uri: &str) -> Result<State, String> {
    let database = isdb::Database::open(uri).await.map_err(|error| message(&error))?;
    let mut state = Vec::new();
    for sql in SEEN {
        state.extend(first_row(database.session(), sql).await.map_err(|error| message(&error))?);
    }
    Ok(state.try_into().unwrap())
}

/// The states after each window of an ingest.
fn committed_states(place: &TestFolder) -> HashSet<State> {
    place.ok(&["--db", "all", "--config", "c.yml", "ingest", "granules"]);
    let each = "SELECT count(*), sum(CAST(segment_id_beg AS BIGINT)) FROM atl08 GROUP BY granule ORDER BY min(time)";
    let granules = place.rows_with(&["--db", "all"], each);
    assert_eq!(granules.len(), GRANULES);
    let mut state = [0; 3];
    let mut states = HashSet::from([state]);
    for window in granules.chunks(WINDOW) {
        for granule in window {
            let (segments, ids) = granule.split_once(',').unwrap();
            let more = [1, segments.parse::<i64>().unwrap(), ids.parse().unwrap()];
            state = std::array::from_fn(|index| state[index] + more[index]);
        }
        states.insert(state);
    }
    states
}

/// Opens and reads until `stop` is set.
fn read_until_stopped(uri: &str, legal: &HashSet<State>, opened: &AtomicUsize, stop: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut last = 0;
    while !stop.load(Ordering::Relaxed) {
        match runtime.block_on(read_state(uri)) {
            Ok(state) => {
                assert!(legal.contains(&state), "{state:?} was never committed; open {opened:?}");
                assert!(state[0] >= last, "{} granules after {last}: the database went back", state[0]);
                last = state[0];
            }
            // A vacuum without grace period may remove fragments during a read, which is then the error "expired".
            Err(error) => assert!(error.contains("expired"), "{error}"),
        }
        opened.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn readers_see_committed_states_only_while_others_write() {
    let opens = times(OPENS[0], OPENS[1]) as usize;
    let place = TestFolder::in_memory();
    place.make_granules("granules", &["--count", &GRANULES.to_string(), "--every", "2", "--segments", "15"]);
    std::fs::write(place.path("c.yml"), CONFIG).unwrap();
    let legal = committed_states(&place);
    let mut files = place.files("granules");
    files.sort();

    let ingest = |files: &[String]| {
        let names: Vec<&str> = files.iter().map(String::as_str).collect();
        place.ok(&[&["--config", "c.yml", "ingest"], names.as_slice()].concat());
    };
    ingest(&files[..WINDOW]);
    let uri = place.path("db").to_str().unwrap().to_owned();
    let (opened, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..READERS).map(|_| scope.spawn(|| read_until_stopped(&uri, &legal, &opened, &stop))).collect();
        let all_well = || readers.iter().all(|reader| !reader.is_finished());
        for round in 0..ROUNDS {
            // First one more window each round, then all of them again.
            ingest(&files[..((round + 1) * WINDOW).min(GRANULES)]);
            // Every fourth round consolidates and vacuums.
            if round % 4 == 3 {
                place.ok(&["--config", "c.yml", "consolidate"]);
                place.ok(&["vacuum", "--older-than", "0s"]);
            }
            // The opens are spread over the rounds.
            while opened.load(Ordering::Relaxed) * ROUNDS < opens * (round + 1) && all_well() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert!(opened.load(Ordering::Relaxed) >= opens);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let last = runtime.block_on(read_state(&uri)).unwrap();
    assert_eq!(last[0], i64::try_from(GRANULES).unwrap(), "and all of it in the end");
}

#[test]
fn a_session_over_a_vacuumed_state_reports_that_it_expired() {
    let place = TestFolder::in_memory();
    place.make_granules("granules", &["--count", "4", "--every", "2", "--segments", "15"]);
    std::fs::write(place.path("c.yml"), CONFIG).unwrap();
    place.ok(&["--config", "c.yml", "ingest", "granules"]);
    let uri = place.path("db").to_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let held = runtime.block_on(async { isdb::Database::open(&uri).await }).unwrap();
    place.ok(&["--config", "c.yml", "consolidate"]);
    place.ok(&["vacuum", "--older-than", "0s"]);

    let error = runtime.block_on(first_row(held.session(), SEEN[1])).unwrap_err();
    let text = message(&error);
    assert!(isdb::Error::from(error).is_expired() && text.contains("expired"), "{text}");
    let rows = runtime.block_on(read_state(&uri)).unwrap();
    assert_eq!(rows[0], 4, "a new session shows everything");
}
