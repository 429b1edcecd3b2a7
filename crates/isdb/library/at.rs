//! A past state of a database, by a time or by the name of a tag.

use isdb_schema::period::Period;
use isdb_store::Snapshot;

use crate::library::error::Result;

const NANOSECONDS_PER_MILLISECOND: i64 = 1_000_000;

/// A state of a database that need not be the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The last state that was committed at this time or before, in milliseconds since 1970 UTC.
    Time(u64),
    /// The state that the tag of this name keeps.
    Tag(String),
}

impl From<u64> for At {
    fn from(timestamp_ms: u64) -> At {
        At::Time(timestamp_ms)
    }
}

impl From<&str> for At {
    /// Parses milliseconds since 1970, or a time as of [`Period::parse`]: `2026`, `2026-11`, `2026-11-29`, `2026-11-29T12:00:00Z`. A
    /// year, month or day selects its last state. Any other text is the name of a tag.
    fn from(text: &str) -> At {
        let text = text.trim();
        parse_time(text).map_or_else(|| At::Tag(text.to_owned()), At::Time)
    }
}

impl At {
    /// Opens the snapshot of the state.
    pub(crate) async fn open(&self, database: &isdb_store::Database) -> Result<Snapshot> {
        Ok(match self {
            At::Time(timestamp_ms) => database.snapshot_at(*timestamp_ms).await?,
            At::Tag(name) => database.snapshot_of_tag(name).await?,
        })
    }
}

/// Parses a time, in milliseconds since 1970. Four digits are a year.
fn parse_time(text: &str) -> Option<u64> {
    if text.len() != 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let start = Period::parse(Some(text), None).ok()?.start?;
    let end = Period::parse(None, Some(text)).ok()?.end?;
    // The end of a date is the first instant after it; the end of an instant is the instant.
    let last = if start == end { end } else { end - 1 };
    u64::try_from(last.div_euclid(NANOSECONDS_PER_MILLISECOND)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_milliseconds_an_instant_or_the_end_of_a_date() {
        for (text, expected) in [
            ("1795923676123", 1_795_923_676_123),
            (" 5 ", 5),
            ("2020-08-21T12:26:12Z", 1_598_012_772_000),
            ("2020-08-21T12:26:12.123Z", 1_598_012_772_123),
            ("2020-08-21 14:26:12.123456+02:00", 1_598_012_772_123),
            ("2020-08-21", 1_598_054_399_999),
            ("2020-08", 1_598_918_399_999),
            ("2020", 1_609_459_199_999),
        ] {
            assert_eq!(At::from(text), At::Time(expected), "{text}");
        }
        assert_eq!(At::from(7), At::Time(7));
    }

    #[test]
    fn the_time_that_info_prints_selects_its_commit() {
        for timestamp in [1_598_012_772_000, 1_598_012_772_120, 1_598_012_772_123] {
            let printed = crate::library::time::format_milliseconds(timestamp);
            assert_eq!(At::from(printed.as_str()), At::Time(timestamp), "{printed}");
        }
    }

    #[test]
    fn any_other_text_is_a_tag() {
        for text in ["paper-2026", "v1.0", "2020-13", "summer", "2020-06-01T25:00Z", "", "99999999999999999999"] {
            assert_eq!(At::from(text), At::Tag(text.to_owned()));
        }
    }
}
