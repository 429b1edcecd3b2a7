//! Sets of segments of a file or an attempt, to find the segments that two of them have in common.

use std::collections::HashMap;

use crate::stored::segment_key::{SegmentKey, beam_code};

/// Time of a beam from one segment of 100 m to the next, in nanoseconds.
const SEGMENT_NS: i64 = 14_000_000;

/// Two times of one beam this near, in nanoseconds, are of the same segment. A time that a tool has converted and written again is
/// off by less than a microsecond.
const SAME_SEGMENT_NS: i64 = 2_000_000;

/// `segment_id_beg` counts along the ground track, which is repeated every 91 days: equal ids are of the same segment when their
/// times, in nanoseconds, are this near. Revisions of a granule move times by milliseconds.
const SAME_PASS_NS: i64 = 60_000_000_000;

/// Segments by beam. Two segments of a beam are the same if their `segment_id_beg` is equal, or by their times if one has no id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentSet {
    beams: HashMap<[u8; 2], BeamSegments>,
    len: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct BeamSegments {
    /// The times of segments by id.
    ids: HashMap<i64, i64>,
    /// The times of segments of further passes over the same track, by id: a file may have segments of several passes.
    other_passes: HashMap<i64, Vec<i64>>,
    /// The times of all segments, sorted.
    times: Vec<i64>,
    /// The times of the segments without id, sorted.
    times_without_id: Vec<i64>,
}

impl SegmentSet {
    /// Creates the segments of `beam` with these ids, 14 ms apart, as on a track without gaps.
    #[must_use]
    pub fn from_ids(beam: &str, ids: impl IntoIterator<Item = i64>) -> SegmentSet {
        let key = |id: i64| SegmentKey { beam: beam_code(beam), id: Some(id), time: id.saturating_mul(SEGMENT_NS) };
        ids.into_iter().map(key).collect()
    }

    /// Adds segments.
    pub(crate) fn extend(&mut self, keys: impl IntoIterator<Item = SegmentKey>) {
        for SegmentKey { beam, id, time } in keys {
            let beam = self.beams.entry(beam).or_default();
            beam.times.push(time);
            match id {
                Some(id) => match beam.ids.get(&id) {
                    Some(first) if !is_same_pass(*first, time) => beam.other_passes.entry(id).or_default().push(time),
                    _ => {
                        beam.ids.insert(id, time);
                    }
                },
                None => beam.times_without_id.push(time),
            }
            self.len += 1;
        }
        for beam in self.beams.values_mut() {
            // Cheap, because rows mostly arrive in time order.
            beam.times.sort_unstable();
            beam.times_without_id.sort_unstable();
        }
    }

    /// Returns the number of segments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the first and the last time, in nanoseconds since 1970; None without segments.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        let first = self.beams.values().filter_map(|beam| beam.times.first()).min()?;
        let last = self.beams.values().filter_map(|beam| beam.times.last()).max()?;
        Some((*first, *last))
    }

    /// Returns the number of segments of `other` that are in this set.
    #[must_use]
    pub fn count_shared(&self, other: &SegmentSet) -> usize {
        let beams = other.beams.iter().filter_map(|(name, theirs)| Some((self.beams.get(name)?, theirs)));
        beams.map(|(own, theirs)| own.count_shared(theirs)).sum()
    }

    pub(crate) fn contains(&self, key: SegmentKey) -> bool {
        self.beams.get(&key.beam).is_some_and(|beam| beam.contains(key.id, key.time))
    }
}

impl FromIterator<SegmentKey> for SegmentSet {
    fn from_iter<T: IntoIterator<Item = SegmentKey>>(keys: T) -> SegmentSet {
        let mut segments = SegmentSet::default();
        segments.extend(keys);
        segments
    }
}

impl BeamSegments {
    fn contains(&self, id: Option<i64>, time: i64) -> bool {
        match id {
            Some(id) => {
                let others = self.other_passes.get(&id).into_iter().flatten();
                self.ids.get(&id).into_iter().chain(others).any(|other| is_same_pass(*other, time))
                    || has_near(&self.times_without_id, time)
            }
            None => has_near(&self.times, time),
        }
    }

    fn count_shared(&self, other: &BeamSegments) -> usize {
        let others = other.other_passes.iter().flat_map(|(id, times)| times.iter().map(move |time| (id, time)));
        let with_id = other.ids.iter().chain(others).filter(|(id, time)| self.contains(Some(**id), **time)).count();
        with_id + other.times_without_id.iter().filter(|time| self.contains(None, **time)).count()
    }
}

/// Whether two segments with the same id and these times are of the same pass.
fn is_same_pass(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= SAME_PASS_NS.unsigned_abs()
}

/// Whether one of the sorted `times` is `time`, apart from rounding.
fn has_near(times: &[i64], time: i64) -> bool {
    let first = times.partition_point(|other| *other < time.saturating_sub(SAME_SEGMENT_NS));
    times.get(first).is_some_and(|other| *other <= time.saturating_add(SAME_SEGMENT_NS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(beam: &[u8; 2], id: Option<i64>, time: i64) -> SegmentKey {
        SegmentKey { beam: *beam, id, time }
    }

    fn set(keys: &[SegmentKey]) -> SegmentSet {
        keys.iter().copied().collect()
    }

    #[test]
    fn segments_are_compared_by_id_or_by_time_if_one_has_no_id() {
        let segments = set(&[key(b"1l", Some(5), 0), key(b"1l", None, SEGMENT_NS)]);
        // A new revision has moved the segment by some milliseconds.
        assert!(segments.contains(key(b"1l", Some(5), 9_000_000)));
        assert!(!segments.contains(key(b"1r", Some(5), 0)), "another beam");
        assert!(!segments.contains(key(b"1l", Some(6), 0)), "another segment, whatever its time");
        assert!(!segments.contains(key(b"1l", Some(5), 91 * 86_400 * 1_000_000_000)), "the next pass over the track");
        assert!(segments.contains(key(b"1l", None, 40)) && !segments.contains(key(b"1l", None, SEGMENT_NS / 2)));
        assert!(segments.contains(key(b"1l", Some(6), SEGMENT_NS)), "by its time, because the stored one has no id");
    }

    #[test]
    fn segments_of_several_passes_over_one_track_are_distinguished() {
        let cycle = 91 * 86_400 * 1_000_000_000;
        let segments = set(&[key(b"1l", Some(5), 0), key(b"1l", Some(5), cycle)]);
        for time in [0, cycle] {
            assert!(segments.contains(key(b"1l", Some(5), time)));
            assert_eq!(segments.count_shared(&set(&[key(b"1l", Some(5), time)])), 1);
        }
        assert!(!segments.contains(key(b"1l", Some(5), 2 * cycle)));
        assert_eq!(set(&[key(b"1l", Some(5), cycle)]).count_shared(&segments), 1);
    }

    #[test]
    fn the_span_covers_all_beams() {
        let segments = set(&[key(b"1l", None, 7), key(b"3r", Some(1), 3), key(b"2l", None, 5)]);
        assert_eq!((segments.span(), segments.len()), (Some((3, 7)), 3));
        assert_eq!(SegmentSet::default().span(), None);
    }

    proptest! {
        #[test]
        fn overlapping_tracks_share_their_common_segments_with_or_without_ids(
            first in 0_i64..50, length in 1_i64..50, other_first in 0_i64..50, other_length in 1_i64..50,
            has_ids: bool, other_has_ids: bool, jitter in -900_i64..900,
        ) {
            let run = |first: i64, length: i64, has_ids: bool, jitter: i64| {
                let keys: Vec<SegmentKey> = (first..first + length)
                    .map(|at| key(b"2r", has_ids.then_some(at * 5), at * SEGMENT_NS + jitter)).collect();
                set(&keys)
            };
            let (one, other) = (run(first, length, has_ids, 0), run(other_first, other_length, other_has_ids, jitter));
            let common = (first + length).min(other_first + other_length) - first.max(other_first);
            let expected = usize::try_from(common.max(0)).unwrap();
            prop_assert_eq!(one.count_shared(&other), expected);
            prop_assert_eq!(other.count_shared(&one), expected);
        }
    }
}
