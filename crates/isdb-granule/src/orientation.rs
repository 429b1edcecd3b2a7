//! Which way the spacecraft flew, and so which laser spot made a beam and which beam of a pair is the strong one.

use crate::metadata::{numbers, small};
use crate::scalar::Scalar;
use crate::time::{Clock, Epoch};

/// Flies with the left beams leading: `gt1l`, `gt2l`, `gt3l` are strong.
const BACKWARD: i8 = 0;
/// The right beams are strong.
const FORWARD: i8 = 1;
/// Turning: neither strength nor spot of a beam can be told.
pub(crate) const TRANSITION: i8 = 2;

/// The orientations of a granule in the order of their beginning.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Orientations {
    /// UTC nanoseconds of the beginning, orientation.
    changes: Vec<(i64, i8)>,
}

impl Orientations {
    /// Reads `/orbit_info/sc_orient` and `sc_orient_time`, which counts from `epoch` unless it says otherwise. A single
    /// orientation without a time holds for the granule; several without times, or with times of no known unit, tell nothing.
    pub(crate) fn read(file: &hdf5::File, epoch: Epoch) -> Self {
        let Ok(orbit) = file.group("orbit_info") else { return Self::default() };
        let orientations = numbers(&orbit, "sc_orient").unwrap_or_default();
        let times = small(&orbit, "sc_orient_time").and_then(|times| {
            let clock = Clock::of(&times.attrs().ok()?, epoch).ok();
            let utc = |time: f64| clock.as_ref()?.utc(Scalar::Float(time));
            Some(times.read_f64().ok()?.into_iter().map(utc).collect::<Vec<_>>())
        });
        let times = times.unwrap_or_default();
        Self::new(&orientations, &times)
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

    /// The orientation at `time` in UTC nanoseconds: the last that had begun.
    pub(crate) fn at(&self, time: i64) -> Option<i8> {
        self.changes.iter().rev().find(|(begun, _)| *begun <= time).map(|&(_, orientation)| orientation)
    }
}

/// `strong` or `weak` for the beam of that name when flying so; `None` while turning.
pub(crate) fn strength(beam: &str, orientation: i8) -> Option<&'static str> {
    let left = beam.ends_with('l');
    match orientation {
        BACKWARD => Some(if left { "strong" } else { "weak" }),
        FORWARD => Some(if left { "weak" } else { "strong" }),
        _ => None,
    }
}

/// The laser spot, 1 to 6, that makes the beam of that name when flying so; `None` while turning.
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
    use crate::beam::BEAMS;

    #[test]
    fn a_turn_within_the_granule_counts_from_its_time() {
        let orientations = Orientations::new(&[1.0, 2.0, 0.0], &[100, 200, 300].map(Some));
        let at = [99, 100, 199, 250, 310].map(|time| orientations.at(time));
        assert_eq!(at, [None, Some(1), Some(1), Some(2), Some(0)]);
    }

    #[test]
    fn orientations_without_times_hold_only_if_there_is_one() {
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
