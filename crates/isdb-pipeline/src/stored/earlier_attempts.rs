//! Earlier attempts at the granules of a plan: a segment that another subset of the granule has stored is not stored again, and
//! attempts are replaced only by granules with enough segments.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use isdb_schema::segments::INGEST_ID;

use crate::filter::minimum_rows::MinimumRows;
use crate::read::planned_granule::PlannedGranule;
use crate::stored::segment_key::{SegmentKey, segment_keys};
use crate::stored::segment_set::SegmentSet;
use crate::stored::stored_segments::StoredSegments;

/// Earlier attempts, by the id of the new attempt at the same granule.
#[derive(Clone, Debug, Default)]
pub(crate) struct EarlierAttempts {
    /// The segments that must not be stored again, each set with the attempt that has stored it.
    stored: BTreeMap<i64, Vec<(i64, Arc<SegmentSet>)>>,
    /// The number of segments that the new attempt needs.
    minimum: BTreeMap<i64, MinimumRows>,
}

/// The rows of a granule that are not stored yet.
pub(crate) struct NewRows {
    /// TRUE for each row that is not stored yet.
    pub(crate) is_new: BooleanArray,
    /// The attempts that have stored the others.
    pub(crate) stored_by: Vec<i64>,
}

impl EarlierAttempts {
    /// Collects the earlier attempts of `granules`. `stored` has the segments of the attempts that they merge with.
    pub(crate) fn new(granules: &[PlannedGranule], stored: &StoredSegments) -> EarlierAttempts {
        let sets_of = |granule: &PlannedGranule| {
            let sets = granule.merges_with.iter().filter_map(|id| Some((*id, Arc::clone(stored.get(*id)?))));
            (granule.ingest_id, sets.collect::<Vec<_>>())
        };
        EarlierAttempts {
            stored: granules.iter().map(sets_of).filter(|(_, sets)| !sets.is_empty()).collect(),
            minimum: granules.iter().map(|granule| (granule.ingest_id, granule.minimum)).collect(),
        }
    }

    /// Returns the number of segments that the attempt `ingest_id` needs.
    pub(crate) fn minimum(&self, ingest_id: i64) -> MinimumRows {
        self.minimum.get(&ingest_id).copied().unwrap_or_default()
    }

    /// Finds the rows of `batch`, all of one granule, that are not stored yet. None if the granule merges with no attempt.
    pub(crate) fn new_rows(&self, batch: &RecordBatch) -> Result<Option<NewRows>, String> {
        let ids = batch.column_by_name(INGEST_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>());
        let id = ids.and_then(|ids| ids.values().first());
        let Some(sets) = id.and_then(|id| self.stored.get(id)) else { return Ok(None) };
        let keys = segment_keys(batch).map_err(|error| error.to_string())?;
        let mut stored_by = Vec::new();
        let mut is_new = |key: SegmentKey| match sets.iter().find(|(_, set)| set.contains(key)) {
            Some((attempt, _)) => {
                if !stored_by.contains(attempt) {
                    stored_by.push(*attempt);
                }
                false
            }
            None => true,
        };
        let is_new = BooleanArray::new(keys.into_iter().map(&mut is_new).collect::<BooleanBuffer>(), None);
        Ok(Some(NewRows { is_new, stored_by }))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array, Int64Array, LargeStringArray, TimestampNanosecondArray};

    use super::*;

    fn batch(id: i64) -> RecordBatch {
        let beams: ArrayRef = Arc::new(LargeStringArray::from(vec!["gt1l", "gt1l", "gt1r", "gt1r"]));
        let segments: ArrayRef = Arc::new(Int32Array::from(vec![Some(5), Some(6), Some(5), None]));
        let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![0, 14_000_000, 0, 14_000_000]));
        let ids: ArrayRef = Arc::new(Int64Array::from_value(id, 4));
        RecordBatch::try_from_iter([(INGEST_ID, ids), ("beam", beams), ("segment_id_beg", segments), ("time", times)])
            .unwrap()
    }

    #[test]
    fn a_segment_is_new_unless_another_attempt_has_stored_it() {
        let stored = |keys: &[(&[u8; 2], Option<i64>, i64)]| {
            let key =
                |(beam, id, time): &(&[u8; 2], Option<i64>, i64)| SegmentKey { beam: **beam, id: *id, time: *time };
            keys.iter().map(key).collect::<SegmentSet>()
        };
        let attempts = [
            (1, stored(&[(b"1l", Some(5), 0)])),
            (2, stored(&[(b"2l", Some(6), 0)])),
            (3, stored(&[(b"1r", None, 14_000_100)])),
        ];
        let merging = PlannedGranule { ingest_id: 7, merges_with: vec![1, 2, 3], ..PlannedGranule::default() };
        let alone = PlannedGranule { ingest_id: 8, ..PlannedGranule::default() };
        let earlier = EarlierAttempts::new(&[merging, alone], &attempts.into_iter().collect());
        let NewRows { is_new, stored_by } = earlier.new_rows(&batch(7)).unwrap().unwrap();
        assert_eq!(is_new.iter().flatten().collect::<Vec<_>>(), [false, true, true, false]);
        assert_eq!(stored_by, [1, 3]);
        assert!(earlier.new_rows(&batch(8)).unwrap().is_none());
    }
}
