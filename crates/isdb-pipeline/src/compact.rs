//! Compaction as a query: a plan reads the visible rows of a group of fragments, packs them with the operators of the ingest plan,
//! and commits the new fragments in place of the group.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::{FragmentRecord, Snapshot, Window, run_blocking};
use tiledb::{Fragment, Literal, Predicate};
use tiledb_datafusion::TileDbTable;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::plan::write_plan;
use crate::write::commit::CommitRequest;
use crate::write::target::WriteTarget;

/// A fragment and the bounds of its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct FragmentBounds {
    /// The fragment as the database records it.
    pub fragment: FragmentRecord,
    /// South, north, in degrees.
    pub latitude: (f64, f64),
    /// West, east, in degrees.
    pub longitude: (f64, f64),
    /// First and last, in nanoseconds since 1970.
    pub time: (i64, i64),
}

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
    snapshot.segments().schema().fields().iter().map(|field| width(field.data_type()) as u64).sum()
}

/// Reads the bounds of `live`, the visible fragments of `snapshot`. Fragments with unknown bounds are left out. Blocks.
///
/// # Errors
/// When the fragments cannot be listed.
pub fn fragment_bounds(snapshot: &Snapshot, live: &[FragmentRecord]) -> Result<Vec<FragmentBounds>> {
    let array = snapshot.segments();
    let read = |source| Error::Read { uri: array.uri().to_owned(), source };
    let on_disk = array.fragments().map_err(read)?;
    let on_disk: HashMap<&str, &Fragment> = on_disk.iter().map(|found| (found.name.as_str(), found)).collect();
    let bounds = |fragment: &FragmentRecord| {
        let found = on_disk.get(fragment.name.as_str())?;
        let [latitude, longitude, time] = found.domain.as_slice() else { return None };
        let degrees = |(low, high): &(Literal, Literal)| match (low, high) {
            (Literal::Float(low), Literal::Float(high)) => Some((*low, *high)),
            _ => None,
        };
        let instants = match time {
            (Literal::TimestampNs(first), Literal::TimestampNs(last)) => (*first, *last),
            _ => return None,
        };
        Some(FragmentBounds {
            fragment: fragment.clone(),
            latitude: degrees(latitude)?,
            longitude: degrees(longitude)?,
            time: instants,
        })
    };
    Ok(live.iter().filter_map(bounds).collect())
}

/// Builds the plan that reads the visible rows of `group` in up to `readers` partitions, writes them to `target`, and commits them
/// in place of the group, as `window`.
///
/// # Errors
/// When the array cannot be opened as a table, or its scan cannot be planned.
pub async fn compact_plan(
    engine: &Engine,
    snapshot: &Snapshot,
    group: &[FragmentBounds],
    readers: usize,
    target: WriteTarget,
    window: Window,
) -> Result<Arc<dyn ExecutionPlan>> {
    let ids: BTreeSet<_> = group.iter().map(|bounds| bounds.fragment.id).collect();
    let is_in_group = Predicate::In {
        column: FRAGMENT_ID.to_owned(),
        values: ids.iter().map(|id| Literal::Int(id.0)).collect(),
        negated: false,
    };
    let conditions: Vec<Predicate> = snapshot.visible_segments().into_iter().chain([is_in_group]).collect();
    let array = snapshot.segments().clone();
    let load = move || TileDbTable::new(array, Some(Predicate::And(conditions)));
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
    Ok(write_plan(rows, target, window, CommitRequest::Compaction { inputs: ids })?)
}

/// Predicates for rows within the bounds of `group`, so that tiles outside are not read.
fn within(group: &[FragmentBounds]) -> Vec<Expr> {
    let degrees = |of: fn(&FragmentBounds) -> (f64, f64)| {
        group.iter().map(of).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).map(|(low, high)| (lit(low), lit(high)))
    };
    let instant = |at| lit(ScalarValue::TimestampNanosecond(Some(at), Some("UTC".into())));
    let time = group.iter().map(|bounds| bounds.time).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let ranges = [
        ("latitude", degrees(|bounds| bounds.latitude)),
        ("longitude", degrees(|bounds| bounds.longitude)),
        ("time", time.map(|(first, last)| (instant(first), instant(last)))),
    ];
    ranges.into_iter().filter_map(|(name, range)| range.map(|(low, high)| col(name).between(low, high))).collect()
}
