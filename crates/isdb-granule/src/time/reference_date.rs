//! The reference date in the units of a time dataset (`seconds since …`), as CF, UDUNITS and xarray write it.

use chrono::{Datelike, NaiveDate};

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The number of 1970-01-01 in chrono's count of days, where 0001-01-01 is 1.
const UNIX_EPOCH_FROM_CE: i64 = 719_163;

/// Days from 1970 to the first day of the Gregorian calendar, 1582-10-15.
const FIRST_GREGORIAN_DAY: i64 = -141_427;

/// Days from 1970 to the GPS epoch.
const GPS_EPOCH_DAY: i64 = 3_657;

/// The moment at which a clock starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceDate {
    /// UTC nanoseconds since 1970.
    UnixNanos(i128),
    /// 1980-01-06T00:00:00: numbers that count from it are GPS time in the product (without leap seconds) and UTC in CF.
    GpsEpoch,
}

/// Parses a date such as `2018-01-01`, `2018-1-1 0:00`, `2018-01-01T00:00:00.5Z` or `2018-01-01 00:00:00 -6:00`. A date before the
/// Gregorian calendar is accepted only if the calendar is `proleptic`. `None` for anything else.
pub(crate) fn parse_reference_date(text: &str, proleptic: bool) -> Option<ReferenceDate> {
    let text = text.trim();
    let (date, rest) = match text.find(|c: char| c == 't' || c == 'T' || c.is_whitespace()) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim()),
        None => (text.strip_suffix(['z', 'Z']).unwrap_or(text), ""),
    };
    let days = days_from_1970(date)?;
    if days < FIRST_GREGORIAN_DAY && !proleptic {
        return None;
    }
    let (time, zone) = match rest.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.') {
        Some(at) => (rest.get(..at)?, rest.get(at..)?.trim()),
        None => (rest, ""),
    };
    let nanos = i128::from(days) * 86_400 * NANOS_PER_SECOND + time_of_day(time)? - offset(zone)?;
    let gps = i128::from(GPS_EPOCH_DAY) * 86_400 * NANOS_PER_SECOND;
    Some(if nanos == gps { ReferenceDate::GpsEpoch } else { ReferenceDate::UnixNanos(nanos) })
}

/// Days from 1970 to `yyyy-mm-dd`; months and days may have one digit.
fn days_from_1970(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let [year, month, day] = [4, 2, 2].map(|digits| parts.next().and_then(|part| number(part, digits)));
    let date = NaiveDate::from_ymd_opt(year?.try_into().ok()?, month?.try_into().ok()?, day?.try_into().ok()?)?;
    parts.next().is_none().then_some(i64::from(date.num_days_from_ce()) - UNIX_EPOCH_FROM_CE)
}

/// Nanoseconds since midnight of `hh`, `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`; zero for an empty text.
fn time_of_day(time: &str) -> Option<i128> {
    if time.is_empty() {
        return Some(0);
    }
    let mut parts = time.splitn(3, ':');
    let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = parts.next().map_or(Some(0), |part| number(part, 2)).filter(|minute| *minute < 60)?;
    let (second, fraction) = parts.next().map_or(("0", ""), |part| part.split_once('.').unwrap_or((part, "")));
    let second = number(second, 2).filter(|second| *second < 60)?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Nine digits are nanoseconds; more must be zeros.
    let (nanos, rest) = fraction.split_at(fraction.len().min(9));
    let nanos = format!("{nanos:0<9}").parse::<i128>().ok().filter(|_| rest.bytes().all(|digit| digit == b'0'))?;
    Some(i128::from(hour * 3600 + minute * 60 + second) * NANOS_PER_SECOND + nanos)
}

/// Nanoseconds by which a zone is ahead of UTC: empty, `z`, `utc`, `gmt`, or a sign and `h`, `hh`, `h:mm` or `hhmm`.
fn offset(zone: &str) -> Option<i128> {
    let zone = zone.to_ascii_lowercase();
    if ["", "z", "utc", "gmt"].contains(&zone.as_str()) {
        return Some(0);
    }
    let (sign, digits) = match zone.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let (hours, minutes) = (number(hours, 2).filter(|h| *h < 24)?, number(minutes, 2).filter(|m| *m < 60)?);
    Some(i128::from(sign * (hours * 3600 + minutes * 60)) * NANOS_PER_SECOND)
}

/// A number of one to `digits` decimal digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = (1..=digits).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EPOCH_2018: i128 = 1_514_764_800 * NANOS_PER_SECOND;

    #[test]
    fn every_form_of_one_date_is_parsed() {
        for text in [
            "2018-01-01",
            "2018-1-1",
            "2018-01-01Z",
            "2018-01-01T00:00:00",
            "2018-01-01t00:00:00z",
            "2018-01-01 00:00:00.000000",
            "2018-01-01 0:0:0.0 UTC",
            "2018-01-01 00",
            "2018-01-01 00:00 +0:00",
            "2018-01-01T06:30:00+06:30",
            "2017-12-31 18:00:00 -6:00",
            "2017-12-31 18:00:00 -0600",
            "2017-12-31T18:00-6",
        ] {
            assert_eq!(parse_reference_date(text, false), Some(ReferenceDate::UnixNanos(EPOCH_2018)), "{text}");
        }
        let half = parse_reference_date("2018-01-01 00:00:00.5", false);
        assert_eq!(half, Some(ReferenceDate::UnixNanos(EPOCH_2018 + NANOS_PER_SECOND / 2)));
        assert_eq!(parse_reference_date("1980-01-06T00:00:00.000000Z", false), Some(ReferenceDate::GpsEpoch));
        assert_eq!(parse_reference_date("1970-01-01", false), Some(ReferenceDate::UnixNanos(0)));
        // 719162 days, as Python's date(1970, 1, 1).toordinal() - 1 counts them
        let first = ReferenceDate::UnixNanos(-719_162 * 86_400 * NANOS_PER_SECOND);
        assert_eq!(
            (parse_reference_date("0001-01-01", true), parse_reference_date("0001-01-01", false)),
            (Some(first), None)
        );
        assert!(
            parse_reference_date("1582-10-15", false).is_some() && parse_reference_date("1582-10-14", false).is_none()
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "launch",
            "2018",
            "2018-13-01",
            "2018-02-29",
            "2018-00-01",
            "2018-01-01-01",
            "20180101",
            "2018-01-01 25:00",
            "2018-01-01 00:60",
            "2018-01-01 00:00:61",
            "2018-01-01 EST",
            "2018-01-01 00:00 +25:00",
            "2018-01-01T::",
            "2018-01-01 00:00:00.0000000001",
            "٢٠١٨-01-01",
            "2018-01-01 00:00:00.x",
        ] {
            assert_eq!(parse_reference_date(text, true), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(text in "\\PC*", proleptic: bool) {
            let _ = parse_reference_date(&text, proleptic);
        }
    }
}
