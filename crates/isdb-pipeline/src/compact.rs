//! Compaction as a query: the visible rows of a group of fragments are read, packed anew by the operators of the ingest plan, and
//! committed in place of the group.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use isdb_schema::segments::FRAGMENT_ID;
use isdb_store::{FragmentRecord, Snapshot, Window};
use tiledb::{Fragment, Literal, Predicate};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::plan::stored;
use crate::write::commit::Recorded;
use crate::write::exec::WriteTarget;
use tiledb_datafusion::TileDbTable;

/// Where the rows of a fragment lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    /// The fragment as the database records it.
    pub fragment: FragmentRecord,
    /// South, north, in degrees.
    pub latitude: (f64, f64),
    /// West, east, in degrees.
    pub longitude: (f64, f64),
    /// First and last, in nanoseconds since 1970.
    pub time: (i64, i64),
}

/// About how many bytes of Arrow memory a row of segments in `snapshot` takes.
#[must_use]
pub fn row_bytes(snapshot: &Snapshot) -> u64 {
    fn width(data_type: &DataType) -> usize {
        match data_type {
            DataType::FixedSizeList(item, length) => width(item.data_type()) * usize::try_from(*length).unwrap_or(1),
            // Texts are short words, and have an offset.
            other => other.primitive_width().unwrap_or(16),
        }
    }
    snapshot.segments().schema().fields().iter().map(|field| width(field.data_type()) as u64).sum()
}

/// The extents of `live`, the visible fragments of `snapshot`. Blocks.
///
/// # Errors
/// When the fragments cannot be listed, or an extent is not that of an array of segments.
pub fn extents(snapshot: &Snapshot, live: &[FragmentRecord]) -> Result<Vec<Extent>> {
    let array = snapshot.segments();
    let read = |source| Error::Read { uri: array.uri().to_owned(), source };
    let on_disk = array.fragments().map_err(read)?;
    let on_disk: HashMap<&str, &Fragment> = on_disk.iter().map(|found| (found.name.as_str(), found)).collect();
    let extent = |fragment: &FragmentRecord| {
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
        Some(Extent {
            fragment: fragment.clone(),
            latitude: degrees(latitude)?,
            longitude: degrees(longitude)?,
            time: instants,
        })
    };
    Ok(live.iter().filter_map(extent).collect())
}

/// The plan that reads the visible rows of `group` in up to `readers` parts, writes them to `target` and commits them, as `window`,
/// in its place.
///
/// # Errors
/// When the array cannot be planned over.
pub async fn compact_plan(
    engine: &Engine,
    snapshot: &Snapshot,
    group: &[Extent],
    readers: usize,
    target: WriteTarget,
    window: Window,
) -> Result<Arc<dyn ExecutionPlan>> {
    let ids: BTreeSet<_> = group.iter().map(|extent| extent.fragment.id).collect();
    let is_of_group = Predicate::In {
        column: FRAGMENT_ID.to_owned(),
        values: ids.iter().map(|id| Literal::Int(id.0)).collect(),
        negated: false,
    };
    let conditions: Vec<Predicate> = snapshot.visible_segments().into_iter().chain([is_of_group]).collect();
    let array = snapshot.segments().clone();
    let load = move || TileDbTable::new(array, Some(Predicate::And(conditions)));
    let table = tokio::task::spawn_blocking(load).await.map_err(|source| Error::Stopped { source })??;
    let own: Vec<usize> = table
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() != FRAGMENT_ID)
        .map(|(index, _)| index)
        .collect();
    let state = engine.state(readers);
    let rows = table.scan(&state, Some(&own), &within(group), None).await?;
    Ok(stored(rows, target, window, Recorded::Compacted { inputs: ids })?)
}

/// That a row lies within the box around `group`: no tile outside is looked at.
fn within(group: &[Extent]) -> Vec<Expr> {
    let degrees = |of: fn(&Extent) -> (f64, f64)| {
        group.iter().map(of).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).map(|(low, high)| (lit(low), lit(high)))
    };
    let instant = |at| lit(ScalarValue::TimestampNanosecond(Some(at), Some("UTC".into())));
    let time = group.iter().map(|extent| extent.time).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let ranges = [
        ("latitude", degrees(|extent| extent.latitude)),
        ("longitude", degrees(|extent| extent.longitude)),
        ("time", time.map(|(first, last)| (instant(first), instant(last)))),
    ];
    ranges.into_iter().filter_map(|(name, range)| range.map(|(low, high)| col(name).between(low, high))).collect()
}
