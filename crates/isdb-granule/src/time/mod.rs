//! Conversion of a time dataset's numbers to UTC nanoseconds. The product counts seconds from its epoch; tools that rewrite a granule
//! (xarray, netCDF4) choose their own unit and reference date and name them in the attributes `units` and `calendar`.

mod reference_date;

use crate::container::access::{Attributes, text};
use crate::decode::scalar::Scalar;
use crate::time::reference_date::{ReferenceDate, parse_reference_date};

/// GPS seconds of the ATLAS epoch, 2018-01-01T00:00:00Z, which every release has used so far.
pub(crate) const ATLAS_EPOCH_GPS: f64 = 1_198_800_018.0;

/// The same moment in UTC seconds since 1970.
const ATLAS_EPOCH_UNIX: i64 = 1_514_764_800;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Seconds to either side of the mission's epoch within which a time is plausible (about 110 years): nothing was measured
/// outside this range, and every time within it fits 64-bit nanoseconds.
const REACH: f64 = 3.5e9;
const REACH_NANOS: u128 = 3_500_000_000_000_000_000;

/// Units of a time dataset and their nanoseconds, without plurals. From CF and from what xarray writes.
const UNITS: [(&[&str], i64); 7] = [
    (&["day", "d"], 86_400 * NANOS_PER_SECOND),
    (&["hour", "hr", "h"], 3_600 * NANOS_PER_SECOND),
    (&["minute", "min"], 60 * NANOS_PER_SECOND),
    (&["second", "sec", "s"], NANOS_PER_SECOND),
    (&["millisecond", "millisec", "msec", "ms"], 1_000_000),
    (&["microsecond", "microsec", "usec", "us", "µs", "μs"], 1_000),
    (&["nanosecond", "nanosec", "nsec", "ns"], 1),
];

/// The calendars that agree with UTC's from 1582 on.
const CALENDARS: [&str; 3] = ["standard", "gregorian", "proleptic_gregorian"];

/// The reason why a dataset's numbers cannot be read as times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    #[error("its units are {0:?}; expected seconds (or days, hours, minutes, ms, us, ns) since a date")]
    Units(String),
    #[error("its units are not text")]
    UnitsType,
    #[error("its units are {0:?}, which does not say whether leap seconds count; expected another reference date")]
    Gps(String),
    #[error("its calendar is {0:?}; expected one of standard, gregorian, proleptic_gregorian")]
    Calendar(String),
}

/// The granule's epoch, from which the product counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Epoch {
    unix_nanos: i128,
}

impl Epoch {
    /// The epoch at `gps` GPS seconds, or `None` if that is not near the mission. The last leap second was inserted before the ATLAS
    /// epoch, so GPS and UTC seconds from it are the same.
    pub(crate) fn from_gps_seconds(gps: f64) -> Option<Self> {
        let from_atlas = Some(gps - ATLAS_EPOCH_GPS).filter(|seconds| seconds.abs() <= REACH)?;
        Some(Self { unix_nanos: ATLAS_NANOS + scaled(from_atlas, NANOS_PER_SECOND)? })
    }
}

const ATLAS_NANOS: i128 = ATLAS_EPOCH_UNIX as i128 * NANOS_PER_SECOND as i128;

/// The clock of one dataset: unit and zero of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clock {
    unit_nanos: i64,
    /// UTC nanoseconds since 1970 of the number zero.
    zero: i128,
    /// The text of `units` if it does not mean the product's own clock.
    pub(crate) foreign_units: Option<String>,
}

impl Clock {
    /// The clock of a dataset with these attributes. Without `units`, and with the product's own `seconds since 2018-01-01`, it
    /// counts from `epoch`; so does a unit without a reference date.
    pub(crate) fn from_attributes(attributes: &Attributes, epoch: Epoch) -> Result<Self, TimeError> {
        let product = Self { unit_nanos: NANOS_PER_SECOND, zero: epoch.unix_nanos, foreign_units: None };
        let Some(units) = text(attributes, "units") else {
            return match attributes.get("units").is_some_and(|units| units.as_str().is_none()) {
                true => Err(TimeError::UnitsType),
                false => Ok(product),
            };
        };
        let calendar = text(attributes, "calendar").unwrap_or_else(|| "standard".to_owned()).to_ascii_lowercase();
        if !CALENDARS.contains(&calendar.as_str()) {
            return Err(TimeError::Calendar(calendar));
        }
        let lower = units.to_lowercase();
        let (unit, since) = match lower.split_once(" since ") {
            Some((unit, since)) => (unit, Some(since)),
            None => (lower.as_str(), None),
        };
        let unit_nanos = nanos_per(unit.trim()).ok_or_else(|| TimeError::Units(units.clone()))?;
        let zero = match since.map(|since| parse_reference_date(since, calendar == "proleptic_gregorian")) {
            None => epoch.unix_nanos,
            Some(None) => return Err(TimeError::Units(units)),
            Some(Some(ReferenceDate::GpsEpoch)) => return Err(TimeError::Gps(units)),
            Some(Some(ReferenceDate::UnixNanos(ATLAS_NANOS))) => epoch.unix_nanos,
            Some(Some(ReferenceDate::UnixNanos(nanos))) => nanos,
        };
        let clock = Self { unit_nanos, zero, foreign_units: None };
        Ok(if clock == product { product } else { Self { foreign_units: Some(units), ..clock } })
    }

    /// UTC nanoseconds since 1970 at `number`, or `None` if that is not near the mission. Integers are exact; the fraction of a double is
    /// rounded to a nanosecond.
    pub(crate) fn utc(&self, number: Scalar) -> Option<i64> {
        let from_zero = match number {
            Scalar::Int(units) => i128::from(units) * i128::from(self.unit_nanos),
            Scalar::Float(units) => scaled(units, self.unit_nanos)?,
        };
        let utc = self.zero.checked_add(from_zero)?;
        let is_near = (utc - ATLAS_NANOS).unsigned_abs() <= REACH_NANOS;
        i64::try_from(utc).ok().filter(|_| is_near)
    }

    /// Seconds since 2018-01-01, as the product would have stored them.
    pub(crate) fn product_seconds(&self, number: Scalar) -> Option<f64> {
        let nanos = i128::from(self.utc(number)?) - ATLAS_NANOS;
        let (seconds, rest) = (nanos.div_euclid(NANOS_PER_SECOND.into()), nanos.rem_euclid(NANOS_PER_SECOND.into()));
        Some(seconds as f64 + rest as f64 / 1e9)
    }
}

/// Nanoseconds of one `unit`, singular or plural.
fn nanos_per(unit: &str) -> Option<i64> {
    let is = |name: &&str| unit == *name || unit.strip_suffix('s').is_some_and(|singular| singular == *name);
    UNITS.iter().find(|(names, _)| names.iter().any(is)).map(|&(_, nanos)| nanos)
}

/// Nanoseconds of `units` units of `unit_nanos` each. The difference of a double and its floor is exact, so the only rounding is the last,
/// to a nanosecond.
#[expect(clippy::cast_possible_truncation, reason = "below 2^80, and a fraction of a day")]
fn scaled(units: f64, unit_nanos: i64) -> Option<i128> {
    if !units.is_finite() || units.abs() > 1e24 {
        return None;
    }
    let whole = units.floor();
    let rest = ((units - whole) * unit_nanos as f64).round() as i128;
    Some(whole as i128 * i128::from(unit_nanos) + rest)
}

#[cfg(test)]
mod tests;
