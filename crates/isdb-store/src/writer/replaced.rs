//! The fragments that hold the segments of replaced attempts. No commit lists the attempts of a fragment, so the array is read once
//! when an attempt is replaced.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use isdb_schema::segments::{FRAGMENT_ID, INGEST_ID};

use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::reader::snapshot::Snapshot;

/// Returns the fragments that hold visible segments of each of these attempts. Attempts without any are omitted.
pub(super) async fn fragments_of(database: &Database, ids: BTreeSet<Id>) -> Result<BTreeMap<Id, BTreeSet<Id>>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let snapshot = database.snapshot().await?;
    blocking(move || read_fragments(&snapshot, &ids)).await
}

fn read_fragments(snapshot: &Snapshot, ids: &BTreeSet<Id>) -> Result<BTreeMap<Id, BTreeSet<Id>>> {
    let mut fragments: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    for batch in snapshot.segments_of(ids, &[FRAGMENT_ID])? {
        let batch = batch?;
        let (ingest_ids, fragment_ids) = (ids_in(&batch, INGEST_ID, snapshot)?, ids_in(&batch, FRAGMENT_ID, snapshot)?);
        let pairs: BTreeSet<(i64, i64)> =
            ingest_ids.values().iter().copied().zip(fragment_ids.values().iter().copied()).collect();
        for (attempt, fragment) in pairs {
            fragments.entry(Id(attempt)).or_default().insert(Id(fragment));
        }
    }
    Ok(fragments)
}

fn ids_in<'a>(batch: &'a RecordBatch, name: &str, snapshot: &Snapshot) -> Result<&'a Int64Array> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.ok_or_else(|| Error::Damaged {
        object: snapshot.segments().uri().to_owned(),
        problem: format!("column {name} is missing or has another type"),
    })
}
