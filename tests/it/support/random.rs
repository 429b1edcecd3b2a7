//! Random numbers for tests that kill at random moments.

pub(crate) use crate::fake_nasa::content::Random;

/// Numbers from `ISDB_TEST_SEED`, else from the clock. Prints the seed, so that a failure can be repeated.
pub(crate) fn random() -> Random {
    let seed = isdb_testing::seed();
    eprintln!("ISDB_TEST_SEED={seed} repeats this run");
    Random::new(seed)
}
