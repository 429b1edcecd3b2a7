//! Parsers of argument values.

use isdb_query::MIN_QUERY_MEMORY;
use isdb_schema::config::{MIN_MEMORY, Policy};
use isdb_schema::units::{parse_bytes, parse_milliseconds};

use crate::program::log_filter::log_filter;

/// Checks a log filter, and returns its text.
pub(super) fn log_filter_text(text: &str) -> Result<String, String> {
    log_filter(text).map(|_| text.to_owned())
}

/// Parses a memory size that is sufficient for an ingest, in bytes.
pub(crate) fn memory(text: &str) -> Result<usize, String> {
    at_least(MIN_MEMORY, text)
}

/// Parses a memory size that is sufficient for queries, in bytes.
pub(crate) fn query_memory(text: &str) -> Result<usize, String> {
    at_least(MIN_QUERY_MEMORY as u64, text)
}

fn at_least(least: u64, text: &str) -> Result<usize, String> {
    let bytes = parse_bytes(text).map_err(|error| error.to_string())?;
    if bytes < least {
        return Err(format!("at least {} MB are needed", least.div_ceil(1_000_000)));
    }
    usize::try_from(bytes).map_err(|error| error.to_string())
}

/// Parses the names of two columns, the longitude first.
pub(super) fn position_columns(text: &str) -> Result<(String, String), String> {
    match text.split(',').map(str::trim).collect::<Vec<_>>().as_slice() {
        [longitude, latitude] if !longitude.is_empty() && !latitude.is_empty() => {
            Ok(((*longitude).to_owned(), (*latitude).to_owned()))
        }
        _ => Err(format!("expected the names of two columns, LON,LAT, found `{text}`")),
    }
}

/// Parses a consolidation policy.
pub(super) fn policy(word: &str) -> Result<Policy, String> {
    word.parse().map_err(|_| format!("expected one of {}, found `{word}`", Policy::WORDS.join(", ")))
}

/// Parses a duration, in milliseconds.
pub(super) fn milliseconds(text: &str) -> Result<u64, String> {
    parse_milliseconds(text).map_err(|error| error.to_string())
}
