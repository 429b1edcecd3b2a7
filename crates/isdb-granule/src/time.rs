//! From the product's seconds since its epoch to UTC nanoseconds, exactly enough that the way back gives the same double.

/// GPS seconds of the ATLAS epoch, 2018-01-01T00:00:00Z, which every release has used so far.
pub(crate) const ATLAS_EPOCH_GPS: f64 = 1_198_800_018.0;

/// The same moment in UTC seconds since 1970.
const ATLAS_EPOCH_UNIX: i64 = 1_514_764_800;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Seconds to either side that an epoch may lie from the mission's, and a time from its epoch (about 110 years): nobody
/// measured anything beyond, and every time within can be stored.
const REACH: f64 = 3.5e9;

/// The granule's epoch, to which `delta_time` is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Epoch {
    unix_seconds: i64,
    nanos: i64,
}

impl Epoch {
    /// The epoch at `gps` GPS seconds, or `None` if that is no moment near the mission. No leap second has been inserted
    /// since before the ATLAS epoch, so GPS and UTC seconds count alike from it.
    pub(crate) fn from_gps_seconds(gps: f64) -> Option<Self> {
        let (seconds, nanos) = split(gps - ATLAS_EPOCH_GPS)?;
        Some(Self { unix_seconds: ATLAS_EPOCH_UNIX + seconds, nanos })
    }

    /// UTC nanoseconds since 1970 at `delta_time` seconds after the epoch, or `None` if that is no time at all.
    pub(crate) fn nanoseconds(self, delta_time: f64) -> Option<i64> {
        let (seconds, nanos) = split(delta_time)?;
        self.unix_seconds.checked_add(seconds)?.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos + self.nanos)
    }
}

/// Whole seconds and the nanoseconds above them. The difference of a double and its floor is exact, so only the last
/// rounding to a nanosecond is left.
#[expect(clippy::cast_possible_truncation, reason = "both are bounded: REACH seconds, and a fraction of 10^9")]
fn split(seconds: f64) -> Option<(i64, i64)> {
    if seconds.is_nan() || seconds.abs() > REACH {
        return None;
    }
    let whole = seconds.floor();
    Some((whole as i64, ((seconds - whole) * 1e9).round() as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn epoch() -> Epoch {
        Epoch::from_gps_seconds(ATLAS_EPOCH_GPS).unwrap()
    }

    #[test]
    fn the_release_004_file_starts_when_it_says() {
        // start_delta_time and data_start_utc (2020-08-21T12:26:12.920217Z) of the same file
        assert_eq!(epoch().nanoseconds(83_247_972.920_217_28).unwrap() / 1000, 1_598_012_772_920_217);
    }

    #[test]
    fn no_time_comes_of_fills_and_nonsense() {
        for delta_time in [f64::NAN, f64::INFINITY, 3.402_823_5e38, 1e11, -1e11] {
            assert_eq!(epoch().nanoseconds(delta_time), None);
        }
        assert_eq!(Epoch::from_gps_seconds(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn delta_time_can_be_had_back_from_utc(delta_time in 0.0..1e9_f64) {
            let nanos = epoch().nanoseconds(delta_time).unwrap() - ATLAS_EPOCH_UNIX * NANOS_PER_SECOND;
            let (seconds, rest) = (nanos.div_euclid(NANOS_PER_SECOND), nanos.rem_euclid(NANOS_PER_SECOND));
            let back = seconds as f64 + rest as f64 / 1e9;
            prop_assert!((back - delta_time).abs() < 1e-9 || back == delta_time);
            // From a year on a double's step is wider than a nanosecond's half.
            if delta_time > 3.2e7 { prop_assert_eq!(back, delta_time); }
        }
    }
}
