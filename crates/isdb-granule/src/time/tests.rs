//! One moment by every clock that a file can have, and clocks that are refused.

use hdf5::AttrValue;
use proptest::prelude::*;

use super::*;

fn epoch() -> Epoch {
    Epoch::from_gps_seconds(ATLAS_EPOCH_GPS).unwrap()
}

fn clock(units: Option<&str>, calendar: Option<&str>) -> Result<Clock, TimeError> {
    let named = [("units", units), ("calendar", calendar)];
    let attribute = |(name, value): (&str, Option<&str>)| Some((name.to_owned(), AttrValue::String(value?.to_owned())));
    Clock::from_attributes(&named.into_iter().filter_map(attribute).collect(), epoch())
}

fn product() -> Clock {
    clock(None, None).unwrap()
}

#[test]
fn the_start_of_the_release_004_file_agrees_with_its_metadata() {
    // start_delta_time and data_start_utc (2020-08-21T12:26:12.920217Z) of the same file
    assert_eq!(product().utc(Scalar::Float(83_247_972.920_217_28)).unwrap() / 1000, 1_598_012_772_920_217);
}

#[test]
fn every_unit_and_reference_date_gives_the_same_moment() {
    // 2020-08-21T12:31:46.5Z
    let utc = 1_598_013_106_500_000_000;
    for (units, number) in [
        (None, Scalar::Float(83_248_306.5)),
        (Some("seconds since 2018-01-01"), Scalar::Float(83_248_306.5)),
        (Some("Seconds since 2018-01-01T00:00:00Z"), Scalar::Float(83_248_306.5)),
        (Some("seconds"), Scalar::Float(83_248_306.5)),
        (Some("seconds since 2020-08-21 12:26:12"), Scalar::Float(334.5)),
        (Some("sec since 1970-01-01"), Scalar::Float(1_598_013_106.5)),
        (Some("minutes since 2020-08-21 12:31:00 +00:00"), Scalar::Float(0.775)),
        (Some("hours since 2020-08-20 12:31:46.5"), Scalar::Int(24)),
        (Some("days since 2020-08-20T14:31:46.5 +02:00"), Scalar::Float(1.0)),
        (Some("milliseconds since 2018-01-01"), Scalar::Int(83_248_306_500)),
        (Some("us since 2018-01-01"), Scalar::Int(83_248_306_500_000)),
        (Some("microseconds since 1970-01-01"), Scalar::Int(1_598_013_106_500_000)),
        (Some("nanoseconds since 2018-01-01"), Scalar::Int(83_248_306_500_000_000)),
        (Some("ns"), Scalar::Int(83_248_306_500_000_000)),
    ] {
        assert_eq!(clock(units, Some("proleptic_gregorian")).unwrap().utc(number), Some(utc), "{units:?}");
    }
    let days = clock(Some("days since 0001-01-01"), Some("proleptic_gregorian")).unwrap();
    assert_eq!(days.utc(Scalar::Float(737_657.5)), Some(1_598_011_200_000_000_000), "2020-08-21T12:00:00Z");
}

#[test]
fn units_that_the_product_does_not_write_are_foreign() {
    for units in [None, Some("seconds since 2018-01-01"), Some("seconds since 2018-01-01 00:00:00"), Some("s")] {
        assert_eq!(clock(units, None).unwrap(), product(), "{units:?}");
    }
    let foreign = clock(Some("days since 2018-01-01"), Some("Standard")).unwrap();
    assert_eq!(foreign.foreign_units.as_deref(), Some("days since 2018-01-01"));
}

#[test]
fn the_granule_s_epoch_applies_to_the_product_s_units_alone() {
    let later = Epoch::from_gps_seconds(ATLAS_EPOCH_GPS + 100.0).unwrap();
    let utc = |units: &str| {
        let attributes = [("units".to_owned(), AttrValue::String(units.to_owned()))].into();
        Clock::from_attributes(&attributes, later).unwrap().utc(Scalar::Int(0)).unwrap()
    };
    assert_eq!(utc("seconds since 2018-01-01") / NANOS_PER_SECOND, ATLAS_EPOCH_UNIX + 100);
    assert_eq!(utc("seconds since 2018-01-02") / NANOS_PER_SECOND, ATLAS_EPOCH_UNIX + 86_400);
}

#[test]
fn unknown_units_and_calendars_are_refused_with_their_text() {
    for units in [
        "1",
        "metres",
        "fortnights since 2018-01-01",
        "seconds since launch",
        "seconds after 2018-01-01",
        "months since 2018-01-01",
    ] {
        let error = clock(Some(units), None).unwrap_err().to_string();
        assert!(error.contains(&format!("{units:?}")) && error.contains("expected seconds"), "{error}");
    }
    let error = clock(Some("seconds since 1980-01-06"), None).unwrap_err().to_string();
    assert!(error.contains("leap seconds"), "{error}");
    for calendar in ["noleap", "360_day", "julian", "all_leap"] {
        let error = clock(Some("days since 2018-01-01"), Some(calendar)).unwrap_err().to_string();
        assert!(error.contains(calendar), "{error}");
    }
    assert!(clock(Some("days since 0001-01-01"), None).is_err(), "a date that two calendars read differently");
    let number = [("units".to_owned(), AttrValue::I32(1))].into();
    assert_eq!(Clock::from_attributes(&number, epoch()), Err(TimeError::UnitsType));
    assert!(!clock(Some("\u{1b}[2J"), None).unwrap_err().to_string().contains('\u{1b}'));
}

#[test]
fn fills_and_implausible_numbers_are_not_times() {
    let numbers = [f64::NAN, f64::INFINITY, 3.402_823_5e38, 1e11, -1e11].map(Scalar::Float);
    for number in numbers.into_iter().chain([i64::MIN, i64::MAX].map(Scalar::Int)) {
        assert_eq!(product().utc(number), None);
        assert_eq!(clock(Some("days since 2018-01-01"), None).unwrap().utc(number), None);
    }
    assert_eq!(Epoch::from_gps_seconds(f64::NAN), None);
}

proptest! {
    #[test]
    fn delta_time_survives_the_way_to_utc_and_back(delta_time in 0.0..1e9_f64) {
        let back = product().product_seconds(Scalar::Float(delta_time)).unwrap();
        prop_assert!((back - delta_time).abs() < 1e-9 || back == delta_time);
        // From a year on a double's step is wider than a nanosecond's half.
        if delta_time > 3.2e7 { prop_assert_eq!(back, delta_time); }
    }

    #[test]
    fn integers_of_every_unit_are_exact(unit in 0..UNITS.len(), number in -1_000_000_i64..1_000_000) {
        let (names, nanos) = UNITS[unit];
        let zero = 1_598_013_106_000_000_000_i64;
        let clock = clock(Some(&format!("{}s since 2020-08-21 12:31:46", names[0])), None).unwrap();
        let expected = i128::from(zero) + i128::from(number) * i128::from(nanos);
        if (expected - ATLAS_NANOS).unsigned_abs() <= REACH_NANOS {
            prop_assert_eq!(clock.utc(Scalar::Int(number)).map(i128::from), Some(expected));
            prop_assert_eq!(clock.utc(Scalar::Float(number as f64)).map(i128::from), Some(expected));
        }
    }
}
