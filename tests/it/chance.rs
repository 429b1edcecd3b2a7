//! Tests at random: how many cases, and from which seed. `ISDB_TEST_LONG=N` runs N times the long count instead of the short one,
//! `ISDB_TEST_SEED=S` repeats a run.

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use crate::nasa::content::Random;

/// How many cases to run.
pub(crate) fn cases(short: usize, long: usize) -> usize {
    match std::env::var("ISDB_TEST_LONG") {
        Ok(times) => long * times.parse::<usize>().unwrap_or_else(|error| panic!("ISDB_TEST_LONG={times}: {error}")),
        Err(_) => short,
    }
}

/// Numbers from `ISDB_TEST_SEED`, else from the clock. Says which, so that a failure can be repeated.
pub(crate) fn random() -> Random {
    let seed = match std::env::var("ISDB_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap_or_else(|error| panic!("ISDB_TEST_SEED={seed}: {error}")),
        Err(_) => u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos()),
    };
    eprintln!("ISDB_TEST_SEED={seed} repeats this run");
    Random::new(seed)
}
