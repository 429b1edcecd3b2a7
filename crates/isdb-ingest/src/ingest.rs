//! The ingest of local files and of NASA's archive: find, leave out what is done, and run over the rest.

use std::path::PathBuf;

use isdb_pipeline::Selection;
use isdb_query::check_releases;
use isdb_schema::config;
use isdb_schema::filters::Rule;
use isdb_schema::period::Period;
use isdb_store::{Location, Writer};

use crate::archive::{Archive, bring, buckets, clean_up, described, leftovers};
use crate::areas::Areas;
use crate::asked::Asked;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::family::LONGEST;
use crate::find::find_granules;
use crate::identify::{Candidate, identify_all, size_of};
use crate::progress::Progress;
use crate::region::{Area, Settled};
use crate::release::check_release;
use crate::report::{Ended, Report, Skip};
use crate::run::Run;
use crate::standing::Standing;
use crate::taken::{State, Taken};

/// Where granules come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Files, folders and patterns on this machine.
    Files(Vec<PathBuf>),
    /// NASA's archive.
    Archive(Archive),
}

/// What to ingest, into what, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the granules are.
    pub source: Source,
    /// The database; created if there is none.
    pub location: Location,
    /// What to take of a granule.
    pub asked: Asked,
    /// Which segments of a granule to keep, by their position.
    pub area: Area,
    /// Take only granules that were measured in this time, at least in part.
    pub period: Period,
    /// Which granules become visible together.
    pub window: config::Window,
    /// How many granules are decoded at a time.
    pub threads: usize,
    /// Bytes of memory for rows in flight.
    pub memory: usize,
    /// How fragments are kept few, and when old ones go.
    pub consolidate: config::Consolidate,
    /// Try files again that failed before.
    pub retry: bool,
    /// Let a file replace what is stored even if it has less than half of its segments.
    pub force: bool,
    /// Take granules of another release than the database's, and let them replace what is stored of the same pass.
    pub replace_release: bool,
    /// Let the database change to other filters, and ingest the granules of this request again with them.
    pub refilter: bool,
}

/// Ingests the granules of `request.source`, tells `progress` how it goes, and `report` what became of every file, also when the run ends with an
/// error. Granules that the ledger calls done are left out, so the same request a second time adds nothing. Dropping the future drops the window in flight; nothing of it is visible.
///
/// # Errors
/// See [`Error`]: a granule that cannot be read is told in the report instead.
pub async fn ingest(request: &Request, report: &mut Report, mut progress: impl FnMut(Progress)) -> Result<()> {
    let (bound, candidates) = looked_at(request, report).await?;
    let region = Settled::of_new(&request.area).after;
    let database = request.asked.open(&bound, region, &request.location, now_ms()).await?;
    let snapshot = database.snapshot().await?;
    let ledger = snapshot.ledger().await?;
    let standing = Standing::of(&ledger);
    if !request.replace_release {
        check_release(&candidates, &standing)?;
    }
    let areas = Areas::of(&database, &ledger).await?;
    let mut taken = Taken::of(request, &bound, &database, &standing, areas).await?;
    let filters = taken.selection.filters();
    progress(Progress::Region { regions: taken.region.told() });
    progress(Progress::Filters { names: filters.iter().map(|rule| rule.predicate.name.clone()).collect() });
    report.terms = Some(taken.terms());

    let state = State { ledger: &ledger, standing: &standing, snapshot: Some(&snapshot) };
    let candidates = taken.round(candidates, state, request, None, report).await?.candidates();
    check_filters(&candidates, &filters)?;
    let skipped = report.count(Ended::Skipped);
    progress(Progress::Found { new: candidates.len(), skipped, bytes: size_of(&candidates) });
    if candidates.is_empty() && !taken.region.is_change() {
        if let Source::Archive(archive) = &request.source
            && !leftovers(archive, &ledger).is_empty()
            // Another ingest may be about to read them.
            && let Ok(_writer) = Writer::take_over(&database, now_ms()).await
        {
            clean_up(archive, &ledger);
        }
        return Ok(());
    }
    let mut run = Run::begin(request, &bound, &database, report).await?;
    match &request.source {
        Source::Archive(archive) if !archive.direct => {
            bring(&mut run, archive, candidates, &mut progress).await?;
            clean_up(archive, &database.snapshot().await?.ledger().await?);
        }
        Source::Archive(archive) => {
            run.read_in_place(buckets(archive)?)?;
            run.ingest(candidates, &mut progress).await?;
        }
        Source::Files(_) => run.ingest(candidates, &mut progress).await?,
    }
    run.end(&mut progress).await;
    Ok(())
}

/// What `request` asks for, and the files that it names with the granules in them. Those of another time are told in `report`.
pub(crate) async fn looked_at(request: &Request, report: &mut Report) -> Result<(Selection, Vec<Candidate>)> {
    let bound = request.asked.bind()?;
    let candidates = match &request.source {
        Source::Files(named) => identify_all(find_granules(named)?, named, request.threads).await,
        Source::Archive(archive) => {
            report.miss(&archive.unusable);
            described(archive)
        }
    };
    let (candidates, others): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| is_within(candidate, &request.period));
    report.leave_out(others.into_iter().map(|candidate| (candidate, Skip::OtherTime)).collect(), Vec::new());
    tracing::debug!(files = candidates.len(), bytes = size_of(&candidates), "found");
    check_filters(&candidates, &bound.filters())?;
    if !request.replace_release {
        check_release(&candidates, &Standing::of(&[]))?;
    }
    Ok((bound, candidates))
}

/// Whether a granule was measured in `period`, at least in part. One that does not tell its time is.
fn is_within(candidate: &Candidate, period: &Period) -> bool {
    let nanoseconds = |seconds: i64| seconds.saturating_mul(1_000_000_000);
    candidate
        .start()
        .is_none_or(|start| period.overlaps(nanoseconds(start), nanoseconds(start.saturating_add(LONGEST))))
}

/// A filter that has no meaning for the release of a granule would remove all of it or none; that is told before anything
/// is written.
pub(crate) fn check_filters<'c>(candidates: impl IntoIterator<Item = &'c Candidate>, filters: &[Rule]) -> Result<()> {
    for candidate in candidates {
        if let Ok(identity) = &candidate.identity {
            let release = identity.release.map(|release| format!("{release:03}"));
            check_releases(filters, release.as_deref(), &candidate.granule()).map_err(Error::Selection)?;
        }
    }
    Ok(())
}
