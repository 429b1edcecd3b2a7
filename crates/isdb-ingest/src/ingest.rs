//! The ingest of local files: find, leave out what is done, then window by window plan, run, commit.

use std::path::PathBuf;

use isdb_datafusion::{
    Engine, Pace, PlannedGranule, Recorded, Resources, Selection, WriteTarget, ingest_plan, releases_fit,
};
use isdb_schema::config;
use isdb_schema::filters::Rule;
use isdb_store::{Id, Location, Writer};

use crate::asked::Asked;
use crate::attempt::{ledger_row, planned};
use crate::clock::now_ms;
use crate::consolidate::{consolidate_with, engine};
use crate::error::{Error, Result};
use crate::find::find_granules;
use crate::identify::{Candidate, identify_all};
use crate::report::{Progress, Report};
use crate::resources::resources;
use crate::select::select;
use crate::window::windows;

/// What to ingest, into what, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Files, folders and patterns.
    pub paths: Vec<PathBuf>,
    /// The database; created if there is none.
    pub location: Location,
    /// What to take of a granule.
    pub asked: Asked,
    /// Which granules become visible together.
    pub window: config::Window,
    /// How many granules are decoded at a time.
    pub threads: usize,
    /// Bytes of memory for rows in flight.
    pub memory: usize,
    /// How fragments are kept few, and when old ones go.
    pub consolidate: config::Consolidate,
}

/// Ingests `request.paths` and tells `progress` how it goes. Granules that the ledger calls done are left out, so the same
/// request a second time adds nothing. Dropping the future drops the window in flight; nothing of it is visible.
///
/// # Errors
/// See [`Error`]: a granule that cannot be read is told in the report instead.
pub async fn ingest(request: Request, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let paths = find_granules(&request.paths)?;
    let bound = request.asked.bind()?;
    let candidates = identify_all(paths, request.threads).await;
    check_releases(&candidates, &bound.filters())?;
    let database = request.asked.open(&bound, &request.location, now_ms()).await?;
    let filters = request.asked.selection(&bound, &database).await?.filters();
    progress(Progress::Filters { names: filters.iter().map(|rule| rule.predicate.name.clone()).collect() });

    let mut report = Report::default();
    let ledger = database.snapshot().await?.ledger().await?;
    let new = select(candidates, &ledger, &mut report);
    check_releases(&new, &filters)?;
    progress(Progress::Found { new: new.len(), skipped: report.skipped, bytes: size(&new) });
    if new.is_empty() {
        return Ok(report);
    }
    let writer = Writer::take_over(&database, now_ms()).await?;
    // Another writer may have been at work until the lock was ours, and have brought in granules or variables.
    let selection = request.asked.selection(&bound, &database).await?;
    let new = select(new, &database.snapshot().await?.ledger().await?, &mut report);
    let of = report.done() + new.len();
    let resources = resources(&request.location, request.threads, request.memory)?;
    let engine = engine(writer, &resources)?;
    let mut read = 0;
    for window in windows(new, request.window) {
        let pace = |pace: Pace| progress(Progress::Read { bytes: read + pace.bytes });
        write_window(&engine, &window, &selection, &resources, &mut report, pace).await?;
        read += size(&window);
        progress(Progress::Committed { granules: report.done(), of, rows: report.rows });
    }
    tidy(&engine, request.consolidate, &resources, &mut progress).await?;
    Ok(report)
}

/// Keeps fragments few, if that is wanted, and removes what nobody can see any more.
async fn tidy(
    engine: &Engine,
    wanted: config::Consolidate,
    resources: &Resources,
    progress: &mut impl FnMut(Progress),
) -> Result<()> {
    if wanted.fragments > 0 {
        let told = |group, of| progress(Progress::Consolidated { group, of });
        consolidate_with(engine, wanted.policy, wanted.fragments, resources, told).await?;
    }
    engine.writer().await.vacuum(now_ms(), wanted.keep_ms).await?;
    Ok(())
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

/// Ingests the granules of one window and commits them.
async fn write_window(
    engine: &Engine,
    candidates: &[Candidate],
    selection: &Selection,
    resources: &Resources,
    report: &mut Report,
    pace: impl FnMut(Pace),
) -> Result<()> {
    let failed = |source| Error::Window { granules: candidates.len(), source };
    let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let mut writer = engine.writer().await;
    let window = writer.window(count, now_ms())?;
    let array = writer.database().location().segments();
    drop(writer);

    let attempts: Vec<(Id, &Candidate)> = (0..count).map(|index| window.ingest_id(index)).zip(candidates).collect();
    let readable = attempts.iter().filter(|(_, candidate)| candidate.identity.is_ok());
    let granules: Vec<PlannedGranule> = readable.map(|(id, candidate)| planned(*id, candidate)).collect();
    let ledger = attempts.iter().map(|(id, candidate)| ledger_row(*id, candidate, selection)).collect();
    let target = WriteTarget {
        array,
        timestamp: window.timestamp,
        first_fragment: window.fragment_id(0).0,
        fragment_bytes: resources.fragment_bytes(),
        writers: resources.writers(size(candidates)),
    };
    let recorded = Recorded::Granules { ledger, filters: None, all_or_nothing: false };
    let plan = ingest_plan(&granules, selection, resources.threads, target, window, recorded).map_err(failed)?;
    let rows = engine.run(&plan, pace).await.map_err(failed)?;

    for (row, candidate) in rows.iter().zip(candidates) {
        report.tell(row, &candidate.path);
    }
    Ok(())
}
