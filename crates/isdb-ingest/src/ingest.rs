//! The ingest of local files: find, leave out what is done, then window by window plan, run, commit.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use datafusion::error::DataFusionError;
use isdb_datafusion::{PlannedGranule, Tally, WriteTarget, ingest_plan, run_ingest};
use isdb_schema::catalogue::Variable;
use isdb_schema::config::Config;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Database, FragmentRecord, Id, LedgerRow, Location, Snapshot, Window, Writer, stored_variables};

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
    /// The config in force.
    pub config: Config,
    /// True when the user named the config: then an existing database must store what it asks for. Otherwise the database's
    /// own variables are taken.
    pub config_is_explicit: bool,
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
    let database = open_or_create(&request).await?;
    let snapshot = database.snapshot().await?;
    let variables = variables(&request, &database, &snapshot)?;

    let mut report = Report::default();
    let candidates = identify_all(paths, request.threads).await;
    let new = select(candidates, &snapshot.ledger().await?, &mut report);
    progress(Progress::Found { new: new.len(), skipped: report.skipped, bytes: size(&new) });
    if new.is_empty() {
        return Ok(report);
    }
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    // Another writer may have been at work until the lock was ours.
    let new = select(new, &database.snapshot().await?.ledger().await?, &mut report);
    let of = report.done() + new.len();
    let mut bytes = 0;
    for window in windows(new, request.config.granules_per_window) {
        write_window(&mut writer, &window, &variables, request.threads, &mut report).await?;
        bytes += size(&window);
        progress(Progress::Committed { granules: report.done(), of, rows: report.rows, bytes });
    }
    Ok(report)
}

fn size(candidates: &[Candidate]) -> u64 {
    candidates.iter().map(|candidate| candidate.size_bytes).sum()
}

async fn open_or_create(request: &Request) -> Result<Database> {
    let (location, variables) = (&request.location, &request.config.variables);
    match Database::open(location).await {
        Err(isdb_store::Error::NotFound { .. }) => match Database::create(location, variables, now_ms()).await {
            // Another ingest may have created it in between; anything else there is no database, and says so.
            Err(occupied @ isdb_store::Error::Occupied { .. }) => {
                Database::open(location).await.map_err(|_| occupied.into())
            }
            created => Ok(created?),
        },
        opened => Ok(opened?),
    }
}

fn variables(request: &Request, database: &Database, snapshot: &Snapshot) -> Result<Vec<&'static Variable>> {
    if request.config_is_explicit {
        database.check_variables(snapshot, &request.config.variables)?;
    }
    Ok(stored_variables(snapshot))
}

async fn write_window(
    writer: &mut Writer,
    candidates: &[Candidate],
    variables: &[&'static Variable],
    threads: usize,
    report: &mut Report,
) -> Result<()> {
    let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let window = writer.window(count, now_ms())?;
    let ids = (0..count).map(|index| window.ingest_id(index));
    let attempts: Vec<(Id, &Candidate)> = ids.zip(candidates).collect();
    let (fragments, tallies) = run(writer, &window, &attempts, variables, threads).await?;

    let rows: Vec<LedgerRow> = attempts
        .iter()
        .map(|(id, candidate)| {
            let tally = tallies.iter().find(|tally| tally.ingest_id == id.0);
            ledger_row(*id, candidate, tally, variables)
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
    }
    Ok(())
}

/// Runs the plan of the readable candidates.
async fn run(
    writer: &Writer,
    window: &Window,
    attempts: &[(Id, &Candidate)],
    variables: &[&'static Variable],
    threads: usize,
) -> Result<(Vec<FragmentRecord>, Vec<Tally>)> {
    let readable = attempts.iter().filter(|(_, candidate)| candidate.identity.is_ok());
    let granules: Vec<PlannedGranule> =
        readable.map(|(id, candidate)| PlannedGranule { path: candidate.path.clone(), ingest_id: id.0 }).collect();
    if granules.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let target = WriteTarget {
        array: writer.database().location().segments(),
        timestamp: window.timestamp,
        first_fragment: window.fragment_id(0).0,
    };
    let plan = ingest_plan(&granules, variables, threads, target);
    let (written, tallies) = run_ingest(&plan, writer.database().context(), threads)
        .await
        .map_err(|source| Error::Window { granules: granules.len(), source })?;
    if tallies.len() != granules.len() {
        let problem = format!("the plan tells of {} granules of {}", tallies.len(), granules.len());
        return Err(Error::Window { granules: granules.len(), source: DataFusionError::Internal(problem) });
    }
    let records = written.into_iter().map(|fragment| FragmentRecord {
        id: Id(fragment.id),
        name: fragment.name,
        rows: u64::try_from(fragment.rows).unwrap_or(0),
    });
    Ok((records.collect(), tallies))
}

fn ledger_row(id: Id, candidate: &Candidate, tally: Option<&Tally>, variables: &[&'static Variable]) -> LedgerRow {
    let identity = candidate.identity.as_ref().ok();
    let unread = Tally { error: candidate.identity.as_ref().err().cloned(), ..Tally::default() };
    let tally = tally.unwrap_or(&unread);
    let state = match (&tally.error, tally.rows_kept) {
        (Some(_), _) => GranuleState::Failed,
        (None, 0) => GranuleState::Empty,
        (None, _) => GranuleState::Ingested,
    };
    let names: Vec<&str> = variables.iter().map(|variable| variable.name).collect();
    LedgerRow {
        ingest_id: id,
        granule: candidate.granule(),
        product: "ATL08".to_owned(),
        rgt: identity.and_then(|identity| identity.rgt).map(i32::from),
        cycle: identity.and_then(|identity| identity.cycle).map(i32::from),
        region: identity.and_then(|identity| identity.region).map(i32::from),
        release: identity.and_then(|identity| identity.release).map(|release| format!("{release:03}")),
        revision: identity.and_then(|identity| identity.revision).map(|revision| format!("{revision:02}")),
        subset: identity.map(|identity| identity.subset),
        start_time: identity.and_then(|identity| identity.start).and_then(|seconds| seconds.checked_mul(1_000_000_000)),
        source: std::path::absolute(&candidate.path)
            .unwrap_or_else(|_| candidate.path.clone())
            .to_string_lossy()
            .into_owned(),
        size_bytes: i64::try_from(candidate.size_bytes).unwrap_or(i64::MAX),
        variables: names.join(" "),
        rows_read: tally.rows_read,
        rows_kept: tally.rows_kept,
        rows_rejected: tally.rows_rejected,
        missing_variables: tally.missing_variables.clone(),
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
