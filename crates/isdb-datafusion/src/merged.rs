//! Subsets of one granule that merge: a segment that one of them has stored is not stored again for another.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimestampNanosecondType};
use isdb_schema::segments::INGEST_ID;
use isdb_store::Snapshot;
use tiledb::{Array, Condition, DimensionRange, Literal, ReadRequest};

use crate::error::{Error, Result};
use crate::granule_source::PlannedGranule;

/// What segments are told apart by within one granule.
const KEY: [&str; 2] = ["beam", "segment_id_beg"];

/// In a tally and in the ledger's `removed_by` the name for segments that another subset has stored.
pub(crate) const ALREADY_STORED: &str = "already stored";

const HOUR_NS: i64 = 3_600 * 1_000_000_000;

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
    let (snapshot, ids) = (snapshot.clone(), ingest_ids.to_vec());
    let read = move || {
        let attempts = attempts(&snapshot, &ids)?;
        let kept: i64 = attempts.iter().map(|attempt| attempt.rows_kept).sum();
        // Subsets of one granule begin when it does.
        let starts = attempts.iter().map(|attempt| attempt.start_time).collect::<Option<BTreeSet<i64>>>();
        let ranges = starts.unwrap_or_default().into_iter().map(around).collect();
        let (stored, rows) = read_keys(&snapshot, &ids, ranges)?;
        // The times of the segments are not those of the granule: the whole array is read.
        if rows == kept { Ok(stored) } else { read_keys(&snapshot, &ids, Vec::new()).map(|(stored, _)| stored) }
    };
    tokio::task::spawn_blocking(read).await.map_err(|source| Error::Stopped { source })?
}

/// What the ledger says of an attempt.
struct Attempt {
    start_time: Option<i64>,
    rows_kept: i64,
}

/// The times at which the segments of a granule lie: within an hour of its `start`, which a granule takes a tenth of.
fn around(start: i64) -> DimensionRange {
    DimensionRange {
        dimension: "time".to_owned(),
        low: Literal::TimestampNs(start.saturating_sub(HOUR_NS)),
        high: Literal::TimestampNs(start.saturating_add(HOUR_NS)),
    }
}

fn attempts(snapshot: &Snapshot, ids: &[i64]) -> Result<Vec<Attempt>> {
    let only =
        |id: &i64| DimensionRange { dimension: INGEST_ID.to_owned(), low: Literal::Int(*id), high: Literal::Int(*id) };
    let request = ReadRequest {
        columns: ["start_time", "rows_kept"].map(str::to_owned).into(),
        ranges: ids.iter().map(only).collect(),
        condition: snapshot.visible_granules(),
        batch_rows: BATCH_ROWS,
    };
    let mut attempts = Vec::new();
    each(snapshot.granules(), &request, |batch| {
        let starts = batch.column_by_name("start_time").and_then(|of| of.as_primitive_opt::<TimestampNanosecondType>());
        let kept = batch.column_by_name("rows_kept").and_then(|of| of.as_primitive_opt::<Int64Type>());
        if let (Some(starts), Some(kept)) = (starts, kept) {
            let attempt = |(start_time, kept): (_, Option<i64>)| Attempt { start_time, rows_kept: kept.unwrap_or(0) };
            attempts.extend(starts.iter().zip(kept).map(attempt));
        }
        Ok(())
    })?;
    Ok(attempts)
}

/// The keys of the attempts' segments within `ranges`, and how many segments there are.
fn read_keys(snapshot: &Snapshot, ids: &[i64], ranges: Vec<DimensionRange>) -> Result<(StoredKeys, i64)> {
    let values = ids.iter().map(|id| Literal::Int(*id)).collect();
    let wanted = Condition::In { column: INGEST_ID.to_owned(), values, negated: false };
    let request = ReadRequest {
        columns: [INGEST_ID].iter().chain(&KEY).map(|name| (*name).to_owned()).collect(),
        ranges,
        condition: Some(Condition::And(snapshot.visible_segments().into_iter().chain([wanted]).collect())),
        batch_rows: BATCH_ROWS,
    };
    let (mut attempts, mut rows): (BTreeMap<i64, HashSet<Key>>, i64) = (BTreeMap::new(), 0);
    each(snapshot.segments(), &request, |batch| {
        rows += i64::try_from(batch.num_rows()).unwrap_or(0);
        if let Some(ids) = batch.column_by_name(INGEST_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>()) {
            for (id, key) in ids.values().iter().zip(keys(batch)?) {
                attempts.entry(*id).or_default().extend(key);
            }
        }
        Ok(())
    })?;
    Ok((StoredKeys { attempts: attempts.into_iter().map(|(id, keys)| (id, Arc::new(keys))).collect() }, rows))
}

/// Hands every batch of a read to `take`.
fn each(array: &Array, request: &ReadRequest, mut take: impl FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
    let failed = |source| Error::Read { uri: array.uri().to_owned(), source };
    for batch in array.read(request).map_err(failed)? {
        take(&batch.map_err(failed)?)?;
    }
    Ok(())
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
