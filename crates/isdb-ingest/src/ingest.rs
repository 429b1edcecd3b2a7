//! The ingest of local files: find, leave out what is done, and run over the rest.

use std::path::PathBuf;

use isdb_datafusion::releases_fit;
use isdb_schema::config;
use isdb_schema::filters::Rule;
use isdb_schema::region::Region;
use isdb_store::Location;

use crate::areas::Areas;
use crate::asked::Asked;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::find::find_granules;
use crate::identify::{Candidate, identify_all};
use crate::release::check_release;
use crate::report::{Progress, Report};
use crate::run::{Run, Taken};
use crate::standing::Standing;

/// What to ingest, into what, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Files, folders and patterns.
    pub paths: Vec<PathBuf>,
    /// The database; created if there is none.
    pub location: Location,
    /// What to take of a granule.
    pub asked: Asked,
    /// Take only segments in this area; None for whole granules.
    pub area: Option<Region>,
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
    /// Take granules of another release than the database's, and let them replace what is stored of the same pass.
    pub replace_release: bool,
    /// Let the database change to other filters, and ingest the granules of this request again with them.
    pub refilter: bool,
}

/// Ingests `request.paths` and tells `progress` how it goes. Granules that the ledger calls done are left out, so the same
/// request a second time adds nothing. Dropping the future drops the window in flight; nothing of it is visible.
///
/// # Errors
/// See [`Error`]: a granule that cannot be read is told in the report instead.
pub async fn ingest(request: Request, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let paths = find_granules(&request.paths)?;
    let bound = request.asked.bind()?;
    let candidates = identify_all(paths, &request.paths, request.threads).await;
    check_releases(&candidates, &bound.filters())?;
    if !request.replace_release {
        check_release(&candidates, &Standing::of(&[]))?;
    }
    let database = request.asked.open(&bound, &request.location, now_ms()).await?;
    let ledger = database.snapshot().await?.ledger().await?;
    let standing = Standing::of(&ledger);
    if !request.replace_release {
        check_release(&candidates, &standing)?;
    }
    let areas = Areas::of(&database, &ledger).await?;
    let taken = Taken::of(&request, &bound, &database, &standing, areas).await?;
    let filters = taken.selection.filters();
    progress(Progress::Filters { names: filters.iter().map(|rule| rule.predicate.name.clone()).collect() });

    let mut report = Report::default();
    let candidates = taken.round(candidates, &standing, &request, None, &mut report).await.candidates();
    check_releases(&candidates, &filters)?;
    progress(Progress::Found { new: candidates.len(), skipped: report.skipped(), bytes: size(&candidates) });
    if candidates.is_empty() {
        return Ok(report);
    }
    let mut run = Run::begin(&request, &bound, &database, report).await?;
    run.ingest(candidates, &mut progress).await?;
    Ok(run.end(&mut progress).await)
}

fn size(candidates: &[Candidate]) -> u64 {
    candidates.iter().map(|candidate| candidate.size_bytes).sum()
}

/// A filter that has no meaning for the release of a granule would remove all of it or none; that is told before anything
/// is written.
fn check_releases(candidates: &[Candidate], filters: &[Rule]) -> Result<()> {
    for candidate in candidates {
        if let Ok(identity) = &candidate.identity {
            let release = identity.release.map(|release| format!("{release:03}"));
            releases_fit(filters, release.as_deref(), &candidate.granule()).map_err(Error::Selection)?;
        }
    }
    Ok(())
}
