//! Periods of time, used alike by search, ingest and query.

use std::fmt;

use chrono::format::ParseErrorKind;
use chrono::{DateTime, Datelike, Days, FixedOffset, Months, SecondsFormat};

const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// The times from `start` (included) to `end` (excluded), both in nanoseconds since 1970-01-01 UTC; `None` for an open side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first instant of the period.
    pub start: Option<i64>,
    /// The first instant after the period.
    pub end: Option<i64>,
}

/// A text that cannot be read as a bound of a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// The text is not a time.
    #[error("invalid time {text:?}: {problem}")]
    Time {
        /// The text.
        text: String,
        /// The reason.
        problem: &'static str,
    },
    /// The end is not after the start.
    #[error("the period ends ({end}) before it begins ({start})")]
    Backwards {
        /// The text of the start.
        start: String,
        /// The text of the end.
        end: String,
    },
}

impl Period {
    /// The period between two times that a user wrote: `2020`, `2020-06`, `2020-06-01`, or an instant such as
    /// `2020-06-01T12:00:00Z` or `2020-06-01T12:00:00.5+02:00`. An instant without a zone is UTC. A year, month or day as
    /// `end` is included as a whole; an instant as `end` is excluded.
    ///
    /// # Errors
    /// [`PeriodError`] for a text that is not a time, and for an end before the start.
    pub fn parse(start: Option<&str>, end: Option<&str>) -> Result<Period, PeriodError> {
        let span = |text: Option<&str>| text.map(span).transpose();
        let period = Period { start: span(start)?.map(|span| span.0), end: span(end)?.map(|span| span.1) };
        match (period.start, period.end) {
            (Some(first), Some(last)) if last <= first => Err(PeriodError::Backwards {
                start: start.unwrap_or_default().to_owned(),
                end: end.unwrap_or_default().to_owned(),
            }),
            _ => Ok(period),
        }
    }

    /// Whether the period includes all times.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Period::default()
    }

    /// Whether the instant, in nanoseconds since 1970 UTC, is in the period.
    #[must_use]
    pub fn contains(&self, nanoseconds: i64) -> bool {
        self.start.is_none_or(|start| start <= nanoseconds) && self.end.is_none_or(|end| nanoseconds < end)
    }

    /// Whether any instant from `start` to `end`, both included, in nanoseconds since 1970 UTC, is in the period.
    #[must_use]
    pub fn overlaps(&self, start: i64, end: i64) -> bool {
        self.start.is_none_or(|first| first <= end) && self.end.is_none_or(|last| start < last)
    }

    /// Whether every instant of `other` is in the period.
    #[must_use]
    pub fn covers(&self, other: &Period) -> bool {
        let begins = self.start.is_none_or(|start| other.start.is_some_and(|other| start <= other));
        begins && self.end.is_none_or(|end| other.end.is_some_and(|other| other <= end))
    }

    /// The first and the last millisecond of the period in ISO 8601,
    /// `2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z`; an open side is empty. A period of less than a millisecond
    /// gives that millisecond.
    #[must_use]
    pub fn to_iso_milliseconds(&self) -> String {
        let iso = |instant: i64| DateTime::from_timestamp_nanos(instant).to_rfc3339_opts(SecondsFormat::Millis, true);
        let start = self.start.map(iso).unwrap_or_default();
        let end = self.end.map(|end| iso(end - 1)).unwrap_or_default();
        format!("{start},{end}")
    }
}

impl fmt::Display for Period {
    /// The bounds as instants, `2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z`; the second is excluded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = |instant: i64| {
            let is_whole_second = instant % NANOSECONDS_PER_SECOND == 0;
            let precision = if is_whole_second { SecondsFormat::Secs } else { SecondsFormat::Nanos };
            DateTime::from_timestamp_nanos(instant).to_rfc3339_opts(precision, true)
        };
        match (self.start, self.end) {
            (None, None) => f.write_str("all times"),
            (Some(start), None) => write!(f, "from {}", iso(start)),
            (None, Some(end)) => write!(f, "before {}", iso(end)),
            (Some(start), Some(end)) => write!(f, "{} to {}", iso(start), iso(end)),
        }
    }
}

/// The first instant of a year, month or day, and the first instant after it; the same instant twice for an instant.
fn span(text: &str) -> Result<(i64, i64), PeriodError> {
    let text = text.trim();
    let invalid = |problem| PeriodError::Time { text: text.to_owned(), problem };
    let (first, after) = parse(text).map_err(invalid)?;
    let nanoseconds = |time: DateTime<FixedOffset>| time.timestamp_nanos_opt().ok_or(invalid(YEARS));
    Ok((nanoseconds(first)?, nanoseconds(after)?))
}

const FORM: &str = "expected 2020, 2020-06, 2020-06-01 or 2020-06-01T12:00:00Z";
const NO_SUCH_TIME: &str = "no such date or time of day";
/// Nanoseconds since 1970 fit 64 bits in these years.
const YEARS: &str = "years range from 1970 to 2261";

type Instant = DateTime<FixedOffset>;

fn parse(text: &str) -> Result<(Instant, Instant), &'static str> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let (first, after) = match (date.len(), clock) {
        (4, None) => {
            let first = instant(&format!("{date}-01-01T00:00:00Z"))?;
            (first, first.checked_add_months(Months::new(12)))
        }
        (7, None) => {
            let first = instant(&format!("{date}-01T00:00:00Z"))?;
            (first, first.checked_add_months(Months::new(1)))
        }
        (10, None) => {
            let first = instant(&format!("{date}T00:00:00Z"))?;
            (first, first.checked_add_days(Days::new(1)))
        }
        (10, Some(clock)) => {
            let at = instant(&format!("{date}T{}", full_clock(clock)))?;
            (at, Some(at))
        }
        _ => return Err(FORM),
    };
    match after {
        Some(after) if (1970..=2261).contains(&first.year()) => Ok((first, after)),
        _ => Err(YEARS),
    }
}

/// `12:30` or `12:30:05.25`, with or without a zone such as `Z`, `+02:00` or `-0330`, in the form of RFC 3339.
fn full_clock(text: &str) -> String {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone_at).unwrap_or((text, ""));
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    match zone.split_at_checked(3) {
        None if zone.is_empty() => format!("{clock}{seconds}Z"),
        Some((hours, minutes)) if minutes.len() == 2 => format!("{clock}{seconds}{hours}:{minutes}"),
        _ => format!("{clock}{seconds}{zone}"),
    }
}

fn instant(rfc3339: &str) -> Result<Instant, &'static str> {
    let time = DateTime::parse_from_rfc3339(rfc3339).map_err(|error| match error.kind() {
        ParseErrorKind::OutOfRange | ParseErrorKind::Impossible => NO_SUCH_TIME,
        _ => FORM,
    })?;
    // chrono represents a leap second as a second of more than 10⁹ nanoseconds.
    if time.timestamp_subsec_nanos() >= 1_000_000_000 { Err(NO_SUCH_TIME) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn iso(start: &str, end: &str) -> String {
        Period::parse(Some(start), Some(end)).unwrap().to_iso_milliseconds()
    }

    #[test]
    fn a_date_as_end_is_included_and_an_instant_is_not() {
        for (start, end, expected) in [
            ("2020-01-01", "2020-12-31", "2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z"),
            ("2020", "2020", "2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z"),
            ("2020-02", "2020-02", "2020-02-01T00:00:00.000Z,2020-02-29T23:59:59.999Z"),
            ("2019-12", "2019-12", "2019-12-01T00:00:00.000Z,2019-12-31T23:59:59.999Z"),
            ("2020-06-01", "2020-06-01", "2020-06-01T00:00:00.000Z,2020-06-01T23:59:59.999Z"),
            ("2020-06-01T12:00:00Z", "2020-06-01T13:00:00Z", "2020-06-01T12:00:00.000Z,2020-06-01T12:59:59.999Z"),
            ("2020-06-01 12:00", "2020-06-01T15:00+02:00", "2020-06-01T12:00:00.000Z,2020-06-01T12:59:59.999Z"),
            ("2020-06-01t00:00:00.25z", "2020-06-01", "2020-06-01T00:00:00.250Z,2020-06-01T23:59:59.999Z"),
            ("2020-05-31T23:00:00-0330", "2020-06", "2020-06-01T02:30:00.000Z,2020-06-30T23:59:59.999Z"),
            ("1970", "2261", "1970-01-01T00:00:00.000Z,2261-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso(start, end), expected, "{start} {end}");
        }
        assert_eq!(Period::parse(Some("2020"), None).unwrap().to_iso_milliseconds(), "2020-01-01T00:00:00.000Z,");
        assert_eq!(Period::parse(None, Some("2020")).unwrap().to_iso_milliseconds(), ",2020-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_bounds_are_half_open() {
        let day = Period::parse(Some("2020-06-01"), Some("2020-06-01")).unwrap();
        let (start, end) = (day.start.unwrap(), day.end.unwrap());
        assert_eq!(end - start, 86_400 * NANOSECONDS_PER_SECOND);
        assert!(day.contains(start) && day.contains(end - 1) && !day.contains(end) && !day.contains(start - 1));
        assert!(day.overlaps(start - 5, start) && !day.overlaps(start - 5, start - 1));
        assert!(day.overlaps(end - 1, end) && !day.overlaps(end, end + 5));
        assert!(Period::default().contains(i64::MIN) && Period::default().overlaps(0, 0));
    }

    #[test]
    fn an_invalid_time_is_reported_with_the_expected_form() {
        for (text, problem) in [
            ("summer", FORM),
            ("01.06.2020", FORM),
            ("2020-6-1", FORM),
            ("+020-06-01", FORM),
            ("2020-06T12:00Z", FORM),
            ("2020-06-01T12Z", FORM),
            ("2020-06-01T12:00:00+2", FORM),
            ("", FORM),
            ("2020-06-01T\u{a0}12", FORM),
            ("2020-13", NO_SUCH_TIME),
            ("2021-02-29", NO_SUCH_TIME),
            ("2020-06-00", NO_SUCH_TIME),
            ("2020-06-01T25:00Z", NO_SUCH_TIME),
            ("2020-06-01T23:59:60Z", NO_SUCH_TIME),
            ("1066", YEARS),
            ("2262", YEARS),
        ] {
            let message = Period::parse(Some(text), None).unwrap_err().to_string();
            assert_eq!(message, format!("invalid time {text:?}: {problem}"));
        }
        let message = Period::parse(Some("2020-06"), Some("2020-05")).unwrap_err().to_string();
        assert_eq!(message, "the period ends (2020-05) before it begins (2020-06)");
        assert!(
            Period::parse(Some("2020-06-01T00:00:00Z"), Some("2020-06-01T00:00:00Z")).is_err(),
            "an empty period is refused"
        );
    }

    #[test]
    fn a_period_displays_its_bounds() {
        let period = Period::parse(Some("2020-06-01T00:00:00.5Z"), Some("2020")).unwrap();
        assert_eq!(period.to_string(), "2020-06-01T00:00:00.500000000Z to 2021-01-01T00:00:00Z");
        assert_eq!(iso("2020", "2020-01"), "2020-01-01T00:00:00.000Z,2020-01-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn a_displayed_instant_is_read_back(nanoseconds in 0_i64..9_214_646_400_000_000_000) {
            let period = Period { start: Some(nanoseconds), end: None };
            let written = period.to_string();
            prop_assert_eq!(Period::parse(written.strip_prefix("from "), None), Ok(period));
        }

        #[test]
        fn no_text_panics(start in "\\PC*", end in "[0-9TZ:.+ -]{0,30}") {
            let _ = Period::parse(Some(&start), Some(&end));
        }

        #[test]
        fn a_period_covers_exactly_the_periods_within_it(a in 0_i64..50, b in 0_i64..50, c in 0_i64..50, d in 0_i64..50) {
            let (outer, inner) = (Period { start: Some(a), end: Some(b) }, Period { start: Some(c), end: Some(d) });
            prop_assume!(c < d);
            let all_within = (c..d).all(|instant| outer.contains(instant));
            prop_assert_eq!(outer.covers(&inner), all_within);
            prop_assert!(Period::default().covers(&inner) && !inner.covers(&Period::default()));
        }
    }
}
