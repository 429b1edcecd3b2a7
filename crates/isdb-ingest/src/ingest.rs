//! The ingest of local files: find, leave out what is done, then window by window plan, run, commit.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use datafusion::error::DataFusionError;
use isdb_datafusion::{PlannedGranule, Selection, Tally, WriteTarget, ingest_plan, releases_fit, run_ingest};
use isdb_schema::filters::{Rule, told};
use isdb_schema::ledger::GranuleState;
use isdb_store::{FragmentRecord, Id, LedgerRow, Location, Window, Writer};

use crate::asked::Asked;
use crate::error::{Error, Result};
use crate::find::find_granules;
use crate::identify::{Candidate, identify_all};
use crate::report::{Failure, Progress, Report};
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
    /// At most this many granules become visible in one commit.
    pub granules_per_window: usize,
    /// How many granules are decoded at a time.
    pub threads: usize,
}

/// Ingests `request.paths` and tells `progress` how it goes. Granules that the ledger calls done are left out, so the same
/// request a second time adds nothing. Dropping the future drops the window in flight; nothing of it is visible.
///
/// # Errors
/// See [`Error`]: a granule that cannot be read is told in the report instead.
pub async fn ingest(request: Request, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let paths = find_granules(&request.paths)?;
    let asked = request.asked.bind()?;
    let candidates = identify_all(paths, request.threads).await;
    check_releases(&candidates, &asked.filters())?;
    let (database, selection) = request.asked.open(asked, &request.location, now_ms()).await?;
    let filters = selection.filters();
    progress(Progress::Filters { names: filters.iter().map(|rule| rule.predicate.name.clone()).collect() });

    let mut report = Report::default();
    let ledger = database.snapshot().await?.ledger().await?;
    let new = select(candidates, &ledger, &mut report);
    check_releases(&new, &filters)?;
    progress(Progress::Found { new: new.len(), skipped: report.skipped, bytes: size(&new) });
    if new.is_empty() {
        return Ok(report);
    }
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    // Another writer may have been at work until the lock was ours.
    let new = select(new, &database.snapshot().await?.ledger().await?, &mut report);
    let of = report.done() + new.len();
    let mut bytes = 0;
    for window in windows(new, request.granules_per_window) {
        write_window(&mut writer, &window, &selection, request.threads, &mut report).await?;
        bytes += size(&window);
        progress(Progress::Committed { granules: report.done(), of, rows: report.rows, bytes });
    }
    Ok(report)
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

async fn write_window(
    writer: &mut Writer,
    candidates: &[Candidate],
    selection: &Selection,
    threads: usize,
    report: &mut Report,
) -> Result<()> {
    let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let window = writer.window(count, now_ms())?;
    let ids = (0..count).map(|index| window.ingest_id(index));
    let attempts: Vec<(Id, &Candidate)> = ids.zip(candidates).collect();
    let (fragments, tallies) = run(writer, &window, &attempts, selection, threads).await?;

    let rows: Vec<LedgerRow> = attempts
        .iter()
        .map(|(id, candidate)| {
            let tally = tallies.iter().find(|tally| tally.ingest_id == id.0);
            ledger_row(*id, candidate, tally, selection)
        })
        .collect();
    writer.commit(window, fragments, rows.clone()).await?;

    for (row, candidate) in rows.iter().zip(candidates) {
        match row.state {
            GranuleState::Ingested => report.ingested += 1,
            GranuleState::Empty => report.empty += 1,
            GranuleState::Failed => {
                let error = row.error.clone().unwrap_or_default();
                report.failed.push(Failure { path: candidate.path.clone(), error });
            }
        }
        report.rows += u64::try_from(row.rows_kept).unwrap_or(0);
        report.rows_rejected += u64::try_from(row.rows_rejected).unwrap_or(0);
        report.charge(&row.removed_by);
    }
    Ok(())
}

/// Runs the plan of the readable candidates.
async fn run(
    writer: &Writer,
    window: &Window,
    attempts: &[(Id, &Candidate)],
    selection: &Selection,
    threads: usize,
) -> Result<(Vec<FragmentRecord>, Vec<Tally>)> {
    let readable = attempts.iter().filter(|(_, candidate)| candidate.identity.is_ok());
    let granules: Vec<PlannedGranule> = readable.map(|(id, candidate)| planned(*id, candidate)).collect();
    if granules.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let target = WriteTarget {
        array: writer.database().location().segments(),
        timestamp: window.timestamp,
        first_fragment: window.fragment_id(0).0,
    };
    let failed = |source| Error::Window { granules: granules.len(), source };
    let plan = ingest_plan(&granules, selection, threads, target).map_err(failed)?;
    let (written, tallies) = run_ingest(&plan, writer.database().context(), threads).await.map_err(failed)?;
    if tallies.len() != granules.len() {
        let problem = format!("the plan tells of {} granules of {}", tallies.len(), granules.len());
        return Err(failed(DataFusionError::Internal(problem)));
    }
    let records = written.into_iter().map(|fragment| FragmentRecord {
        id: Id(fragment.id),
        name: fragment.name,
        rows: u64::try_from(fragment.rows).unwrap_or(0),
    });
    Ok((records.collect(), tallies))
}

fn planned(id: Id, candidate: &Candidate) -> PlannedGranule {
    let mut granule = PlannedGranule {
        path: candidate.path.clone(),
        ingest_id: id.0,
        granule: candidate.granule(),
        ..PlannedGranule::default()
    };
    if let Ok(identity) = &candidate.identity {
        granule.cycle = identity.cycle.map(i32::from);
        granule.region = identity.region.map(i32::from);
        granule.release = identity.release.map(|release| format!("{release:03}"));
        granule.revision = identity.revision.map(|revision| format!("{revision:02}"));
        granule.qa_granule_pass_fail = identity.qa_pass_fail;
    }
    granule
}

fn ledger_row(id: Id, candidate: &Candidate, tally: Option<&Tally>, selection: &Selection) -> LedgerRow {
    let identity = candidate.identity.as_ref().ok();
    let unread = Tally { error: candidate.identity.as_ref().err().cloned(), ..Tally::default() };
    let tally = tally.unwrap_or(&unread);
    let state = match (&tally.error, tally.rows_kept) {
        (Some(_), _) => GranuleState::Failed,
        (None, 0) => GranuleState::Empty,
        (None, _) => GranuleState::Ingested,
    };
    let names: Vec<&str> = selection.variables().iter().map(|variable| variable.name).collect();
    let granule = planned(id, candidate);
    LedgerRow {
        ingest_id: id,
        granule: granule.granule,
        product: "ATL08".to_owned(),
        rgt: identity.and_then(|identity| identity.rgt).map(i32::from),
        cycle: granule.cycle,
        region: granule.region,
        release: granule.release,
        revision: granule.revision,
        qa_granule_pass_fail: granule.qa_granule_pass_fail,
        subset: identity.map(|identity| identity.subset),
        start_time: identity.and_then(|identity| identity.start).and_then(|seconds| seconds.checked_mul(1_000_000_000)),
        identity_source: identity.map(|identity| identity.source.as_str().to_owned()),
        source: std::path::absolute(&candidate.path)
            .unwrap_or_else(|_| candidate.path.clone())
            .to_string_lossy()
            .into_owned(),
        size_bytes: i64::try_from(candidate.size_bytes).unwrap_or(i64::MAX),
        variables: names.join(" "),
        filters: told(&selection.filters()),
        rows_read: tally.rows_read,
        rows_kept: tally.rows_kept,
        rows_rejected: tally.rows_rejected,
        rows_removed: tally.rows_removed,
        removed_by: tally.removed.clone(),
        missing_variables: tally.missing_variables.clone(),
        notes: tally.notes.clone(),
        state,
        error: tally.error.clone(),
        finished_at: i64::try_from(since_1970().as_nanos()).unwrap_or(i64::MAX),
    }
}

fn now_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
