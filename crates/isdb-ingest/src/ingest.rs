//! The ingest from request to report: find, decide, run.

use isdb_store::Writer;

use crate::archive::in_place::buckets;
use crate::archive::ingest::download_and_ingest;
use crate::archive::leftovers::{delete_leftovers, leftovers};
use crate::clock::now_ms;
use crate::decide::areas::Areas;
use crate::decide::database_state::DatabaseState;
use crate::decide::plan::{Plan, check_candidates};
use crate::error::Result;
use crate::find::candidate::total_bytes;
use crate::find::find_candidates;
use crate::find::objects::buckets_of;
use crate::report::IngestReport;
use crate::report::outcome::OutcomeKind;
use crate::report::progress::Progress;
use crate::request::region::ResolvedRegion;
use crate::request::{IngestRequest, Source};
use crate::run::Run;
use crate::run::resources::check_spill;

/// Ingests the granules of `request`. `progress` is called as the ingest proceeds, and `report` receives the outcome of
/// every file, even if the ingest ends with an error. Granules that the database already has are skipped, so repeating
/// a request adds nothing. Dropping the future drops the current window; no row of it becomes visible.
///
/// # Errors
/// See [`Error`](crate::Error). A granule that cannot be read is reported as failed instead.
pub async fn ingest(
    request: &IngestRequest,
    report: &mut IngestReport,
    mut progress: impl FnMut(Progress),
) -> Result<()> {
    let bound = request.selection.bind()?;
    check_spill(request.spill.as_deref())?;
    let candidates = find_candidates(request, report).await?;
    check_candidates(request, &candidates, &bound.filters())?;

    let region = ResolvedRegion::for_new_database(&request.region).after;
    let database = request.selection.open_or_create(&bound, region, &request.location, now_ms()).await?;
    let state = DatabaseState::read(&database).await?;
    let areas = Areas::read(&state).await?;
    let mut plan = Plan::prepare(request, &bound, &state, areas, &candidates).await?;
    progress(Progress::Region { regions: plan.region.describe() });
    let filters = plan.selection.filters();
    progress(Progress::Filters { names: filters.iter().map(|rule| rule.predicate.name.clone()).collect() });
    report.selection = Some(plan.summary());

    let candidates = plan.decide_first(candidates, &state, report).await?.into_candidates();
    let skipped = report.count(OutcomeKind::Skipped);
    progress(Progress::Found { new: candidates.len(), skipped, bytes: total_bytes(&candidates) });
    if candidates.is_empty() && !plan.region.is_change() {
        // Skip the takeover if there is nothing to do: it writes a commit, and fails while another process is writing.
        if let Source::Archive(archive) = &request.source
            && !leftovers(archive, &state.ledger).is_empty()
            // The lock is needed: another ingest may be about to read these files.
            && let Ok(_writer) = Writer::take_over(&database, now_ms()).await
        {
            delete_leftovers(archive, &state.ledger);
        }
        return Ok(());
    }

    let mut run = Run::begin(request, &bound, database, state, report).await?;
    match &request.source {
        Source::Archive(archive) if !archive.direct => {
            download_and_ingest(&mut run, archive, candidates, &mut progress).await?;
            delete_leftovers(archive, run.ledger());
        }
        Source::Archive(archive) => {
            run.register_buckets(buckets(archive)?)?;
            run.ingest(candidates, &mut progress).await?;
        }
        Source::Objects(patterns) => {
            run.register_buckets(buckets_of(patterns))?;
            run.ingest(candidates, &mut progress).await?;
        }
        Source::Files(_) => run.ingest(candidates, &mut progress).await?,
    }
    run.end(&mut progress).await;
    Ok(())
}
