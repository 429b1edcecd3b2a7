//! The ingest of local files: find, leave out what is done, then window by window plan, run, commit.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use isdb_datafusion::{PlannedGranule, Selection, Tally, WriteTarget, ingest_plan, releases_fit, run_ingest};
use isdb_schema::filters::Rule;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Changes, FragmentRecord, Id, LedgerRow, Location, Window, Writer};

use crate::asked::Asked;
use crate::attempt::{ledger_row, planned};
use crate::clock::now_ms;
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
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    // Another writer may have been at work until the lock was ours, and have brought in granules or variables.
    let selection = request.asked.selection(&bound, &database).await?;
    let new = select(new, &database.snapshot().await?.ledger().await?, &mut report);
    let of = report.done() + new.len();
    let mut bytes = 0;
    for window in windows(new, request.granules_per_window) {
        let read = |candidate: &Candidate| {
            bytes += candidate.size_bytes;
            progress(Progress::Read { bytes });
        };
        write_window(&mut writer, &window, &selection, request.threads, &mut report, read).await?;
        progress(Progress::Committed { granules: report.done(), of, rows: report.rows });
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
    read: impl FnMut(&Candidate),
) -> Result<()> {
    let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let window = writer.window(count, now_ms())?;
    let ids = (0..count).map(|index| window.ingest_id(index));
    let attempts: Vec<(Id, &Candidate)> = ids.zip(candidates).collect();
    let (fragments, tallies) = run(writer, &window, &attempts, selection, threads, read).await?;

    let rows: Vec<LedgerRow> = attempts
        .iter()
        .map(|(id, candidate)| {
            let tally = tallies.iter().find(|tally| tally.ingest_id == id.0);
            ledger_row(*id, candidate, tally, selection)
        })
        .collect();
    writer.commit(window, Changes { fragments, ledger: rows.clone(), filters: None }).await?;

    for (row, candidate) in rows.iter().zip(candidates) {
        match row.state {
            GranuleState::Ingested => report.ingested += 1,
            GranuleState::Empty => report.empty += 1,
            GranuleState::Failed | GranuleState::Removed => {
                let error = row.error.clone().unwrap_or_default();
                report.failed.push(Failure { path: candidate.path.clone(), error });
            }
        }
        report.count(row);
        report.warn(&candidate.path, row);
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
    mut read: impl FnMut(&Candidate),
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
    let told = |tally: &Tally| {
        attempts.iter().filter(|(id, _)| id.0 == tally.ingest_id).for_each(|(_, candidate)| read(candidate));
    };
    let (written, tallies) = run_ingest(&plan, writer.database().context(), threads, told).await.map_err(failed)?;
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
