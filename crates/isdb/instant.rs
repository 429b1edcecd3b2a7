//! Instants as people read them.

use arrow::array::TimestampNanosecondArray;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// An instant in nanoseconds since 1970 as ISO 8601.
pub(crate) fn instant(nanoseconds: i64) -> String {
    let array = TimestampNanosecondArray::from(vec![nanoseconds]).with_timezone("UTC");
    ArrayFormatter::try_new(&array, &FormatOptions::default())
        .map_or_else(|_| nanoseconds.to_string(), |formatter| formatter.value(0).to_string())
}

/// A commit's time, in milliseconds since 1970, as ISO 8601.
pub(crate) fn instant_of_commit(milliseconds: u64) -> String {
    instant(milliseconds.cast_signed().saturating_mul(1_000_000))
}
