//! The execution plan of one window: which granules it reads, where it writes, and what its commit records.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use isdb_pipeline::{
    CommitRequest, PlannedCarry, PlannedGranule, Resources, StoredSegments, WriteTarget, ingest_plan,
    read_stored_segments,
};
use isdb_store::{Id, LedgerRow, Location, Snapshot, Window};

use crate::decide::attempt_plan::{PlannedAttempt, planned_bytes};
use crate::decide::plan::Plan;
use crate::error::{Error, Result};
use crate::run::ledger_rows::{carried_row, ledger_row, planned_granule};
use crate::run::windows::is_all_or_nothing;

/// Returns the number of attempts in a window of `attempts`, including the carried ones.
pub(crate) fn count_attempts(attempts: &[PlannedAttempt]) -> u32 {
    let carried = attempts.iter().map(|attempt| attempt.plan.carries.len()).sum::<usize>();
    u32::try_from(attempts.len().saturating_add(carried)).unwrap_or(u32::MAX)
}

/// Returns the execution plan that ingests `attempts` as `window` into the database at `location`. `snapshot` is its
/// newest commit; it may be None if no attempt shares segments with stored ones.
///
/// # Errors
/// When stored segments cannot be read, or an area cannot be stored.
pub(crate) async fn window_plan(
    plan: &mut Plan<'_>,
    attempts: &[PlannedAttempt],
    window: Window,
    location: &Location,
    snapshot: Option<&Snapshot>,
    resources: &Resources,
) -> Result<Arc<dyn ExecutionPlan>> {
    // All attempts of a window have the same areas.
    let names = attempts.first().and_then(|attempt| attempt.plan.areas.as_deref()).unwrap_or_default();
    let (area, selection) = match plan.areas.union(names).await? {
        Some((name, region)) => (Some(name), plan.selection.clone().with_region(&region)),
        None => (None, plan.selection.clone()),
    };
    let mut ids = (0..count_attempts(attempts)).map(|index| window.ingest_id(index));
    let numbered: Vec<(Id, &PlannedAttempt)> =
        attempts.iter().filter_map(|attempt| Some((ids.next()?, attempt))).collect();
    let mut rows: Vec<LedgerRow> =
        numbered.iter().map(|(id, attempt)| ledger_row(*id, attempt, &plan.fingerprint, area.clone())).collect();
    let mut granules: Vec<PlannedGranule> = Vec::with_capacity(numbered.len());
    for (id, attempt) in numbered.iter().filter(|(_, attempt)| attempt.candidate.identity.is_ok()) {
        let mut granule = planned_granule(*id, attempt);
        for (carried, to) in attempt.plan.carries.iter().zip(ids.by_ref()) {
            let without = attempt.candidate.contents.as_ref().map(|contents| Arc::clone(&contents.segments));
            let (from, by) = (carried.row.ingest_id.0, id.0);
            granule.carried.push(PlannedCarry {
                from,
                to: to.0,
                replaced_by: by,
                replacement: without.unwrap_or_default(),
            });
            rows.push(carried_row(to, attempt, carried));
        }
        granules.push(granule);
    }
    let merged: Vec<i64> = granules.iter().flat_map(|granule| granule.merges_with.clone()).collect();
    let merged = match snapshot {
        Some(snapshot) => read_stored_segments(snapshot, &merged).await.map_err(Error::Pipeline)?,
        None => StoredSegments::default(),
    };
    let recorded = CommitRequest::Granules {
        ledger: rows,
        filters: plan.refiltered.clone(),
        all_or_nothing: is_all_or_nothing(attempts),
    };
    let target = WriteTarget {
        location: location.clone(),
        window,
        // One process writes the whole window.
        task: (0, 1),
        fragment_bytes: resources.fragment_bytes(),
        writers: resources.writers(planned_bytes(attempts)),
    };
    ingest_plan(&granules, &selection, (&merged, snapshot), resources.readers(), target, recorded)
        .map_err(|source| Error::Window { granules: attempts.len(), source })
}
