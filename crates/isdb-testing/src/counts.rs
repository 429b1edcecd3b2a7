//! Repetitions of tests.

/// Whether `ISDB_TEST_LONG` requests the large counts of `make test-long`.
#[must_use]
pub fn is_long() -> bool {
    std::env::var_os("ISDB_TEST_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// `short` repetitions, or `long` ones in `make test-long`.
#[must_use]
pub fn times(short: u32, long: u32) -> u32 {
    if is_long() { long } else { short }
}

/// The seed of a test's random numbers: `ISDB_TEST_SEED`, else the time. A test prints the seed, so that a failure can be repeated.
///
/// # Panics
/// If `ISDB_TEST_SEED` is not a number.
#[must_use]
pub fn seed() -> u64 {
    match std::env::var("ISDB_TEST_SEED") {
        Ok(seed) => seed.parse().expect("ISDB_TEST_SEED is a number"),
        Err(_) => std::time::UNIX_EPOCH.elapsed().map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0)),
    }
}
