//! The plan of one window: what it reads of its granules, where it writes, and what its commit records.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use isdb_pipeline::{
    CommitRequest, PlannedCarry, PlannedGranule, Resources, StoredSegments, WriteTarget, ingest_plan,
    read_stored_segments,
};
use isdb_store::{Id, LedgerRow, Location, Snapshot, Window};

use crate::attempt::{carried_row, ledger_row, planned};
use crate::error::{Error, Result};
use crate::release::is_all_or_nothing;
use crate::select::{Attempt, size};
use crate::taken::Taken;

/// How many attempts a window of `attempts` makes, with those that hold what is left of earlier ones.
pub(crate) fn attempts_of(attempts: &[Attempt]) -> u32 {
    let carried = attempts.iter().map(|attempt| attempt.taking.carries.len()).sum::<usize>();
    u32::try_from(attempts.len().saturating_add(carried)).unwrap_or(u32::MAX)
}

impl Taken {
    /// The plan that ingests `attempts` as `window` into the database at `location`, whose newest state is `snapshot`; None for
    /// a database that is not there yet.
    ///
    /// # Errors
    /// When segments that are stored cannot be read, or an area cannot be kept.
    pub(crate) async fn plan(
        &mut self,
        attempts: &[Attempt],
        window: Window,
        location: &Location,
        snapshot: Option<&Snapshot>,
        resources: &Resources,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // Windows hold granules of one area only.
        let names = attempts.first().and_then(|attempt| attempt.taking.area.as_deref()).unwrap_or_default();
        let (area, selection) = match self.areas.union(names).await? {
            Some((name, region)) => (Some(name), self.selection.clone().with_region(&region)),
            None => (None, self.selection.clone()),
        };
        let mut ids = (0..attempts_of(attempts)).map(|index| window.ingest_id(index));
        let numbered: Vec<(Id, &Attempt)> =
            attempts.iter().filter_map(|attempt| Some((ids.next()?, attempt))).collect();
        let mut rows: Vec<LedgerRow> =
            numbered.iter().map(|(id, attempt)| ledger_row(*id, attempt, &self.wanted, area.clone())).collect();
        let mut granules: Vec<PlannedGranule> = Vec::with_capacity(numbered.len());
        for (id, attempt) in numbered.iter().filter(|(_, attempt)| attempt.candidate.identity.is_ok()) {
            let mut granule = planned(*id, attempt);
            for (carry, to) in attempt.taking.carries.iter().zip(ids.by_ref()) {
                let without = attempt.candidate.holds.as_ref().map(|holds| Arc::clone(&holds.segments));
                let (from, by) = (carry.row.ingest_id.0, id.0);
                granule.carried.push(PlannedCarry {
                    from,
                    to: to.0,
                    replaced_by: by,
                    replacement: without.unwrap_or_default(),
                });
                rows.push(carried_row(to, attempt, carry));
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
            filters: self.refiltered.clone(),
            all_or_nothing: is_all_or_nothing(attempts),
        };
        let target = WriteTarget {
            array: location.segments(),
            timestamp: window.timestamp,
            first_fragment: window.fragment_id(0).0,
            fragment_bytes: resources.fragment_bytes(),
            writers: resources.writers(size(attempts)),
        };
        let plan =
            ingest_plan(&granules, &selection, (&merged, snapshot), resources.readers(), target, window, recorded);
        plan.map_err(|source| Error::Window { granules: attempts.len(), source })
    }
}
