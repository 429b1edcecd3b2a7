//! One run over one database: files are held against the ledger and ingested window by window, each committed whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use isdb_pipeline::{Engine, PlanProgress, Resources, Selection, explain};
use isdb_schema::config::Policy;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Database, Id, LedgerRow, Writer};
use object_store::ObjectStore;
use tracing::Instrument as _;

use crate::areas::Areas;
use crate::checksum::add_checksums;
use crate::clock::now_ms;
use crate::consolidate::{consolidate_with, engine};
use crate::error::{Error, Result};
use crate::identify::{Candidate, size_of, sum};
use crate::ingest::Request;
use crate::plan::attempts_of;
use crate::progress::Progress;
use crate::release::check_release;
use crate::report::Report;
use crate::resources::resources;
use crate::select::{Attempt, Selected, size};
use crate::standing::Standing;
use crate::taken::{State, Taken};
use crate::window::windows;

/// So many attempts whose rows were replaced are carried in every commit and left out by every read, until those rows go.
const MOST_DEAD: usize = 1_000;

/// A run that holds the database's lock.
pub(crate) struct Run<'r> {
    request: &'r Request,
    database: Database,
    engine: Engine,
    resources: Resources,
    taken: Taken,
    /// The first id of this run's attempts.
    since: Option<Id>,
    report: &'r mut Report,
    far: Far,
    /// Whether something was replaced since files were selected last.
    has_replaced: bool,
    /// Granules, and bytes of their files, that this run takes up after those it ingests now.
    pub(crate) ahead: (usize, u64),
}

/// How far a run is.
#[derive(Clone, Copy, Default)]
struct Far {
    /// Granules in committed windows.
    granules: usize,
    /// Granules to ingest in all.
    of: usize,
    /// Rows in committed windows.
    rows: u64,
    /// Bytes of the files of committed windows.
    bytes: u64,
    /// Bytes of the files to read in all.
    of_bytes: u64,
}

impl Far {
    /// With what the plan of a window has read. Sorting and writing it takes about as long as reading it has taken.
    fn read(self, pace: PlanProgress) -> Progress {
        let Far { granules, of, rows, bytes, of_bytes } = self;
        let granules = granules + usize::try_from(pace.granules).unwrap_or(0);
        Progress::Read { granules, of, rows: rows + pace.rows, bytes: bytes + pace.bytes / 2, of_bytes }
    }
}

impl<'r> Run<'r> {
    /// Takes `database` over. What `report` tells already stays told.
    ///
    /// # Errors
    /// When another writer holds the database, or has made it other than is asked for.
    pub(crate) async fn begin(
        request: &'r Request,
        bound: &Selection,
        database: &Database,
        report: &'r mut Report,
    ) -> Result<Run<'r>> {
        let mut writer = Writer::take_over(database, now_ms()).await?;
        // Another writer may have been at work until the lock was ours, and have brought in granules or variables.
        let snapshot = database.snapshot().await?;
        let since = Some(Id::new(snapshot.commit().epoch, 0));
        let ledger = snapshot.ledger().await?;
        let areas = Areas::of(database, &ledger).await?;
        let taken = Taken::of(request, bound, database, &Standing::of(&ledger), areas).await?;
        if taken.region.is_change() {
            // Before any granule: one that is stored for less is then known to be incomplete, whatever ends this run.
            writer.change_region(taken.region.after.as_ref(), now_ms()).await?;
        }
        let resources = resources(database.location(), request.threads, request.memory)?;
        let engine = engine(writer, &resources)?;
        let database = database.clone();
        let (far, has_replaced, ahead) = (Far::default(), false, (0, 0));
        Ok(Run { request, database, engine, resources, taken, since, report, far, has_replaced, ahead })
    }

    /// Ingests what of `candidates` is not in the database, the best file of each granule first.
    ///
    /// # Errors
    /// Whatever ends a window; windows that were committed before stay.
    pub(crate) async fn ingest(
        &mut self,
        mut candidates: Vec<Candidate>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<()> {
        loop {
            if candidates.is_empty() && !std::mem::take(&mut self.has_replaced) {
                return Ok(());
            }
            // What was replaced may have had segments that other files left to it: the selection brings these.
            let selected = self.select(candidates).await?;
            // What is left out now is to be read no more.
            let (granules, bytes) = self.ahead;
            self.far.of = self.far.granules + selected.now.len() + selected.later.len() + granules;
            self.far.of_bytes = sum([self.far.bytes, size(&selected.now), size_of(&selected.later), bytes]);
            candidates = selected.later;
            for mut window in windows(selected.now, self.request.window) {
                let unreadable =
                    window.iter_mut().map(|attempt| &mut attempt.candidate).filter(|it| it.identity.is_err());
                add_checksums(unreadable, self.request.threads).await;
                self.window(&window, progress).await?;
                let Far { granules, of, rows, bytes, of_bytes } = self.far;
                progress(Progress::Committed { granules, of, rows, bytes, of_bytes });
                self.bury().await?;
            }
        }
    }

    /// What becomes of `candidates`, as the ledger is now; those that need no attempt are told in the report.
    ///
    /// # Errors
    /// When the ledger cannot be read, or holds another release.
    pub(crate) async fn select(&mut self, candidates: Vec<Candidate>) -> Result<Selected> {
        let snapshot = self.database.snapshot().await?;
        let ledger = snapshot.ledger().await?;
        let standing = Standing::of(&ledger);
        if !self.request.replace_release {
            // Another writer may have brought in another release before the lock was ours.
            check_release(&candidates, &standing)?;
        }
        let state = State { ledger: &ledger, standing: &standing, snapshot: Some(&snapshot) };
        self.taken.round(candidates, state, self.request, self.since, self.report).await
    }

    /// Lets granules be read where they lie in `buckets`.
    ///
    /// # Errors
    /// When the name of one is none.
    pub(crate) fn read_in_place(&self, buckets: BTreeMap<String, Arc<dyn ObjectStore>>) -> Result<()> {
        let failed = |source| Error::Window { granules: 0, source };
        buckets.into_iter().try_for_each(|(url, store)| self.engine.register_store(&url, store).map_err(failed))
    }

    /// What became of files so far.
    pub(crate) fn report(&mut self) -> &mut Report {
        self.report
    }

    /// What was asked for.
    pub(crate) fn request(&self) -> &'r Request {
        self.request
    }

    /// Keeps fragments few, if that is wanted, and removes what nobody can see any more.
    pub(crate) async fn end(self, progress: &mut impl FnMut(Progress)) {
        if let Err(error) = self.tidy(progress).await {
            // The granules are in the database all the same.
            self.report.untidy = Some(error.to_string());
        }
    }

    async fn tidy(&self, progress: &mut impl FnMut(Progress)) -> Result<()> {
        let wanted = self.request.consolidate;
        if wanted.fragments > 0 {
            let told = |group, of| progress(Progress::Consolidated { group, of });
            consolidate_with(&self.engine, wanted.policy, wanted.fragments, &self.resources, told).await?;
        }
        self.engine.writer().await.vacuum(now_ms(), wanted.keep_ms).await?;
        Ok(())
    }

    /// Writes fragments with rows that were replaced again, when so many were that every read has much to leave out.
    async fn bury(&self) -> Result<()> {
        let (_, dead) = self.engine.writer().await.dead_counts();
        if dead > MOST_DEAD {
            consolidate_with(&self.engine, Policy::None, usize::MAX, &self.resources, |_, _| {}).await?;
        }
        Ok(())
    }

    /// Ingests the granules of one window and commits them.
    async fn window(&mut self, attempts: &[Attempt], progress: &mut impl FnMut(Progress)) -> Result<()> {
        let count = attempts_of(attempts);
        let (window, commit) = {
            let mut writer = self.engine.writer().await;
            (writer.begin_window(count, now_ms())?, writer.head().number + 1)
        };
        let span = tracing::info_span!("window", commit);
        let run = async {
            let started = Instant::now();
            tracing::debug!(granules = attempts.len(), bytes = size(attempts), "window begun");
            // Only what shares segments with earlier attempts has to look at them.
            let is_shared =
                |attempt: &Attempt| !(attempt.taking.merges_with.is_empty() && attempt.taking.carries.is_empty());
            let snapshot = if attempts.iter().any(is_shared) { Some(self.database.snapshot().await?) } else { None };
            let location = self.database.location();
            let plan = self.taken.plan(attempts, window, location, snapshot.as_ref(), &self.resources).await?;
            tracing::debug!(plan = explain(&plan), "planned");
            let far = self.far;
            let rows = self.engine.run(&plan, |pace| progress(far.read(pace))).await;
            let rows = rows.map_err(|source| Error::Window { granules: attempts.len(), source })?;
            if rows.iter().any(|row| row.state.is_done()) {
                self.taken.refiltered = None;
            }
            self.has_replaced |= rows.iter().any(|row| !row.replaces.is_empty());
            self.told(&rows, attempts, started).await;
            Ok(())
        };
        run.instrument(span).await
    }

    /// Tells of a window that was committed with `rows` of the ledger.
    async fn told(&mut self, rows: &[LedgerRow], attempts: &[Attempt], started: Instant) {
        for row in rows.iter().filter(|row| row.state == GranuleState::Failed) {
            let (stage, error) = (row.stage.as_deref().unwrap_or_default(), row.error.as_deref().unwrap_or_default());
            // The report lists it at the end.
            tracing::info!(granule = row.granule, ingest_id = row.ingest_id.0, stage, error, "granule failed");
        }
        let writer = self.engine.writer().await;
        self.report.tell(writer.head(), rows, attempts);
        if let Some(window) = self.report.windows.last() {
            self.far.rows += window.rows;
            let (timestamp, rows, fragments) = (window.timestamp, window.rows, window.fragments);
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(timestamp, granules = attempts.len(), rows, fragments, seconds, "window committed");
        }
        self.far.granules += attempts.len();
        self.far.bytes = sum([self.far.bytes, size(attempts)]);
    }
}
