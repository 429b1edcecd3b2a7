//! Compaction as a query: a plan reads the visible rows of a group of fragments, packs them with the operators of the ingest plan,
//! and commits the new fragments in place of the group.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::ExecutionPlan;
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::{FragmentRecord, Snapshot};
use tiledb_datafusion::TileDbTable;

use crate::engine::Engine;
use crate::error::Result;
use crate::plan::write_plan;
use crate::write::commit::CommitRequest;
use crate::write::target::WriteTarget;

/// Estimates the Arrow memory of a row of segments in `snapshot`, in bytes.
#[must_use]
pub fn row_bytes(snapshot: &Snapshot) -> u64 {
    fn width(data_type: &DataType) -> usize {
        match data_type {
            DataType::FixedSizeList(item, length) => width(item.data_type()) * usize::try_from(*length).unwrap_or(1),
            // Text values are short words with one offset each.
            other => other.primitive_width().unwrap_or(16),
        }
    }
    snapshot.schema().fields().iter().map(|field| width(field.data_type()) as u64).sum()
}

/// Builds the plan that reads the visible rows of `group` in up to `readers` partitions, writes them to `target`, and commits them
/// in place of the group.
///
/// # Errors
/// When the array cannot be opened as a table, or its scan cannot be planned.
pub async fn compact_plan(
    engine: &Engine,
    snapshot: &Snapshot,
    group: &[Arc<FragmentRecord>],
    readers: usize,
    target: WriteTarget,
) -> Result<Arc<dyn ExecutionPlan>> {
    let ids: BTreeSet<_> = group.iter().map(|fragment| fragment.id).collect();
    let segments = snapshot.open_fragments(group.iter())?;
    let table = TileDbTable::of_fragments(segments.array().clone(), segments.visible(), false);
    let columns: Vec<usize> = table
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() != FRAGMENT_ID)
        .map(|(index, _)| index)
        .collect();
    let state = engine.state(readers);
    let rows = table.scan(&state, Some(&columns), &[], None).await?;
    Ok(write_plan(rows, target, CommitRequest::Compaction { inputs: ids })?)
}
