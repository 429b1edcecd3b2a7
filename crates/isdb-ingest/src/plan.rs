//! The plan of one window: what it reads of its granules, where it writes, and what its commit records.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use isdb_datafusion::{PlannedGranule, Recorded, Resources, StoredKeys, WriteTarget, ingest_plan, stored_keys};
use isdb_store::{Id, Location, Snapshot, Window};

use crate::attempt::{ledger_row, planned};
use crate::error::{Error, Result};
use crate::release::is_all_or_nothing;
use crate::select::{Attempt, size};
use crate::taken::Taken;

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
        let count = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        let numbered: Vec<(Id, &Attempt)> = (0..count).map(|index| window.ingest_id(index)).zip(attempts).collect();
        let readable = numbered.iter().filter(|(_, attempt)| attempt.candidate.identity.is_ok());
        let granules: Vec<PlannedGranule> = readable.map(|(id, attempt)| planned(*id, attempt)).collect();
        let merged: Vec<i64> = granules.iter().flat_map(|granule| granule.merges_with.clone()).collect();
        let merged = match snapshot {
            Some(snapshot) => stored_keys(snapshot, &merged).await.map_err(Error::Selection)?,
            None => StoredKeys::default(),
        };
        let ledger = numbered.iter().map(|(id, attempt)| ledger_row(*id, attempt, &self.wanted, area.clone()));
        let recorded = Recorded::Granules {
            ledger: ledger.collect(),
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
        let plan = ingest_plan(&granules, &selection, merged, resources.readers(), target, window, recorded);
        plan.map_err(|source| Error::Window { granules: attempts.len(), source })
    }
}
