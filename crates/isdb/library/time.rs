//! Instants as ISO 8601, and the clock.

#[cfg(feature = "ingest")]
use std::time::SystemTime;

use arrow::array::TimestampNanosecondArray;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Formats an instant, in nanoseconds since 1970 UTC, as ISO 8601: `2020-08-21T12:26:12Z`.
#[must_use]
pub fn format_nanoseconds(nanoseconds: i64) -> String {
    let array = TimestampNanosecondArray::from(vec![nanoseconds]).with_timezone("UTC");
    ArrayFormatter::try_new(&array, &FormatOptions::default())
        .map_or_else(|_| nanoseconds.to_string(), |formatter| formatter.value(0).to_string())
}

/// Formats the time of a commit, in milliseconds since 1970 UTC, as ISO 8601.
#[must_use]
pub fn format_milliseconds(milliseconds: u64) -> String {
    format_nanoseconds(milliseconds.cast_signed().saturating_mul(1_000_000))
}

/// Returns the time of the machine's clock, in milliseconds since 1970 UTC; 0 if it is set to an earlier time.
#[cfg(feature = "ingest")]
pub(crate) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
