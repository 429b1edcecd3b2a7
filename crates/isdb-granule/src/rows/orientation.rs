//! The spacecraft's orientation, which decides the laser spot of each beam and the strong beam of each pair.

use crate::decode::scalar::Scalar;
use crate::metadata::OrbitInfo;
use crate::time::{Clock, Epoch};

/// Flies with the left beams leading: `gt1l`, `gt2l`, `gt3l` are strong.
const BACKWARD: i8 = 0;
/// The right beams are strong.
const FORWARD: i8 = 1;
/// Turning: strength and spot of the beams are unknown.
pub(crate) const TRANSITION: i8 = 2;

/// The orientations of a granule by the time at which they began.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Orientations {
    /// UTC nanoseconds at which an orientation began, and the orientation.
    changes: Vec<(i64, i8)>,
}

impl Orientations {
    /// The orientations of `orbit_info/sc_orient` and `sc_orient_time`, which counts from `epoch` unless its units say otherwise. A
    /// single orientation without a time applies to the whole granule; several without times, or with times in unknown units, are ignored.
    pub(crate) fn from_orbit_info(orbit: &OrbitInfo, epoch: Epoch) -> Self {
        let times: Vec<Option<i64>> = orbit.sc_orient_time.as_ref().map_or_else(Vec::new, |times| {
            let clock = Clock::from_attributes(&times.attributes, epoch).ok();
            times.numbers.iter().map(|time| clock.as_ref()?.utc(Scalar::Float(*time))).collect()
        });
        Self::new(&orbit.sc_orient, &times)
    }

    fn new(orientations: &[f64], times: &[Option<i64>]) -> Self {
        let known = |&value: &f64| [BACKWARD, FORWARD, TRANSITION].into_iter().find(|&o| f64::from(o) == value);
        let mut changes: Vec<(i64, i8)> = match (orientations, times) {
            ([only], []) => known(only).map(|o| (i64::MIN, o)).into_iter().collect(),
            _ => times.iter().zip(orientations).filter_map(|(&time, o)| Some((time?, known(o)?))).collect(),
        };
        changes.sort_by_key(|(begun, _)| *begun);
        Self { changes }
    }

    /// The orientation at `time` in UTC nanoseconds, which is the last that began before it.
    pub(crate) fn at(&self, time: i64) -> Option<i8> {
        self.changes.iter().rev().find(|(begun, _)| *begun <= time).map(|&(_, orientation)| orientation)
    }
}

/// The strength of the beam of that name, `strong` or `weak`; `None` while turning.
pub(crate) fn strength(beam: &str, orientation: i8) -> Option<&'static str> {
    let left = beam.ends_with('l');
    match orientation {
        BACKWARD => Some(if left { "strong" } else { "weak" }),
        FORWARD => Some(if left { "weak" } else { "strong" }),
        _ => None,
    }
}

/// The laser spot of the beam of that name, 1 to 6; `None` while turning.
pub(crate) fn spot(beam: &str, orientation: i8) -> Option<i8> {
    let backward = match beam {
        "gt1l" => 1,
        "gt1r" => 2,
        "gt2l" => 3,
        "gt2r" => 4,
        "gt3l" => 5,
        "gt3r" => 6,
        _ => return None,
    };
    match orientation {
        BACKWARD => Some(backward),
        FORWARD => Some(7 - backward),
        _ => None,
    }
}

#[cfg(test)]
impl Orientations {
    /// One orientation for the whole granule.
    pub(crate) fn always(orientation: i8) -> Self {
        Self::new(&[orientation.into()], &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isdb_schema::segments::BEAMS;

    #[test]
    fn an_orientation_applies_from_its_time_on() {
        let orientations = Orientations::new(&[1.0, 2.0, 0.0], &[100, 200, 300].map(Some));
        let at = [99, 100, 199, 250, 310].map(|time| orientations.at(time));
        assert_eq!(at, [None, Some(1), Some(1), Some(2), Some(0)]);
    }

    #[test]
    fn only_a_single_orientation_applies_without_a_time() {
        assert_eq!(Orientations::new(&[0.0], &[]).at(5), Some(0));
        assert_eq!(Orientations::new(&[0.0, 1.0], &[]).at(5), None);
        assert_eq!(Orientations::new(&[], &[]).at(5), None);
        assert_eq!(Orientations::new(&[127.0], &[]).at(5), None);
    }

    #[test]
    fn strength_follows_side_and_orientation() {
        assert_eq!([strength("gt1l", 0), strength("gt1r", 0)], [Some("strong"), Some("weak")]);
        assert_eq!([strength("gt3l", 1), strength("gt3r", 1)], [Some("weak"), Some("strong")]);
        assert_eq!(strength("gt2l", 2), None);
    }

    #[test]
    fn spots_count_from_the_left_flying_backward_and_from_the_right_flying_forward() {
        let spots = |orientation| BEAMS.map(|beam| spot(beam, orientation));
        assert_eq!(spots(0), [1, 2, 3, 4, 5, 6].map(Some));
        assert_eq!(spots(1), [6, 5, 4, 3, 2, 1].map(Some));
        assert_eq!(spots(2), [None; 6]);
        for (beam, orientation) in BEAMS.into_iter().flat_map(|beam| [(beam, 0), (beam, 1)]) {
            let odd = spot(beam, orientation).map(|spot| spot % 2 == 1);
            assert_eq!(odd, strength(beam, orientation).map(|strength| strength == "strong"), "{beam} {orientation}");
        }
    }
}
