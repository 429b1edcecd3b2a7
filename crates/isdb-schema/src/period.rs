//! A period of time, as search, ingest and query understand it alike.

use std::fmt;

use crate::granule_name::{civil_from_days, days_from_civil};

const NANOSECONDS: i64 = 1_000_000_000;
const NANOSECONDS_PER_DAY: i64 = 86_400 * NANOSECONDS;

/// The times from `start` on and before `end`, both in nanoseconds since 1970-01-01 UTC; without a bound where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first instant within.
    pub start: Option<i64>,
    /// The first instant that is not.
    pub end: Option<i64>,
}

/// A text that bounds no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// A text that is no time.
    #[error("{text:?} is no time: {problem}")]
    Time {
        /// What was given.
        text: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// Nothing can lie between the bounds.
    #[error("the period ends ({end}) before it begins ({start})")]
    Backwards {
        /// The text of the start.
        start: String,
        /// The text of the end.
        end: String,
    },
}

impl Period {
    /// The period between two times that a person wrote: `2020`, `2020-06`, `2020-06-01`, or an instant such as
    /// `2020-06-01T12:00:00Z` or `2020-06-01T12:00:00.5+02:00`. An instant without a zone is UTC. A year, month or day as
    /// `end` is within the period as a whole; an instant as `end` is the first that is not.
    ///
    /// # Errors
    /// [`PeriodError`] for a text that is no time, and for an end that leaves nothing.
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

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Period::default()
    }

    /// Whether the instant, in nanoseconds since 1970 UTC, lies within.
    #[must_use]
    pub fn contains(&self, nanoseconds: i64) -> bool {
        self.start.is_none_or(|start| start <= nanoseconds) && self.end.is_none_or(|end| nanoseconds < end)
    }

    /// Whether some instant from `start` up to and with `end`, in nanoseconds since 1970 UTC, lies within.
    #[must_use]
    pub fn overlaps(&self, start: i64, end: i64) -> bool {
        self.start.is_none_or(|first| first <= end) && self.end.is_none_or(|last| start < last)
    }

    /// Whether every instant of `other` lies within.
    #[must_use]
    pub fn covers(&self, other: &Period) -> bool {
        let begins = self.start.is_none_or(|start| other.start.is_some_and(|other| start <= other));
        begins && self.end.is_none_or(|end| other.end.is_some_and(|other| other <= end))
    }

    /// The period as NASA's search takes it, `2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z`: in milliseconds, whose last
    /// one is within, so that a period of a part of a millisecond is not lost.
    #[must_use]
    pub fn to_cmr(&self) -> String {
        let millisecond = 1_000_000;
        let start = self.start.map(|start| instant(start.div_euclid(millisecond))).unwrap_or_default();
        let end = self.end.map(|end| instant((end - 1).div_euclid(millisecond))).unwrap_or_default();
        format!("{start},{end}")
    }
}

impl fmt::Display for Period {
    /// The bounds as instants, `2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z`, of which the second is not within.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |bound: i64| {
            let whole = instant(bound.div_euclid(1_000_000));
            match bound.rem_euclid(NANOSECONDS) {
                0 => whole.replace(".000Z", "Z"),
                rest => format!("{}.{rest:09}Z", whole.split('.').next().unwrap_or_default()),
            }
        };
        match (self.start, self.end) {
            (None, None) => f.write_str("all times"),
            (Some(start), None) => write!(f, "from {}", told(start)),
            (None, Some(end)) => write!(f, "before {}", told(end)),
            (Some(start), Some(end)) => write!(f, "{} to {}", told(start), told(end)),
        }
    }
}

/// ISO 8601 of a time in milliseconds since 1970.
fn instant(milliseconds: i64) -> String {
    let (day, rest) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(day);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000)
}

/// The first instant of a time, and the first after it; the same for an instant.
fn span(text: &str) -> Result<(i64, i64), PeriodError> {
    let text = text.trim();
    parse(text).map_err(|problem| PeriodError::Time { text: text.to_owned(), problem })
}

const FORM: &str = "2020, 2020-06, 2020-06-01 or 2020-06-01T12:00:00Z is one";

fn parse(text: &str) -> Result<(i64, i64), &'static str> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next(), 4).ok_or(FORM)?;
    let month = parts.next().map(|month| digits(Some(month), 2).ok_or(FORM)).transpose()?;
    let day = parts.next().map(|day| digits(Some(day), 2).ok_or(FORM)).transpose()?;
    if parts.next().is_some() {
        return Err(FORM);
    }
    if !(1970..=2261).contains(&year) {
        return Err("years go from 1970 to 2261");
    }
    if month.is_some_and(|month| !(1..=12).contains(&month)) {
        return Err("months go from 01 to 12");
    }
    let first = days_from_civil(year, month.unwrap_or(1), day.unwrap_or(1));
    if day.is_some() && civil_from_days(first) != (year, month.unwrap_or(1), day.unwrap_or(1)) {
        return Err("the month does not have that day");
    }
    let after = match (month, day) {
        (None, _) => days_from_civil(year + 1, 1, 1),
        (Some(12), None) => days_from_civil(year + 1, 1, 1),
        (Some(month), None) => days_from_civil(year, month + 1, 1),
        (Some(_), Some(_)) => first + 1,
    };
    match clock {
        None => Ok((first * NANOSECONDS_PER_DAY, after * NANOSECONDS_PER_DAY)),
        Some(clock) if day.is_some() => {
            let at = first * NANOSECONDS_PER_DAY + of_day(clock)?;
            Ok((at, at))
        }
        Some(_) => Err(FORM),
    }
}

/// Nanoseconds since the day's beginning in UTC of `12:30`, `12:30:05`, `12:30:05.25`, each with or without a zone.
fn of_day(text: &str) -> Result<i64, &'static str> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone_at).ok_or(FORM)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = whole.split(':');
    let hour = digits(parts.next(), 2).ok_or(FORM)?;
    let minute = digits(parts.next(), 2).ok_or(FORM)?;
    let second = parts.next().map_or(Some(0), |second| digits(Some(second), 2)).ok_or(FORM)?;
    if parts.next().is_some() {
        return Err(FORM);
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("there is no such time of day");
    }
    if fraction.is_empty() || fraction.len() > 9 {
        return Err("a second has up to nine decimals");
    }
    let nanoseconds = digits(Some(&format!("{fraction:0<9}")), 9).ok_or(FORM)?;
    let local = (hour * 3600 + minute * 60 + second) * NANOSECONDS + nanoseconds;
    Ok(local - offset(zone)? * NANOSECONDS)
}

/// Seconds that a zone (`Z`, `+02:00`, `-0330`, nothing) is ahead of UTC.
fn offset(zone: &str) -> Result<i64, &'static str> {
    let (sign, ahead) = match zone.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => return Ok(0),
        Some(("+", ahead)) => (1, ahead),
        Some(("-", ahead)) => (-1, ahead),
        Some(_) => return Err(FORM),
    };
    let ahead = ahead.replace(':', "");
    let number = digits(Some(&ahead), 4).ok_or("a zone is Z or such as +02:00")?;
    if number / 100 > 23 || number % 100 > 59 {
        return Err("there is no such zone");
    }
    Ok(sign * (number / 100 * 3600 + number % 100 * 60))
}

/// The number of exactly `count` decimal digits.
fn digits(text: Option<&str>, count: usize) -> Option<i64> {
    let text = text.filter(|text| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The period in CMR's words.
    fn cmr(start: &str, end: &str) -> String {
        Period::parse(Some(start), Some(end)).unwrap().to_cmr()
    }

    #[test]
    fn a_date_as_end_is_within_as_a_whole_and_an_instant_is_not() {
        for (start, end, told) in [
            ("2020-01-01", "2020-12-31", "2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z"),
            ("2020", "2020", "2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z"),
            ("2020-02", "2020-02", "2020-02-01T00:00:00.000Z,2020-02-29T23:59:59.999Z"),
            ("2019-12", "2019-12", "2019-12-01T00:00:00.000Z,2019-12-31T23:59:59.999Z"),
            ("2020-06-01", "2020-06-01", "2020-06-01T00:00:00.000Z,2020-06-01T23:59:59.999Z"),
            ("2020-06-01T12:00:00Z", "2020-06-01T13:00:00Z", "2020-06-01T12:00:00.000Z,2020-06-01T12:59:59.999Z"),
            ("2020-06-01 12:00", "2020-06-01T15:00+02:00", "2020-06-01T12:00:00.000Z,2020-06-01T12:59:59.999Z"),
            ("2020-06-01t00:00:00.25z", "2020-06-01", "2020-06-01T00:00:00.250Z,2020-06-01T23:59:59.999Z"),
            ("2020-05-31T23:00:00-0330", "2020-06", "2020-06-01T02:30:00.000Z,2020-06-30T23:59:59.999Z"),
        ] {
            assert_eq!(cmr(start, end), told, "{start} {end}");
        }
        assert_eq!(Period::parse(Some("2020"), None).unwrap().to_cmr(), "2020-01-01T00:00:00.000Z,");
        assert_eq!(Period::parse(None, Some("2020")).unwrap().to_cmr(), ",2020-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_bounds_are_half_open() {
        let day = Period::parse(Some("2020-06-01"), Some("2020-06-01")).unwrap();
        let (start, end) = (day.start.unwrap(), day.end.unwrap());
        assert_eq!(end - start, NANOSECONDS_PER_DAY);
        assert!(day.contains(start) && day.contains(end - 1) && !day.contains(end) && !day.contains(start - 1));
        assert!(day.overlaps(start - 5, start) && !day.overlaps(start - 5, start - 1));
        assert!(day.overlaps(end - 1, end) && !day.overlaps(end, end + 5));
        assert!(Period::default().contains(i64::MIN) && Period::default().overlaps(0, 0));
    }

    #[test]
    fn what_is_no_time_is_told_with_what_is() {
        for (text, problem) in [
            ("summer", FORM),
            ("01.06.2020", FORM),
            ("2020-6-1", FORM),
            ("2020-06T12:00Z", FORM),
            ("2020-13", "months"),
            ("2021-02-29", "does not have that day"),
            ("2020-06-00", "does not have that day"),
            ("2020-06-01T25:00Z", "time of day"),
            ("2020-06-01T12:00:00.1234567890Z", "nine decimals"),
            ("2020-06-01T12:00:00+2", "zone"),
            ("1066", "1970"),
            ("", FORM),
            ("2020-06-01T\u{a0}", FORM),
        ] {
            let told = Period::parse(Some(text), None).unwrap_err().to_string();
            assert!(told.contains(problem), "{told}");
        }
        let told = Period::parse(Some("2020-06"), Some("2020-05")).unwrap_err().to_string();
        assert_eq!(told, "the period ends (2020-05) before it begins (2020-06)");
        assert!(
            Period::parse(Some("2020-06-01T00:00:00Z"), Some("2020-06-01T00:00:00Z")).is_err(),
            "nothing is between"
        );
    }

    #[test]
    fn a_period_is_told_by_its_bounds() {
        let period = Period::parse(Some("2020-06-01T00:00:00.5Z"), Some("2020")).unwrap();
        assert_eq!(period.to_string(), "2020-06-01T00:00:00.500000000Z to 2021-01-01T00:00:00Z");
        assert_eq!(cmr("2020", "2020-01"), "2020-01-01T00:00:00.000Z,2020-01-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn an_instant_reads_back(milliseconds in 0_i64..9_214_646_400_000) {
            let read = Period::parse(Some(&instant(milliseconds)), None).unwrap();
            prop_assert_eq!(read.start, Some(milliseconds * 1_000_000));
        }

        #[test]
        fn no_text_panics(start in "\\PC*", end in "[0-9TZ:.+ -]{0,30}") {
            let _ = Period::parse(Some(&start), Some(&end));
        }

        #[test]
        fn a_period_covers_what_lies_within_it(a in 0_i64..50, b in 0_i64..50, c in 0_i64..50, d in 0_i64..50) {
            let (outer, inner) = (Period { start: Some(a), end: Some(b) }, Period { start: Some(c), end: Some(d) });
            prop_assume!(c < d);
            let all_within = (c..d).all(|instant| outer.contains(instant));
            prop_assert_eq!(outer.covers(&inner), all_within);
            prop_assert!(Period::default().covers(&inner) && !inner.covers(&Period::default()));
        }
    }
}
