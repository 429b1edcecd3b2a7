//! The segments that attempts have stored in the database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use isdb_schema::segments::INGEST_ID;
use isdb_store::{Id, Snapshot, run_blocking};

use crate::error::Result;
use crate::stored::segment_key::{KEY_COLUMNS, SegmentKey, segment_keys};
use crate::stored::segment_set::SegmentSet;

/// Sets of segments by attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredSegments {
    attempts: BTreeMap<i64, Arc<SegmentSet>>,
}

impl StoredSegments {
    /// Returns the segments of the attempt `ingest_id`; None if it has none, or they were not read.
    #[must_use]
    pub fn get(&self, ingest_id: i64) -> Option<&Arc<SegmentSet>> {
        self.attempts.get(&ingest_id)
    }
}

impl FromIterator<(i64, SegmentSet)> for StoredSegments {
    fn from_iter<T: IntoIterator<Item = (i64, SegmentSet)>>(attempts: T) -> StoredSegments {
        StoredSegments { attempts: attempts.into_iter().map(|(id, segments)| (id, Arc::new(segments))).collect() }
    }
}

/// Reads the segments of the attempts `ingest_ids` in `snapshot`.
///
/// # Errors
/// When the array cannot be read, or does not have the segments that the ledger records.
pub async fn read_stored_segments(snapshot: &Snapshot, ingest_ids: &[i64]) -> Result<StoredSegments> {
    if ingest_ids.is_empty() {
        return Ok(StoredSegments::default());
    }
    let (snapshot, ids) = (snapshot.clone(), ingest_ids.iter().copied().map(Id).collect::<BTreeSet<Id>>());
    run_blocking(move || read(&snapshot, &ids)).await?
}

fn read(snapshot: &Snapshot, ids: &BTreeSet<Id>) -> Result<StoredSegments> {
    let mut keys: BTreeMap<i64, Vec<SegmentKey>> = BTreeMap::new();
    let mut segments = snapshot.segments_of(ids, &[&[INGEST_ID][..], &KEY_COLUMNS].concat())?;
    for batch in segments.by_ref() {
        let batch = batch?;
        if let Some(ids) = batch.column_by_name(INGEST_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>()) {
            for (id, key) in ids.values().iter().zip(segment_keys(&batch)?) {
                keys.entry(*id).or_default().push(key);
            }
        }
    }
    segments.check_complete()?;
    let set = |(id, keys): (i64, Vec<SegmentKey>)| (id, keys.into_iter().collect::<SegmentSet>());
    Ok(keys.into_iter().map(set).collect())
}
