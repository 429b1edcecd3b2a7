//! Quirks of times: the units and calendars of other writers.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int8Type, TimestampNanosecondType};
use hdf5::AttrValue;

use super::*;
use crate::testing::{add_beam, add_group, build_file, decode, with_causes};

/// Decodes a beam with rows at 2021-03-03T09:46:40Z and a quarter and half a second later, which `add` stores and the attributes declare
/// as `units` of `calendar`.
fn in_units(
    units: &str,
    calendar: &str,
    add: impl for<'a> Fn(&'a mut hdf5::GroupBuilder, &str) -> &'a mut hdf5::DatasetBuilder,
) -> Result<Decoded> {
    let bytes = build_file(|file| {
        add_group(file, "orbit_info", |orbit| {
            orbit.create_dataset("sc_orient").with_i8_data(&[1, 0]).with_shape(&[2]);
            // a day before the rows, and with the second one
            let times = orbit.create_dataset("sc_orient_time").with_f64_data(&[-86_400.0, 0.25]).with_shape(&[2]);
            times.set_attr("units", AttrValue::String("seconds since 2021-03-03 09:46:40".to_owned()));
        });
        add_beam(file, "gt1l", &[], &["delta_time"], |land| {
            for name in ["delta_time", "delta_time_beg"] {
                let dataset = add(land, name).with_shape(&[3]);
                dataset.set_attr("units", AttrValue::String(units.to_owned()));
                dataset.set_attr("calendar", AttrValue::String(calendar.to_owned()));
            }
        });
    });
    decode(bytes, &["delta_time_beg"])
}

#[test]
fn quirk_18_times_in_other_units_are_converted() {
    let utc = 1_614_764_800_000_000_000_i64;
    let check = |decoded: Result<Decoded>, units: &str| {
        let decoded = decoded.unwrap_or_else(|error| panic!("{units}: {}", with_causes(&error)));
        let batch = &decoded.batches[0];
        let time = batch["time"].as_primitive::<TimestampNanosecondType>();
        assert_eq!(time.values()[..], [utc, utc + 250_000_000, utc + 500_000_000], "{units}");
        let begin = batch["delta_time_beg"].as_primitive::<Float64Type>();
        assert_eq!(begin.values()[..], [1e8, 1e8 + 0.25, 1e8 + 0.5], "{units}");
        assert_eq!(batch["sc_orient"].as_primitive::<Int8Type>().values()[..], [1, 0, 0], "{units}");
        let notes: Vec<String> = decoded.notes.iter().map(ToString::to_string).collect();
        assert!(notes.contains(&format!("delta_time converted from {units:?}")), "{notes:?}");
    };
    let nanos: Vec<i64> = [0, 250_000_000, 500_000_000].map(|more| 100_000_000_000_000_000 + more).to_vec();
    let units = "nanoseconds since 2018-01-01";
    check(in_units(units, "proleptic_gregorian", |land, name| land.create_dataset(name).with_i64_data(&nanos)), units);
    let units = "milliseconds since 2021-03-03 09:46:40";
    check(in_units(units, "standard", |land, name| land.create_dataset(name).with_i32_data(&[0, 250, 500])), units);
    let units = "minutes since 2021-03-03T09:46:40+00:00";
    let minutes = [0.0, 0.25 / 60.0, 0.5 / 60.0];
    check(in_units(units, "gregorian", |land, name| land.create_dataset(name).with_f64_data(&minutes)), units);
}

#[test]
fn quirk_18_times_in_unknown_units_are_an_error() {
    for (units, calendar, reason) in [
        ("fortnights since 2018-01-01", "standard", "its units are \"fortnights since 2018-01-01\""),
        ("days since 2018-01-01", "noleap", "its calendar is \"noleap\""),
        ("seconds since 1980-01-06", "standard", "leap seconds"),
    ] {
        let error = in_units(units, calendar, |land, name| land.create_dataset(name).with_f64_data(&[0.0, 1.0, 2.0]));
        let error = with_causes(&error.unwrap_err());
        assert!(error.contains("made.h5: dataset gt1l/land_segments/delta_time") && error.contains(reason), "{error}");
    }
}
