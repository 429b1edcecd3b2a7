//! The plan of an ingest: the request resolved for one state of the database, and the decisions that follow from it.
//!
//! [`Plan::prepare`] and [`Plan::decide`] change nothing that is visible; at most they store the text of a new area. An
//! ingest calls both before it takes the lock, to see whether there is anything to do, because a takeover writes a
//! commit. Under the lock it calls them again, because another writer may have committed in between. A dry run calls
//! them once.

use std::collections::{BTreeSet, HashMap};

use isdb_pipeline::{Selection, StoredSegments, read_stored_segments};
use isdb_query::check_releases;
use isdb_schema::filters::Rule;
use isdb_store::Id;

use crate::decide::areas::Areas;
use crate::decide::database_state::DatabaseState;
use crate::decide::decision::{DecisionContext, is_unchanged};
use crate::decide::fingerprint::Fingerprint;
use crate::decide::ledger::Ledger;
use crate::decide::related::{add_contents, ids_to_compare, needs_contents};
use crate::decide::reread::{attempts_to_reread, files_to_reread};
use crate::decide::round::{Round, decide_round, without_needed_checksum};
use crate::decide::stored_attempt::StoredAttempt;
use crate::error::{Error, Result};
use crate::find::candidate::Candidate;
use crate::find::checksum::add_checksums;
use crate::find::granule_key::GranuleKey;
use crate::report::IngestReport;
use crate::request::IngestRequest;
use crate::request::region::ResolvedRegion;
use crate::request::release::check_release;
use crate::request::summary::SelectionSummary;

/// The selection, region and areas of a run, resolved for one state of the database.
pub(crate) struct Plan<'r> {
    request: &'r IngestRequest,
    pub(crate) selection: Selection,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) areas: Areas,
    /// The region that segments are kept in, and the region of the database.
    pub(crate) region: ResolvedRegion,
    /// The filters that the database changes to in the first window that stores something.
    pub(crate) refiltered: Option<Vec<Rule>>,
    /// The attempts whose files were added to a round already.
    reread: BTreeSet<Id>,
}

impl<'r> Plan<'r> {
    /// Resolves `request`, whose selection is `bound`, for a database in `state`. A new area is stored in the database,
    /// unless `areas` has no storage.
    ///
    /// # Errors
    /// When `candidates` are of another release than the database, or its design differs from the request.
    pub(crate) async fn prepare(
        request: &'r IngestRequest,
        bound: &Selection,
        state: &DatabaseState,
        mut areas: Areas,
        candidates: &[Candidate],
    ) -> Result<Plan<'r>> {
        check_requested_release(request, candidates, &state.ledger)?;
        let (selection, refiltered, region) = match (&state.database, &state.snapshot) {
            (Some(database), Some(snapshot)) => {
                let is_empty = !state.ledger.has_segments();
                let design = database.design(snapshot).await?;
                let uri = database.location().uri();
                let region = ResolvedRegion::new(&request.region, design.region.as_ref(), is_empty, &uri)?;
                let may_refilter = request.refilter || is_empty;
                let (selection, refiltered) = request.selection.resolve(bound, design, &uri, may_refilter)?;
                (selection, refiltered, region)
            }
            _ => (bound.clone(), None, ResolvedRegion::for_new_database(&request.region)),
        };
        let area = match &region.kept {
            Some(region) => Some(areas.add(region).await?),
            None => None,
        };
        let fingerprint = Fingerprint::new(&selection, area);
        Ok(Plan { request, selection, fingerprint, areas, region, refiltered, reread: BTreeSet::new() })
    }

    /// Describes what the run stores.
    pub(crate) fn summary(&self) -> SelectionSummary {
        SelectionSummary::new(&self.selection, self.fingerprint.area.clone(), self.region.kept.as_ref())
    }

    /// Decides on `candidates` before the run has begun, and checks that the filters fit their releases.
    ///
    /// # Errors
    /// As for [`Plan::decide`], and when a filter is not defined for the release of a granule to ingest.
    pub(crate) async fn decide_first(
        &mut self,
        candidates: Vec<Candidate>,
        state: &DatabaseState,
        report: &mut IngestReport,
    ) -> Result<Round> {
        let round = self.decide(candidates, state, None, report).await?;
        check_filters(round.to_ingest(), &self.selection.filters())?;
        Ok(round)
    }

    /// Decides on `candidates` and on files that have to be read again, each of these once. Files that need no attempt
    /// are added to `report`. `first_id` is the first id of the run's own attempts.
    ///
    /// # Errors
    /// When `candidates` are of another release than the database, or stored segments cannot be read.
    pub(crate) async fn decide(
        &mut self,
        mut candidates: Vec<Candidate>,
        state: &DatabaseState,
        first_id: Option<Id>,
        report: &mut IngestReport,
    ) -> Result<Round> {
        let DatabaseState { ledger, snapshot, .. } = state;
        check_requested_release(self.request, &candidates, ledger)?;
        let mut to_reread = attempts_to_reread(ledger);
        // Segments that a repair dropped come back from the files of their attempts.
        let lost = snapshot.iter().flat_map(|snapshot| snapshot.attempts_to_reread());
        to_reread.extend(lost.filter(|id| ledger.is_current(**id)));
        let new: Vec<Id> = to_reread.difference(&self.reread).copied().collect();
        let again = new.iter().filter_map(|id| ledger.get(*id));
        candidates.extend(files_to_reread(again, &candidates));
        self.reread.extend(new);
        let threads = self.request.threads;
        add_checksums(without_needed_checksum(&mut candidates, ledger), threads).await;
        self.add_needed_contents(&mut candidates, ledger, &to_reread, threads).await;
        let ids = ids_to_compare(&candidates, ledger);
        let stored = match snapshot {
            Some(snapshot) => read_stored_segments(snapshot, &ids).await.map_err(Error::Pipeline)?,
            None => StoredSegments::default(),
        };
        let context = DecisionContext {
            fingerprint: &self.fingerprint,
            covers: &|outer, inner| self.areas.covers(outer, inner),
            retry: self.request.retry,
            force: self.request.force,
            first_id_of_run: first_id,
            stored: &stored,
            to_reread: &to_reread,
        };
        let mut round = decide_round(candidates, ledger, &context);
        // The first search has already reported a file to read again that is missing.
        round.failed_before.retain(|(candidate, _)| !candidate.is_reread);
        report.add_skipped(std::mem::take(&mut round.skipped));
        report.add_failed_before(std::mem::take(&mut round.failed_before));
        Ok(round)
    }

    /// Reads the segments of the `candidates` whose decision depends on them.
    async fn add_needed_contents(
        &self,
        candidates: &mut [Candidate],
        ledger: &Ledger,
        to_reread: &BTreeSet<Id>,
        threads: usize,
    ) {
        let covers = |outer: &str, inner: &str| self.areas.covers(outer, inner);
        let is_satisfied = |stored: &StoredAttempt| {
            self.fingerprint.is_satisfied_by(&stored.selection, &covers) && !to_reread.contains(&stored.ingest_id)
        };
        let is_stored = |candidate: &Candidate| {
            let attempts = candidate.key().map(|key| ledger.of_granule(&key)).unwrap_or_default();
            attempts.into_iter().any(|stored| is_unchanged(candidate, stored) && is_satisfied(stored))
        };
        let mut files: HashMap<GranuleKey, usize> = HashMap::new();
        let (mut open, mut has_extracts) = (Vec::new(), false);
        for candidate in candidates.iter() {
            open.push(!is_stored(candidate));
            if let Some(key) = candidate.key() {
                has_extracts |= key.is_extract();
                *files.entry(key).or_default() += 1;
            }
        }
        let is_alone =
            |candidate: &Candidate| !has_extracts && candidate.key().is_none_or(|key| files.get(&key) == Some(&1));
        let to_read = candidates
            .iter_mut()
            .zip(open)
            .filter(|(candidate, is_open)| *is_open && needs_contents(candidate, ledger, is_alone(candidate)));
        let area = self.fingerprint.area.as_deref().and_then(|name| self.areas.get(name));
        add_contents(to_read.map(|(candidate, _)| candidate), self.selection.variables(), area, threads).await;
    }
}

/// Checks the filters and the release of `candidates` as far as that is possible without a database, so that no
/// database is created for a request that cannot succeed.
///
/// # Errors
/// When a filter is not defined for the release of a candidate, or the candidates are of several releases.
pub(crate) fn check_candidates(request: &IngestRequest, candidates: &[Candidate], filters: &[Rule]) -> Result<()> {
    check_filters(candidates, filters)?;
    check_requested_release(request, candidates, &Ledger::default())
}

fn check_requested_release(request: &IngestRequest, candidates: &[Candidate], ledger: &Ledger) -> Result<()> {
    if request.replace_release { Ok(()) } else { check_release(candidates, ledger) }
}

/// Checks that `filters` are defined for the releases of `candidates`: otherwise they would remove all segments or
/// none.
fn check_filters<'c>(candidates: impl IntoIterator<Item = &'c Candidate>, filters: &[Rule]) -> Result<()> {
    for candidate in candidates {
        if let Ok(identity) = &candidate.identity {
            let release = identity.release.map(|release| format!("{release:03}"));
            check_releases(filters, release.as_deref(), &candidate.granule()).map_err(Error::Selection)?;
        }
    }
    Ok(())
}
