//! The current time, in the units of commits and ledger rows.

use std::time::{Duration, SystemTime};

/// Returns the current time in milliseconds since 1970, as commits use it.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

/// Returns the current time in nanoseconds since 1970, as ledger rows use it.
pub(crate) fn now_ns() -> i64 {
    i64::try_from(since_1970().as_nanos()).unwrap_or(i64::MAX)
}

/// Returns the time since 1970; zero if the clock is set to an earlier time.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
