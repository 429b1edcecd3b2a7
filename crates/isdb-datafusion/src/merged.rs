//! Subsets of one granule that merge: a segment that one of them has stored is not stored again for another.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use isdb_schema::segments::INGEST_ID;
use isdb_store::Snapshot;
use tiledb::{Condition, Literal, ReadRequest};

use crate::error::{Error, Result};
use crate::granule_source::PlannedGranule;

/// What segments are told apart by within one granule.
const KEY: [&str; 2] = ["beam", "segment_id_beg"];

/// In a tally and in the ledger's `removed_by` the name for segments that another subset has stored.
pub(crate) const ALREADY_STORED: &str = "already stored";

/// Rows of one batch while keys are read.
const BATCH_ROWS: usize = 65_536;

/// Beam and `segment_id_beg` of the segments of some attempts, attempt by attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys {
    attempts: BTreeMap<i64, Arc<HashSet<Key>>>,
}

/// The beam's two last characters, `1l` to `3r`, and the segment's id.
type Key = ([u8; 2], i64);

/// Which segments the attempts `ingest_ids` have in `snapshot`. A segment without an id cannot be told from another and is in no
/// set.
///
/// # Errors
/// When the array cannot be read.
pub async fn stored_keys(snapshot: &Snapshot, ingest_ids: &[i64]) -> Result<StoredKeys> {
    if ingest_ids.is_empty() {
        return Ok(StoredKeys::default());
    }
    let (array, visible) = (snapshot.segments().clone(), snapshot.visible_segments());
    let values = ingest_ids.iter().map(|id| Literal::Int(*id)).collect();
    let wanted = Condition::In { column: INGEST_ID.to_owned(), values, negated: false };
    let read = move || {
        let failed = |source| Error::Read { uri: array.uri().to_owned(), source };
        let columns = [INGEST_ID].iter().chain(&KEY).map(|name| (*name).to_owned()).collect();
        let condition = Some(Condition::And(visible.into_iter().chain([wanted]).collect()));
        let request = ReadRequest { columns, ranges: Vec::new(), condition, batch_rows: BATCH_ROWS };
        let mut attempts: BTreeMap<i64, HashSet<Key>> = BTreeMap::new();
        for batch in array.read(&request).map_err(failed)? {
            let batch = batch.map_err(failed)?;
            let ids = batch.column_by_name(INGEST_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>());
            let ids = ids.map(|ids| ids.values().to_vec()).unwrap_or_default();
            for (id, key) in ids.into_iter().zip(keys(&batch)?) {
                attempts.entry(id).or_default().extend(key);
            }
        }
        Ok(StoredKeys { attempts: attempts.into_iter().map(|(id, keys)| (id, Arc::new(keys))).collect() })
    };
    tokio::task::spawn_blocking(read).await.map_err(|source| Error::Stopped { source })?
}

/// The key of each row; None for a segment without an id.
fn keys(batch: &RecordBatch) -> Result<Vec<Option<Key>>> {
    let [Some(beams), Some(segments)] = KEY.map(|name| batch.column_by_name(name)) else { return Ok(Vec::new()) };
    let (beams, segments) = (cast(beams, &DataType::LargeUtf8), cast(segments, &DataType::Int64));
    let (beams, segments) = (beams.map_err(engine)?, segments.map_err(engine)?);
    let (beams, segments) = (beams.as_string::<i64>(), segments.as_primitive::<Int64Type>());
    let key = |row| {
        let beam = beams.is_valid(row).then(|| beams.value(row))?.as_bytes().last_chunk::<2>()?;
        segments.is_valid(row).then(|| (*beam, segments.value(row)))
    };
    Ok((0..batch.num_rows()).map(key).collect())
}

fn engine(error: arrow::error::ArrowError) -> Error {
    Error::Engine(error.into())
}

/// The segments that each granule of a plan must not store again, by the granule's own attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merges {
    granules: BTreeMap<i64, Vec<Arc<HashSet<Key>>>>,
}

impl Merges {
    /// What `stored` means to each of `granules`.
    pub(crate) fn of(granules: &[PlannedGranule], stored: StoredKeys) -> Merges {
        let of_granule = |granule: &PlannedGranule| {
            let sets = granule.merges_with.iter().filter_map(|id| stored.attempts.get(id)).map(Arc::clone);
            (granule.ingest_id, sets.collect::<Vec<_>>())
        };
        Merges { granules: granules.iter().map(of_granule).filter(|(_, sets)| !sets.is_empty()).collect() }
    }

    /// TRUE for the rows of `batch`, all of one granule, that are not stored yet; None when the granule merges with nothing.
    pub(crate) fn is_new(&self, batch: &RecordBatch) -> Result<Option<BooleanArray>, String> {
        let ids = batch.column_by_name(INGEST_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>());
        let id = ids.and_then(|ids| ids.values().first());
        let Some(sets) = id.and_then(|id| self.granules.get(id)) else { return Ok(None) };
        let keys = keys(batch).map_err(|error| error.to_string())?;
        let is_new = |key: &Option<Key>| key.is_none_or(|key| !sets.iter().any(|set| set.contains(&key)));
        Ok(Some(BooleanArray::new(keys.iter().map(is_new).collect::<BooleanBuffer>(), None)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array, Int64Array, LargeStringArray};

    use super::*;

    fn batch(id: i64) -> RecordBatch {
        let beams: ArrayRef = Arc::new(LargeStringArray::from(vec!["gt1l", "gt1l", "gt1r", "gt1r"]));
        let segments: ArrayRef = Arc::new(Int32Array::from(vec![Some(5), Some(6), Some(5), None]));
        let ids: ArrayRef = Arc::new(Int64Array::from_value(id, 4));
        RecordBatch::try_from_iter([(INGEST_ID, ids), ("beam", beams), ("segment_id_beg", segments)]).unwrap()
    }

    #[test]
    fn a_segment_is_new_unless_its_beam_and_id_are_stored_and_one_without_an_id_always_is() {
        let stored = |keys: &[(&[u8; 2], i64)]| Arc::new(keys.iter().map(|(beam, id)| (**beam, *id)).collect());
        let attempts = BTreeMap::from([(1, stored(&[(b"1l", 5)])), (2, stored(&[(b"1r", 5), (b"2l", 6)]))]);
        let merging = PlannedGranule { ingest_id: 7, merges_with: vec![1, 2], ..PlannedGranule::default() };
        let alone = PlannedGranule { ingest_id: 8, ..PlannedGranule::default() };
        let merges = Merges::of(&[merging, alone], StoredKeys { attempts });
        let is_new = merges.is_new(&batch(7)).unwrap().unwrap();
        assert_eq!(is_new.iter().flatten().collect::<Vec<_>>(), [false, true, false, true]);
        assert_eq!(merges.is_new(&batch(8)).unwrap(), None);
    }
}
