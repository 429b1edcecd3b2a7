//! A run: candidates are ingested window by window under the database's lock, each window committed whole.
//!
//! `windows` groups the attempts of a round, `window_plan` builds the execution plan of one window with the rows of
//! `ledger_rows`, and [`Run`] executes it within `resources`, until no round leaves a candidate for later.

pub(crate) mod ledger_rows;
pub(crate) mod resources;
pub(crate) mod window_plan;
pub(crate) mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use isdb_pipeline::{Engine, PlanProgress, Resources, Selection, explain};
use isdb_schema::config::Policy;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Database, Id, LedgerRow, Writer};
use object_store::ObjectStore;
use tracing::Instrument as _;

use crate::clock::now_ms;
use crate::decide::areas::Areas;
use crate::decide::attempt_plan::{PlannedAttempt, planned_bytes};
use crate::decide::database_state::NewestCommit;
use crate::decide::plan::Plan;
use crate::decide::round::Round;
use crate::error::{Error, Result};
use crate::find::candidate::{Candidate, saturating_sum, total_bytes};
use crate::find::checksum::add_checksums;
use crate::maintain::consolidate::{consolidate_with, engine};
use crate::report::IngestReport;
use crate::report::progress::Progress;
use crate::request::IngestRequest;
use crate::run::resources::resources;
use crate::run::window_plan::{count_attempts, window_plan};
use crate::run::windows::windows;

/// The number of dead attempts above which their rows are removed by a consolidation: every commit lists them, and
/// every read has to filter their rows out.
const MAX_DEAD_ATTEMPTS: usize = 1_000;

/// A run that holds the database's lock.
pub(crate) struct Run<'r> {
    request: &'r IngestRequest,
    database: Database,
    engine: Engine,
    resources: Resources,
    plan: Plan<'r>,
    /// The first id of this run's attempts.
    first_id: Option<Id>,
    report: &'r mut IngestReport,
    totals: Totals,
    /// Whether attempts were replaced after the last round of decisions.
    has_replaced: bool,
    /// Granules that follow the ones passed to [`Run::ingest`], and bytes of their files. Only for progress.
    pub(crate) upcoming: (usize, u64),
}

/// The work done so far, and the work in total.
#[derive(Clone, Copy, Default)]
struct Totals {
    /// Granules in committed windows.
    granules: usize,
    /// All granules to ingest.
    all_granules: usize,
    /// Rows in committed windows.
    rows: u64,
    /// Bytes of the files of committed windows.
    bytes: u64,
    /// Bytes of all files to read.
    all_bytes: u64,
}

impl Totals {
    /// Returns the progress while a window is read. Rows that its plan has read count half, because sorting and writing
    /// take about as long as reading.
    fn reading(self, pace: PlanProgress) -> Progress {
        let Totals { granules, all_granules: of, rows, bytes, all_bytes: of_bytes } = self;
        let granules = granules + usize::try_from(pace.granules).unwrap_or(0);
        Progress::Read { granules, of, rows: rows + pace.rows, bytes: bytes + pace.bytes / 2, of_bytes }
    }

    /// Returns the progress after a window was committed.
    fn committed(self) -> Progress {
        let Totals { granules, all_granules: of, rows, bytes, all_bytes: of_bytes } = self;
        Progress::Committed { granules, of, rows, bytes, of_bytes }
    }
}

impl<'r> Run<'r> {
    /// Takes over `database`. Outcomes are added to `report`.
    ///
    /// # Errors
    /// When another process is writing, or the database's design differs from the request.
    pub(crate) async fn begin(
        request: &'r IngestRequest,
        bound: &Selection,
        database: &Database,
        report: &'r mut IngestReport,
    ) -> Result<Run<'r>> {
        let mut writer = Writer::take_over(database, now_ms()).await?;
        // Another writer may have committed granules or variables until the lock was acquired.
        let newest = NewestCommit::read(database).await?;
        let state = newest.state();
        let first_id = state.snapshot.map(|snapshot| Id::new(snapshot.commit().epoch, 0));
        let areas = Areas::read(&state).await?;
        let plan = Plan::prepare(request, bound, &state, areas, &[]).await?;
        if plan.region.is_change() {
            // The region changes before any granule is ingested: whatever ends this run, granules stored for a smaller
            // area are then known to be incomplete.
            writer.change_region(plan.region.after.as_ref(), now_ms()).await?;
        }
        let resources = resources(database.location(), request.threads, request.memory)?;
        let engine = engine(writer, &resources)?;
        let database = database.clone();
        let (totals, has_replaced, upcoming) = (Totals::default(), false, (0, 0));
        Ok(Run { request, database, engine, resources, plan, first_id, report, totals, has_replaced, upcoming })
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
                self.remove_dead_rows().await?;
            }
        }
    }

    /// Decides on `candidates` with the ledger as it is now. Files that need no attempt are added to the report.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the database is of another release.
    pub(crate) async fn decide(&mut self, candidates: Vec<Candidate>) -> Result<Round> {
        let newest = NewestCommit::read(&self.database).await?;
        self.plan.decide(candidates, &newest.state(), self.first_id, self.report).await
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

    /// Returns the request.
    pub(crate) fn request(&self) -> &'r IngestRequest {
        self.request
    }

    /// Consolidates fragments if the request says so, and deletes hidden ones. An error is reported, because the
    /// granules are stored all the same.
    pub(crate) async fn end(self, progress: &mut impl FnMut(Progress)) {
        if let Err(error) = self.maintain(progress).await {
            self.report.maintenance_error = Some(error.to_string());
        }
    }

    async fn maintain(&self, progress: &mut impl FnMut(Progress)) -> Result<()> {
        let options = self.request.consolidate;
        if options.fragments > 0 {
            let on_group = |group, of| progress(Progress::Consolidated { group, of });
            consolidate_with(&self.engine, options.policy, options.fragments, &self.resources, on_group).await?;
        }
        self.engine.writer().await.vacuum(now_ms(), options.keep_ms).await?;
        Ok(())
    }

    /// Writes the fragments with dead rows again if there are too many dead attempts.
    async fn remove_dead_rows(&self) -> Result<()> {
        let (_, dead_attempts) = self.engine.writer().await.dead_counts();
        if dead_attempts > MAX_DEAD_ATTEMPTS {
            consolidate_with(&self.engine, Policy::None, usize::MAX, &self.resources, |_, _| {}).await?;
        }
        Ok(())
    }

    /// Ingests the attempts of one window and commits them.
    async fn ingest_window(&mut self, attempts: &[PlannedAttempt], progress: &mut impl FnMut(Progress)) -> Result<()> {
        let count = count_attempts(attempts);
        let (window, commit) = {
            let mut writer = self.engine.writer().await;
            (writer.begin_window(count, now_ms())?, writer.head().number + 1)
        };
        let span = tracing::info_span!("window", commit);
        let run = async {
            let started = Instant::now();
            tracing::debug!(granules = attempts.len(), bytes = planned_bytes(attempts), "window begun");
            // Stored segments are read only for attempts that share some with earlier ones.
            let shares_segments =
                |attempt: &PlannedAttempt| !(attempt.plan.merges_with.is_empty() && attempt.plan.carries.is_empty());
            let snapshot =
                if attempts.iter().any(shares_segments) { Some(self.database.snapshot().await?) } else { None };
            let location = self.database.location();
            let plan =
                window_plan(&mut self.plan, attempts, window, location, snapshot.as_ref(), &self.resources).await?;
            tracing::debug!(plan = explain(&plan), "planned");
            let totals = self.totals;
            let rows = self.engine.run(&plan, |pace| progress(totals.reading(pace))).await;
            let rows = rows.map_err(|source| Error::Window { granules: attempts.len(), source })?;
            if rows.iter().any(|row| row.state.is_done()) {
                self.plan.refiltered = None;
            }
            self.has_replaced |= rows.iter().any(|row| !row.replaces.is_empty());
            self.report_window(&rows, attempts, started).await;
            Ok(())
        };
        run.instrument(span).await
    }

    /// Reports and logs a window that was committed with `rows` of the ledger.
    async fn report_window(&mut self, rows: &[LedgerRow], attempts: &[PlannedAttempt], started: Instant) {
        for row in rows.iter().filter(|row| row.state == GranuleState::Failed) {
            let (stage, error) = (row.stage.as_deref().unwrap_or_default(), row.error.as_deref().unwrap_or_default());
            // Logged at INFO only, because the report lists it at the end.
            tracing::info!(granule = row.granule, ingest_id = row.ingest_id.0, stage, error, "granule failed");
        }
        let writer = self.engine.writer().await;
        self.report.add_window(writer.head(), rows, attempts);
        if let Some(window) = self.report.windows.last() {
            self.totals.rows += window.rows;
            let (timestamp, rows, fragments) = (window.timestamp, window.rows, window.fragments);
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(timestamp, granules = attempts.len(), rows, fragments, seconds, "window committed");
        }
        self.totals.granules += attempts.len();
        self.totals.bytes = saturating_sum([self.totals.bytes, planned_bytes(attempts)]);
    }
}
