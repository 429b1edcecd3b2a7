//! Compaction as a query: a plan reads the visible rows of a group of fragments, packs them with the operators of the ingest plan,
//! and commits the new fragments in place of the group.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::{Bounds, FragmentRecord, Snapshot, run_blocking};
use tiledb::{Literal, Predicate};
use tiledb_datafusion::{TableFragment, TableFragments, TileDbTable};

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
    let is_in_group = Predicate::In {
        column: FRAGMENT_ID.to_owned(),
        values: ids.iter().map(|id| Literal::Int(id.0)).collect(),
        negated: false,
    };
    let fragments = TableFragments { fragments: group.iter().map(table_fragment).collect(), are_exact: false };
    let snapshot = snapshot.clone();
    let load = move || -> Result<TileDbTable> {
        let segments = snapshot.segments()?;
        let conditions = segments.visible().into_iter().chain([is_in_group]).collect();
        Ok(TileDbTable::with_fragments(segments.array().clone(), Some(Predicate::And(conditions)), &fragments))
    };
    let table = run_blocking(load).await??;
    let columns: Vec<usize> = table
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() != FRAGMENT_ID)
        .map(|(index, _)| index)
        .collect();
    let state = engine.state(readers);
    let rows = table.scan(&state, Some(&columns), &within(group), None).await?;
    Ok(write_plan(rows, target, CommitRequest::Compaction { inputs: ids })?)
}

/// The rows and bounds of `fragment`, from which the partitions of a scan are planned.
fn table_fragment(fragment: &Arc<FragmentRecord>) -> TableFragment {
    let Bounds { latitude, longitude, time } = fragment.bounds;
    let degrees = |(low, high)| (Literal::Float(low), Literal::Float(high));
    let time = (Literal::TimestampNs(time.0), Literal::TimestampNs(time.1));
    TableFragment { rows: fragment.rows, domain: vec![degrees(latitude), degrees(longitude), time] }
}

/// Predicates for rows within the bounds of `group`, so that tiles outside are not read.
fn within(group: &[Arc<FragmentRecord>]) -> Vec<Expr> {
    let Some(bounds) = Bounds::around(group.iter().map(|fragment| fragment.bounds)) else { return Vec::new() };
    let instant = |at| lit(ScalarValue::TimestampNanosecond(Some(at), Some("UTC".into())));
    let Bounds { latitude, longitude, time } = bounds;
    vec![
        col("latitude").between(lit(latitude.0), lit(latitude.1)),
        col("longitude").between(lit(longitude.0), lit(longitude.1)),
        col("time").between(instant(time.0), instant(time.1)),
    ]
}
