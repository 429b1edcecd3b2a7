//! One run over one database: files are held against the ledger and ingested window by window, each committed whole.

use isdb_datafusion::{
    Engine, Pace, PlannedGranule, Recorded, Resources, Selection, WriteTarget, explain, ingest_plan, stored_keys,
};
use isdb_schema::filters::Rule;
use isdb_store::{Database, Id, Writer};

use crate::areas::Areas;
use crate::attempt::{ledger_row, planned};
use crate::checksum::add_checksums;
use crate::clock::now_ms;
use crate::consolidate::{consolidate_with, engine};
use crate::error::{Error, Result};
use crate::identify::Candidate;
use crate::ingest::Request;
use crate::release::is_all_or_nothing;
use crate::report::{Progress, Report};
use crate::resources::resources;
use crate::select::{Attempt, Selected, doubtful, select};
use crate::standing::Standing;
use crate::verdict::Rules;
use crate::wanted::Wanted;
use crate::window::windows;

/// A run that holds the database's lock.
pub(crate) struct Run<'r> {
    request: &'r Request,
    database: Database,
    engine: Engine,
    resources: Resources,
    taken: Taken,
    /// The first id of this run's attempts.
    since: Option<Id>,
    /// Bytes of the files read so far.
    read: u64,
    /// Granules that this run takes up after those it ingests now.
    pub(crate) ahead: usize,
    report: Report,
}

/// What a database takes of granules at the request of a user, and the areas it knows.
pub(crate) struct Taken {
    pub(crate) selection: Selection,
    wanted: Wanted,
    areas: Areas,
    /// The filters that the database changes to with the first window.
    refiltered: Option<Vec<Rule>>,
}

impl Taken {
    /// What `database`, in its newest state with `standing` granules, takes at `request`.
    ///
    /// # Errors
    /// When the database was made otherwise than is asked for.
    pub(crate) async fn of(
        request: &Request,
        bound: &Selection,
        database: &Database,
        standing: &Standing<'_>,
        mut areas: Areas,
    ) -> Result<Taken> {
        let may_refilter = request.refilter || !standing.has_segments();
        let (selection, refiltered) = request.asked.selection(bound, database, may_refilter).await?;
        let area = match &request.area {
            Some(region) => Some(areas.name(region).await?),
            None => None,
        };
        Ok(Taken { wanted: Wanted::of(&selection, area), selection, areas, refiltered })
    }

    /// What becomes of `candidates`; those that need no attempt are told in `report`. `since` is the first id of the run's own
    /// attempts.
    pub(crate) async fn round(
        &self,
        mut candidates: Vec<Candidate>,
        standing: &Standing<'_>,
        request: &Request,
        since: Option<Id>,
        report: &mut Report,
    ) -> Selected {
        add_checksums(doubtful(&mut candidates, standing), request.threads).await;
        let covers = |outer: &str, inner: &str| self.areas.covers(outer, inner);
        let rules = Rules { wanted: &self.wanted, covers: &covers, retry: request.retry, since };
        let mut selected = select(candidates, standing, &rules);
        report.leave_out(&selected.skipped, std::mem::take(&mut selected.failed_before));
        selected
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
        report: Report,
    ) -> Result<Run<'r>> {
        let writer = Writer::take_over(database, now_ms()).await?;
        // Another writer may have been at work until the lock was ours, and have brought in granules or variables.
        let snapshot = database.snapshot().await?;
        let since = u32::try_from(snapshot.commit().epoch).ok().map(|epoch| Id::new(epoch, 0));
        let ledger = snapshot.ledger().await?;
        let areas = Areas::of(database, &ledger).await?;
        let taken = Taken::of(request, bound, database, &Standing::of(&ledger), areas).await?;
        let resources = resources(database.location(), request.threads, request.memory)?;
        let engine = engine(writer, &resources)?;
        let database = database.clone();
        Ok(Run { request, database, engine, resources, taken, since, read: 0, ahead: 0, report })
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
        while !candidates.is_empty() {
            let selected = self.select(candidates).await?;
            let of = self.report.done() + selected.now.len() + selected.later.len() + self.ahead;
            candidates = selected.later;
            for mut window in windows(selected.now, self.request.window) {
                add_checksums(window.iter_mut().map(|attempt| &mut attempt.candidate), self.request.threads).await;
                self.window(&window, progress).await?;
                self.read += size(&window);
                progress(Progress::Committed { granules: self.report.done(), of, rows: self.report.rows });
            }
        }
        Ok(())
    }

    /// What becomes of `candidates`, as the ledger is now; those that need no attempt are told in the report.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(crate) async fn select(&mut self, candidates: Vec<Candidate>) -> Result<Selected> {
        let ledger = self.database.snapshot().await?.ledger().await?;
        let standing = Standing::of(&ledger);
        Ok(self.taken.round(candidates, &standing, self.request, self.since, &mut self.report).await)
    }

    /// What was asked for.
    pub(crate) fn request(&self) -> &'r Request {
        self.request
    }

    /// Keeps fragments few, if that is wanted, removes what nobody can see any more, and tells what became of every file.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(crate) async fn end(self, progress: &mut impl FnMut(Progress)) -> Result<Report> {
        let wanted = self.request.consolidate;
        if wanted.fragments > 0 {
            let told = |group, of| progress(Progress::Consolidated { group, of });
            consolidate_with(&self.engine, wanted.policy, wanted.fragments, &self.resources, told).await?;
        }
        self.engine.writer().await.vacuum(now_ms(), wanted.keep_ms).await?;
        Ok(self.report)
    }

    /// Ingests the granules of one window and commits them.
    async fn window(&mut self, attempts: &[Attempt], progress: &mut impl FnMut(Progress)) -> Result<()> {
        let failed = |source| Error::Window { granules: attempts.len(), source };
        // Windows hold granules of one area only.
        let names = attempts.first().and_then(|attempt| attempt.taking.area.as_deref()).unwrap_or_default();
        let (area, selection) = match self.taken.areas.union(names).await? {
            Some((name, region)) => (Some(name), self.taken.selection.clone().with_region(&region)),
            None => (None, self.taken.selection.clone()),
        };
        let count = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        let window = self.engine.writer().await.window(count, now_ms())?;
        let numbered: Vec<(Id, &Attempt)> = (0..count).map(|index| window.ingest_id(index)).zip(attempts).collect();
        let readable = numbered.iter().filter(|(_, attempt)| attempt.candidate.identity.is_ok());
        let granules: Vec<PlannedGranule> = readable.map(|(id, attempt)| planned(*id, attempt)).collect();
        let merged: Vec<i64> = granules.iter().flat_map(|granule| granule.merges_with.clone()).collect();
        let merged = stored_keys(&self.database.snapshot().await?, &merged).await.map_err(Error::Selection)?;
        let ledger = numbered.iter().map(|(id, attempt)| ledger_row(*id, attempt, &self.taken.wanted, area.clone()));
        let recorded = Recorded::Granules {
            ledger: ledger.collect(),
            filters: self.taken.refiltered.take(),
            all_or_nothing: is_all_or_nothing(attempts),
        };
        let target = WriteTarget {
            array: self.database.location().segments(),
            timestamp: window.timestamp,
            first_fragment: window.fragment_id(0).0,
            fragment_bytes: self.resources.fragment_bytes(),
            writers: self.resources.writers(size(attempts)),
        };
        let plan = ingest_plan(&granules, &selection, merged, self.resources.threads, target, window, recorded);
        let plan = plan.map_err(failed)?;
        tracing::debug!(granules = granules.len(), plan = explain(&plan), "window");
        let read = self.read;
        let pace = |pace: Pace| progress(Progress::Read { bytes: read + pace.bytes });
        let rows = self.engine.run(&plan, pace).await.map_err(failed)?;
        rows.iter().zip(attempts).for_each(|(row, attempt)| self.report.tell(row, attempt));
        Ok(())
    }
}

/// Bytes of the files of `attempts`.
fn size(attempts: &[Attempt]) -> u64 {
    attempts.iter().map(|attempt| attempt.candidate.size_bytes).sum()
}
