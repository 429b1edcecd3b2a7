//! Which segments a file or an attempt holds, to tell a segment that two of them have from one that only one has.

use std::collections::HashMap;

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimestampNanosecondType};
use isdb_region::Region;

use crate::error::{Error, Result};

/// What tells the segments of one pass apart.
pub(crate) const KEY: [&str; 3] = ["beam", "segment_id_beg", "time"];

/// From one segment of 100 m to the next a beam takes this long, in nanoseconds.
const STEP_NS: i64 = 14_000_000;

/// Two times of one beam this near, in nanoseconds, are of the same segment. A time that a tool has converted and written again is off by less than a microsecond.
const SAME_NS: i64 = 2_000_000;

/// `segment_id_beg` counts along the ground track, which is repeated every 91 days: equal ids are of the same segment when their
/// times, in nanoseconds, are this near. Revisions of a granule move times by milliseconds.
const SAME_PASS_NS: i64 = 60_000_000_000;

/// Segments of one pass by beam, and there by `segment_id_beg` where both sides have one, else by time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentKeys {
    beams: HashMap<[u8; 2], BeamKeys>,
    len: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct BeamKeys {
    /// The times of segments by their ids.
    ids: HashMap<i64, i64>,
    /// Ids of another pass over the same track, and their times: a file may have segments of several.
    other_passes: HashMap<i64, Vec<i64>>,
    /// The times of all segments; sorted.
    times: Vec<i64>,
    /// The times of the segments without id; sorted.
    nameless: Vec<i64>,
}

/// What tells one segment: the two last characters of the beam (`1l` to `3r`), `segment_id_beg`, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentKey {
    pub(crate) beam: [u8; 2],
    pub(crate) id: Option<i64>,
    pub(crate) time: i64,
}

impl SegmentKeys {
    /// Those of `beam` with these ids, 14 ms apart: what a track without gaps has.
    #[must_use]
    pub fn of_ids(beam: &str, ids: impl IntoIterator<Item = i64>) -> SegmentKeys {
        let mut keys = SegmentKeys::default();
        let key = |id: i64| SegmentKey { beam: last_two(beam), id: Some(id), time: id.saturating_mul(STEP_NS) };
        keys.extend(ids.into_iter().map(key));
        keys
    }

    /// Adds `keys`.
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
                None => beam.nameless.push(time),
            }
            self.len += 1;
        }
        for beam in self.beams.values_mut() {
            // Rows come in the order of their time, mostly: that costs next to nothing.
            beam.times.sort_unstable();
            beam.nameless.sort_unstable();
        }
    }

    /// How many segments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first and the last time, in nanoseconds since 1970; None without segments.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        let first = self.beams.values().filter_map(|beam| beam.times.first()).min()?;
        let last = self.beams.values().filter_map(|beam| beam.times.last()).max()?;
        Some((*first, *last))
    }

    /// How many of the segments of `other` these have, too.
    #[must_use]
    pub fn shared(&self, other: &SegmentKeys) -> usize {
        let beams = other.beams.iter().filter_map(|(name, theirs)| Some((self.beams.get(name)?, theirs)));
        beams.map(|(own, theirs)| own.shared(theirs)).sum()
    }

    pub(crate) fn contains(&self, key: SegmentKey) -> bool {
        self.beams.get(&key.beam).is_some_and(|beam| beam.contains(key.id, key.time))
    }
}

impl BeamKeys {
    fn contains(&self, id: Option<i64>, time: i64) -> bool {
        match id {
            Some(id) => {
                let others = self.other_passes.get(&id).into_iter().flatten();
                self.ids.get(&id).into_iter().chain(others).any(|other| is_same_pass(*other, time))
                    || has_near(&self.nameless, time)
            }
            None => has_near(&self.times, time),
        }
    }

    fn shared(&self, other: &BeamKeys) -> usize {
        let others = other.other_passes.iter().flat_map(|(id, times)| times.iter().map(move |time| (id, time)));
        let named = other.ids.iter().chain(others).filter(|(id, time)| self.contains(Some(**id), **time)).count();
        named + other.nameless.iter().filter(|time| self.contains(None, **time)).count()
    }
}

/// Whether two segments of one id and these times are the same.
fn is_same_pass(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= SAME_PASS_NS.unsigned_abs()
}

/// Whether one of the sorted `times` is the same as `time`, but for rounding.
fn has_near(times: &[i64], time: i64) -> bool {
    let first = times.partition_point(|other| *other < time.saturating_sub(SAME_NS));
    times.get(first).is_some_and(|other| *other <= time.saturating_add(SAME_NS))
}

/// The key of each row of `batch`.
///
/// # Errors
/// When a column of [`KEY`] is missing or of another type.
pub(crate) fn keys(batch: &RecordBatch) -> Result<Vec<SegmentKey>> {
    let [Some(beams), Some(ids), Some(times)] = KEY.map(|name| batch.column_by_name(name)) else {
        return Err(Error::Engine(datafusion::error::DataFusionError::Internal("segments without a key".to_owned())));
    };
    let engine = |error: arrow::error::ArrowError| Error::Engine(error.into());
    let (beams, ids) =
        (cast(beams, &DataType::LargeUtf8).map_err(engine)?, cast(ids, &DataType::Int64).map_err(engine)?);
    let (beams, ids) = (beams.as_string::<i64>(), ids.as_primitive::<Int64Type>());
    let Some(times) = times.as_primitive_opt::<TimestampNanosecondType>() else {
        return Err(Error::Engine(datafusion::error::DataFusionError::Internal(
            "times are not in nanoseconds".to_owned(),
        )));
    };
    let key = |row| SegmentKey {
        beam: if beams.is_valid(row) { last_two(beams.value(row)) } else { [0; 2] },
        id: ids.is_valid(row).then(|| ids.value(row)),
        time: times.value(row),
    };
    Ok((0..batch.num_rows()).map(key).collect())
}

fn last_two(beam: &str) -> [u8; 2] {
    beam.as_bytes().last_chunk::<2>().copied().unwrap_or_default()
}

/// The keys of the rows of `batch` that lie in `area`; of all for None.
///
/// # Errors
/// As [`keys`], and when there is no position.
pub(crate) fn keys_within(batch: &RecordBatch, area: Option<&Region>) -> Result<Vec<SegmentKey>> {
    let keys = keys(batch)?;
    let Some(area) = area else { return Ok(keys) };
    let degrees = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<arrow::datatypes::Float64Type>();
    let (Some(latitudes), Some(longitudes)) = (degrees("latitude"), degrees("longitude")) else {
        return Err(Error::Engine(datafusion::error::DataFusionError::Internal("segments without a place".to_owned())));
    };
    let mask = area.mask(latitudes.values(), longitudes.values());
    Ok(keys.into_iter().zip(mask.iter()).filter(|(_, is_within)| *is_within).map(|(key, _)| key).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(beam: &[u8; 2], id: Option<i64>, time: i64) -> SegmentKey {
        SegmentKey { beam: *beam, id, time }
    }

    fn set(keys: &[SegmentKey]) -> SegmentKeys {
        let mut set = SegmentKeys::default();
        set.extend(keys.iter().copied());
        set
    }

    #[test]
    fn ids_tell_where_both_have_them_and_times_where_one_does_not() {
        let held = set(&[key(b"1l", Some(5), 0), key(b"1l", None, STEP_NS)]);
        // A new revision has moved the segment by some milliseconds.
        assert!(held.contains(key(b"1l", Some(5), 9_000_000)));
        assert!(!held.contains(key(b"1r", Some(5), 0)), "another beam");
        assert!(!held.contains(key(b"1l", Some(6), 0)), "another segment, whatever its time");
        assert!(!held.contains(key(b"1l", Some(5), 91 * 86_400 * 1_000_000_000)), "the next pass over the track");
        assert!(held.contains(key(b"1l", None, 40)) && !held.contains(key(b"1l", None, STEP_NS / 2)));
        assert!(held.contains(key(b"1l", Some(6), STEP_NS)), "by its time, since the one that is held has no id");
    }

    #[test]
    fn a_file_may_have_segments_of_several_passes_over_one_track() {
        let cycle = 91 * 86_400 * 1_000_000_000;
        let held = set(&[key(b"1l", Some(5), 0), key(b"1l", Some(5), cycle)]);
        for time in [0, cycle] {
            assert!(held.contains(key(b"1l", Some(5), time)));
            assert_eq!(held.shared(&set(&[key(b"1l", Some(5), time)])), 1);
        }
        assert!(!held.contains(key(b"1l", Some(5), 2 * cycle)));
        assert_eq!(set(&[key(b"1l", Some(5), cycle)]).shared(&held), 1);
    }

    #[test]
    fn the_span_is_that_of_all_beams() {
        let held = set(&[key(b"1l", None, 7), key(b"3r", Some(1), 3), key(b"2l", None, 5)]);
        assert_eq!((held.span(), held.len()), (Some((3, 7)), 3));
        assert_eq!(SegmentKeys::default().span(), None);
    }

    proptest! {
        #[test]
        fn of_two_runs_of_segments_those_in_both_are_shared_with_or_without_ids(
            first in 0_i64..50, length in 1_i64..50, other_first in 0_i64..50, other_length in 1_i64..50,
            has_ids: bool, other_has_ids: bool, jitter in -900_i64..900,
        ) {
            let run = |first: i64, length: i64, has_ids: bool, jitter: i64| {
                let keys: Vec<SegmentKey> = (first..first + length)
                    .map(|at| key(b"2r", has_ids.then_some(at * 5), at * STEP_NS + jitter)).collect();
                set(&keys)
            };
            let (one, other) = (run(first, length, has_ids, 0), run(other_first, other_length, other_has_ids, jitter));
            let common = (first + length).min(other_first + other_length) - first.max(other_first);
            let expected = usize::try_from(common.max(0)).unwrap();
            prop_assert_eq!(one.shared(&other), expected);
            prop_assert_eq!(other.shared(&one), expected);
        }
    }
}
