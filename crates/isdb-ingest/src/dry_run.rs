//! A dry run: the same candidates, decisions, windows and execution plan as an ingest, without any change.

use isdb_pipeline::{Resources, explain};
use isdb_schema::ledger::GranuleState;
use isdb_store::{Database, Id, LedgerRow, Window};

use crate::decide::areas::Areas;
use crate::decide::attempt_plan::{PlannedAttempt, planned_bytes};
use crate::decide::database_state::DatabaseState;
use crate::decide::fingerprint::Fingerprint;
use crate::decide::ledger::Ledger;
use crate::decide::plan::{Plan, check_candidates};
use crate::decide::reread::attempts_to_reread;
use crate::error::Result;
use crate::find::find_candidates;
use crate::report::IngestReport;
use crate::request::IngestRequest;
use crate::request::region::Regions;
use crate::request::summary::SelectionSummary;
use crate::run::ledger_rows::ledger_row;
use crate::run::resources::check_spill;
use crate::run::window_plan::{count_attempts, window_plan};
use crate::run::windows::windows;

/// What an ingest would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Whether the database would be created.
    pub is_new: bool,
    /// The selection that would be stored of each granule.
    pub selection: SelectionSummary,
    /// The region in which segments would be kept.
    pub regions: Regions,
    /// The files that would be skipped, or have failed already.
    pub report: IngestReport,
    /// What would be ingested, in the order of commits.
    pub windows: Vec<PlannedWindow>,
    /// Files that wait for better files of the same granules, and would be decided on after these.
    pub waiting: usize,
    /// Files that would be read again after these, because they left segments to attempts that would be replaced.
    pub reread: Vec<String>,
    /// The execution plan of the first window as EXPLAIN prints it; None if there is nothing to ingest.
    pub plan: Option<String>,
}

/// A window that would be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedWindow {
    /// The number of its granules, unreadable ones included.
    pub granules: usize,
    /// The size of their files in bytes.
    pub bytes: u64,
    /// When its first and its last granule begin, in seconds since 1970; None if it is not known for any granule.
    pub span: Option<(i64, i64)>,
    /// The granules that replace stored ones, and why.
    pub replaced: Vec<(String, String)>,
    /// Files that cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Returns what the ingest of `request` would do. Creates no database, takes no lock and writes nothing.
///
/// # Errors
/// As for [`ingest`](fn@crate::ingest).
pub async fn dry_run(request: &IngestRequest) -> Result<Preview> {
    let mut report = IngestReport::default();
    let bound = request.selection.bind()?;
    check_spill(request.spill.as_deref())?;
    let candidates = find_candidates(request, &mut report).await?;
    check_candidates(request, &candidates, &bound.filters())?;

    let mut state = match Database::open(&request.location).await {
        Err(isdb_store::Error::NotFound { .. }) => DatabaseState::default(),
        opened => DatabaseState::read(&opened?).await?,
    };
    let areas = Areas::read(&state).await?.without_storage();
    let mut plan = Plan::prepare(request, &bound, &state, areas, &candidates).await?;
    let round = plan.decide_first(candidates, &state, &mut report).await?;
    let reread = reread_afterwards(&mut state.ledger, &round.now, &plan.fingerprint);
    let waiting = round.later.len();
    let windows = windows(round.now, request.window);
    let first_plan = match windows.first() {
        Some(first) => {
            // The window of a run comes from the writer, which has the lock; the ids of this one are not used.
            let window = Window::for_dry_run(count_attempts(first));
            let spill = request.spill.clone().unwrap_or_else(|| request.location.spill());
            let resources = Resources { threads: request.threads, memory: request.memory, spill };
            Some(explain(
                &window_plan(&mut plan, first, window, &request.location, state.snapshot.as_ref(), &resources).await?,
            ))
        }
        None => None,
    };
    Ok(Preview {
        is_new: state.database.is_none(),
        selection: plan.summary(),
        regions: plan.region.describe(),
        report,
        windows: windows.iter().map(|window| planned_window(window)).collect(),
        waiting,
        reread,
        plan: first_plan,
    })
}

/// Returns the files that would have to be read again once `attempts` have succeeded, except files that already have to
/// be read again. Adds these attempts to `ledger`.
fn reread_afterwards(ledger: &mut Ledger, attempts: &[PlannedAttempt], fingerprint: &Fingerprint) -> Vec<String> {
    let before = attempts_to_reread(ledger);
    let last = ledger.attempts().last().map_or(0, |attempt| attempt.ingest_id.0);
    for (id, attempt) in (last.saturating_add(1)..).zip(attempts) {
        let row = ledger_row(Id(id), attempt, fingerprint, None);
        ledger.add(LedgerRow { state: GranuleState::Ingested, ..row });
    }
    let new = attempts_to_reread(ledger).into_iter().filter(|id| !before.contains(id));
    let mut sources: Vec<String> = new.filter_map(|id| Some(ledger.get(id)?.source.to_string())).collect();
    sources.sort();
    sources
}

fn planned_window(attempts: &[PlannedAttempt]) -> PlannedWindow {
    let identities = attempts.iter().filter_map(|attempt| attempt.candidate.identity.as_ref().ok());
    let starts = || identities.clone().filter_map(|identity| identity.start);
    let replaced = attempts.iter().filter(|attempt| attempt.plan.is_replacement());
    let unreadable = attempts.iter().filter_map(|attempt| {
        let error = attempt.candidate.identity.as_ref().err()?;
        Some((attempt.candidate.path.display().to_string(), error.clone()))
    });
    PlannedWindow {
        granules: attempts.len(),
        bytes: planned_bytes(attempts),
        span: starts().min().zip(starts().max()),
        replaced: replaced
            .map(|attempt| (attempt.candidate.granule(), attempt.plan.note().unwrap_or_default()))
            .collect(),
        unreadable: unreadable.collect(),
    }
}
