//! Subsets of one granule that merge: a segment that one of them has stored is not stored again for another.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use isdb_schema::segments::INGEST_ID;
use isdb_store::Snapshot;

use crate::error::{Error, Result};
use crate::filter::least::Least;
use crate::read::granule_source::PlannedGranule;
use crate::stored::segment_keys::{KEY, SegmentKey, SegmentKeys, keys};
use crate::stored::stored_rows::stored_rows;

/// The segments of some attempts, attempt by attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys {
    attempts: BTreeMap<i64, Arc<SegmentKeys>>,
}

impl StoredKeys {
    /// Those of the attempt `ingest_id`; None if it has none, or they were not read.
    #[must_use]
    pub fn of(&self, ingest_id: i64) -> Option<&SegmentKeys> {
        self.attempts.get(&ingest_id).map(AsRef::as_ref)
    }
}

impl FromIterator<(i64, SegmentKeys)> for StoredKeys {
    fn from_iter<T: IntoIterator<Item = (i64, SegmentKeys)>>(attempts: T) -> StoredKeys {
        StoredKeys { attempts: attempts.into_iter().map(|(id, keys)| (id, Arc::new(keys))).collect() }
    }
}

/// Which segments the attempts `ingest_ids` have in `snapshot`.
///
/// # Errors
/// When the array cannot be read.
pub async fn stored_keys(snapshot: &Snapshot, ingest_ids: &[i64]) -> Result<StoredKeys> {
    if ingest_ids.is_empty() {
        return Ok(StoredKeys::default());
    }
    let (snapshot, ids) = (snapshot.clone(), ingest_ids.to_vec());
    let read = move || -> Result<StoredKeys> {
        let columns = [&[INGEST_ID][..], &KEY].concat();
        let mut attempts: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for batch in stored_rows(&snapshot, &ids, &columns)? {
            if let Some(ids) = batch.column_by_name(INGEST_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>()) {
                for (id, key) in ids.values().iter().zip(keys(&batch)?) {
                    attempts.entry(*id).or_default().push(key);
                }
            }
        }
        let set = |keys: Vec<SegmentKey>| {
            let mut set = SegmentKeys::default();
            set.extend(keys);
            set
        };
        Ok(attempts.into_iter().map(|(id, keys)| (id, set(keys))).collect())
    };
    tokio::task::spawn_blocking(read).await.map_err(|source| Error::Stopped { source })?
}

/// What earlier attempts mean to the granules of a plan, by the granules' own attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merges {
    /// The segments that must not be stored again, and the attempts that have them.
    stored: BTreeMap<i64, Vec<(i64, Arc<SegmentKeys>)>>,
    /// The segments that are replaced.
    least: BTreeMap<i64, Least>,
}

/// Which rows of a granule are not stored yet.
pub(crate) struct New {
    /// TRUE for those.
    pub(crate) is_new: BooleanArray,
    /// The attempts that have one of the others.
    pub(crate) stored_by: Vec<i64>,
}

impl Merges {
    /// What `stored` means to each of `granules`.
    pub(crate) fn of(granules: &[PlannedGranule], stored: &StoredKeys) -> Merges {
        let of_granule = |granule: &PlannedGranule| {
            let sets = granule.merges_with.iter().filter_map(|id| Some((*id, Arc::clone(stored.attempts.get(id)?))));
            (granule.ingest_id, sets.collect::<Vec<_>>())
        };
        Merges {
            stored: granules.iter().map(of_granule).filter(|(_, sets)| !sets.is_empty()).collect(),
            least: granules.iter().map(|granule| (granule.ingest_id, granule.least)).collect(),
        }
    }

    /// How many segments the attempt `ingest_id` must have.
    pub(crate) fn least(&self, ingest_id: i64) -> Least {
        self.least.get(&ingest_id).copied().unwrap_or_default()
    }

    /// Which rows of `batch`, all of one granule, are not stored yet; None when the granule merges with nothing.
    pub(crate) fn new_in(&self, batch: &RecordBatch) -> Result<Option<New>, String> {
        let ids = batch.column_by_name(INGEST_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>());
        let id = ids.and_then(|ids| ids.values().first());
        let Some(sets) = id.and_then(|id| self.stored.get(id)) else { return Ok(None) };
        let keys = keys(batch).map_err(|error| error.to_string())?;
        let mut stored_by = Vec::new();
        let mut is_new = |key: SegmentKey| match sets.iter().find(|(_, set)| set.contains(key)) {
            Some((holder, _)) => {
                if !stored_by.contains(holder) {
                    stored_by.push(*holder);
                }
                false
            }
            None => true,
        };
        let is_new = BooleanArray::new(keys.into_iter().map(&mut is_new).collect::<BooleanBuffer>(), None);
        Ok(Some(New { is_new, stored_by }))
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
    fn a_segment_is_new_unless_another_attempt_has_it_and_that_attempt_is_named() {
        let stored = |keys: &[(&[u8; 2], Option<i64>, i64)]| {
            let mut set = SegmentKeys::default();
            set.extend(keys.iter().map(|(beam, id, time)| SegmentKey { beam: **beam, id: *id, time: *time }));
            set
        };
        let attempts = [
            (1, stored(&[(b"1l", Some(5), 0)])),
            (2, stored(&[(b"2l", Some(6), 0)])),
            (3, stored(&[(b"1r", None, 14_000_100)])),
        ];
        let merging = PlannedGranule { ingest_id: 7, merges_with: vec![1, 2, 3], ..PlannedGranule::default() };
        let alone = PlannedGranule { ingest_id: 8, ..PlannedGranule::default() };
        let merges = Merges::of(&[merging, alone], &attempts.into_iter().collect());
        let New { is_new, stored_by } = merges.new_in(&batch(7)).unwrap().unwrap();
        assert_eq!(is_new.iter().flatten().collect::<Vec<_>>(), [false, true, true, false]);
        assert_eq!(stored_by, [1, 3]);
        assert!(merges.new_in(&batch(8)).unwrap().is_none());
    }
}
