//! A run: candidates are ingested window by window under the database's lock, each window committed whole.
//!
//! `windows` groups the attempts of a round, `window_plan` builds the execution plan of one window with the rows of
//! `ledger_rows`, and `window` executes it within `resources`, until no round leaves a candidate for later. `retry` says
//! which windows are worth a second try. `maintenance` keeps fragments and files few, before, during and after the windows.

pub(crate) mod ledger_rows;
mod maintenance;
pub(crate) mod resources;
mod retry;
#[cfg(test)]
mod tests;
mod totals;
mod window;
pub(crate) mod window_plan;
pub(crate) mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use isdb_pipeline::{Engine, Resources, Selection};
use isdb_store::{Database, Id, Writer};
use object_store::ObjectStore;

use crate::clock::now_ms;
use crate::decide::areas::Areas;
use crate::decide::attempt_plan::planned_bytes;
use crate::decide::database_state::DatabaseState;
use crate::decide::ledger::Ledger;
use crate::decide::plan::Plan;
use crate::decide::round::Round;
use crate::error::{Error, Result};
use crate::find::candidate::{Candidate, saturating_sum, total_bytes};
use crate::find::checksum::add_checksums;
use crate::maintain::consolidate::engine;
use crate::report::IngestReport;
use crate::report::progress::Progress;
use crate::request::IngestRequest;
use crate::run::resources::resources;
use crate::run::totals::Totals;
use crate::run::windows::windows;

/// A run that holds the database's lock.
pub(crate) struct Run<'r> {
    request: &'r IngestRequest,
    database: Database,
    /// The database's ledger with the rows of the windows that this run has committed, and its newest commit when the last
    /// round was decided.
    state: DatabaseState,
    engine: Engine,
    resources: Resources,
    plan: Plan<'r>,
    /// The first id of this run's attempts.
    first_id: Option<Id>,
    report: &'r mut IngestReport,
    totals: Totals,
    /// Whether attempts were replaced after the last round of decisions.
    has_replaced: bool,
    /// The windows committed so far.
    windows: usize,
    /// Granules that follow the ones passed to [`Run::ingest`], and bytes of their files. Only for progress.
    pub(crate) upcoming: (usize, u64),
}

impl<'r> Run<'r> {
    /// Takes over `database`, which was in `state` before. Outcomes are added to `report`.
    ///
    /// # Errors
    /// When another process is writing, or the database's design differs from the request.
    pub(crate) async fn begin(
        request: &'r IngestRequest,
        bound: &Selection,
        database: Database,
        state: DatabaseState,
        report: &'r mut IngestReport,
    ) -> Result<Run<'r>> {
        let mut writer = Writer::take_over(&database, now_ms()).await?;
        // Another writer may have committed granules or variables until the lock was acquired.
        let state = state.refresh(&database).await?;
        let first_id = state.snapshot.as_ref().map(|snapshot| Id::new(snapshot.epoch(), 0));
        let areas = Areas::read(&state).await?;
        let plan = Plan::prepare(request, bound, &state, areas, &[]).await?;
        if plan.region.is_change() {
            // The region changes before any granule is ingested: whatever ends this run, granules stored for a smaller
            // area are then known to be incomplete.
            writer.change_region(plan.region.after.as_ref(), now_ms()).await?;
        }
        let resources = resources(database.location(), request.threads, request.memory, request.spill.as_deref())?;
        let engine = engine(writer, &resources)?;
        let mut run = Run {
            request,
            database,
            state,
            engine,
            resources,
            plan,
            first_id,
            report,
            totals: Totals::default(),
            has_replaced: false,
            windows: 0,
            upcoming: (0, 0),
        };
        run.vacuum_first().await;
        Ok(run)
    }

    /// Ingests `candidates`, the best file of each granule first, and the files that have to be read again after that.
    ///
    /// # Errors
    /// The error that ends a window; windows that were committed before stay.
    pub(crate) async fn ingest(
        &mut self,
        mut candidates: Vec<Candidate>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<()> {
        loop {
            if candidates.is_empty() && !std::mem::take(&mut self.has_replaced) {
                return Ok(());
            }
            // A round may be needed even without candidates: it adds files that left segments to attempts that were
            // replaced.
            let round = self.decide(candidates).await?;
            // Files that were skipped now no longer count.
            let (granules, bytes) = self.upcoming;
            self.totals.all_granules = self.totals.granules + round.now.len() + round.later.len() + granules;
            self.totals.all_bytes =
                saturating_sum([self.totals.bytes, planned_bytes(&round.now), total_bytes(&round.later), bytes]);
            candidates = round.later;
            for mut window in windows(round.now, self.request.window) {
                let unreadable =
                    window.iter_mut().map(|attempt| &mut attempt.candidate).filter(|it| it.identity.is_err());
                add_checksums(unreadable, self.request.threads).await;
                self.ingest_window(&window, progress).await?;
                progress(self.totals.committed());
                self.maintain_between_windows().await;
            }
        }
    }

    /// Decides on `candidates` with the ledger as it is now. Files that need no attempt are added to the report.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the database is of another release.
    pub(crate) async fn decide(&mut self, candidates: Vec<Candidate>) -> Result<Round> {
        self.state.snapshot = Some(self.database.snapshot().await?);
        self.plan.decide(candidates, &self.state, self.first_id, self.report).await
    }

    /// Registers the `buckets` in which granules are read directly, by URL.
    ///
    /// # Errors
    /// When the URL of a bucket is invalid.
    pub(crate) fn register_buckets(&self, buckets: BTreeMap<String, Arc<dyn ObjectStore>>) -> Result<()> {
        let failed = |source| Error::Window { granules: 0, source };
        buckets.into_iter().try_for_each(|(url, store)| self.engine.register_store(&url, store).map_err(failed))
    }

    /// Returns the report so far.
    pub(crate) fn report(&mut self) -> &mut IngestReport {
        self.report
    }

    /// Returns the ledger of the database, with the rows of this run.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    /// Returns the request.
    pub(crate) fn request(&self) -> &'r IngestRequest {
        self.request
    }
}
