//! What an ingest would do: the same search, the same verdicts, the same windows and the same plan, and nothing is changed.

use isdb_pipeline::{Resources, explain};
use isdb_schema::ledger::GranuleState;
use isdb_store::{Database, Id, LedgerRow, Window};

use crate::again::owed;
use crate::areas::Areas;
use crate::attempt::ledger_row;
use crate::error::Result;
use crate::ingest::{Request, check_filters, looked_at};
use crate::plan::attempts_of;
use crate::region::Regions;
use crate::release::check_release;
use crate::report::Report;
use crate::select::{Attempt, size};
use crate::standing::Standing;
use crate::taken::{State, Taken};
use crate::wanted::{Terms, Wanted};
use crate::window::windows;

/// What an ingest would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Whether there is no database yet.
    pub is_new: bool,
    /// What would be taken of granules.
    pub terms: Terms,
    /// Which segments would be kept by their position.
    pub regions: Regions,
    /// What would be left out.
    pub report: Report,
    /// What would be ingested, in the order of its commits.
    pub windows: Vec<PlannedWindow>,
    /// Files that wait for better ones of the same granules, and would be held against what those leave in the database.
    pub waiting: usize,
    /// Files that would be read again after these, since they left segments to what would be replaced.
    pub again: Vec<String>,
    /// The plan of the first window as EXPLAIN prints it; None when there is nothing to ingest.
    pub plan: Option<String>,
}

/// A window that would be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedWindow {
    /// Its granules, those that cannot be read included.
    pub granules: usize,
    /// Size of their files.
    pub bytes: u64,
    /// When its first and its last granule begin, in seconds since 1970; None where no granule tells.
    pub span: Option<(i64, i64)>,
    /// The granules that replace what is stored, and why.
    pub replaced: Vec<(String, String)>,
    /// Files that cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Looks what `request` would do. No database is created, no lock taken, nothing written.
///
/// # Errors
/// As for [`ingest`](fn@crate::ingest).
pub async fn dry_run(request: &Request) -> Result<Preview> {
    let mut report = Report::default();
    let (bound, candidates) = looked_at(request, &mut report).await?;
    let database = match Database::open(&request.location).await {
        Err(isdb_store::Error::NotFound { .. }) => None,
        opened => Some(opened?),
    };
    let snapshot = match &database {
        Some(database) => Some(database.snapshot().await?),
        None => None,
    };
    let ledger = match &snapshot {
        Some(snapshot) => snapshot.ledger().await?,
        None => Vec::new(),
    };
    let standing = Standing::of(&ledger);
    if !request.replace_release {
        check_release(&candidates, &standing)?;
    }
    let mut taken = match &database {
        Some(database) => {
            let areas = Areas::of(database, &ledger).await?.without_keeping();
            Taken::of(request, &bound, database, &standing, areas).await?
        }
        None => Taken::of_new(request, bound).await?,
    };
    let state = State { ledger: &ledger, standing: &standing, snapshot: snapshot.as_ref() };
    let selected = taken.round(candidates, state, request, None, &mut report).await?;
    let again = again_after(&ledger, &standing, &selected.now, &taken.wanted);
    let attempts = selected.now.iter().map(|attempt| &attempt.candidate);
    check_filters(attempts.chain(&selected.later), &taken.selection.filters())?;
    let found = windows(selected.now, request.window);
    let plan = match found.first() {
        Some(first) => {
            // A real window comes from the writer, who has the lock; this one is of nobody, and its ids are too.
            let window = Window::for_dry_run(attempts_of(first));
            let spill = request.location.spill();
            let resources = Resources { threads: request.threads, memory: request.memory, spill };
            let plan = taken.plan(first, window, &request.location, snapshot.as_ref(), &resources).await?;
            Some(explain(&plan))
        }
        None => None,
    };
    Ok(Preview {
        is_new: database.is_none(),
        terms: taken.terms(),
        regions: taken.region.told(),
        report,
        windows: found.iter().map(|window| planned(window)).collect(),
        waiting: selected.later.len(),
        again,
        plan,
    })
}

/// The files that have to be read again once `attempts` have succeeded, and that need not be read again before.
fn again_after(ledger: &[LedgerRow], standing: &Standing<'_>, attempts: &[Attempt], wanted: &Wanted) -> Vec<String> {
    let last = ledger.iter().map(|row| row.ingest_id.0).max().unwrap_or(0);
    let done = |(id, attempt): (i64, &Attempt)| LedgerRow {
        state: GranuleState::Ingested,
        ..ledger_row(Id(id), attempt, wanted, None)
    };
    let after: Vec<LedgerRow> =
        ledger.iter().cloned().chain((last.saturating_add(1)..).zip(attempts).map(done)).collect();
    let (before, standing_after) = (owed(ledger, standing), Standing::of(&after));
    let owed = owed(&after, &standing_after);
    let new = standing_after.rows().filter(|row| owed.contains(&row.ingest_id) && !before.contains(&row.ingest_id));
    let mut sources: Vec<String> = new.map(|row| row.source.clone()).collect();
    sources.sort();
    sources
}

fn planned(attempts: &[Attempt]) -> PlannedWindow {
    let identities = attempts.iter().filter_map(|attempt| attempt.candidate.identity.as_ref().ok());
    let starts = || identities.clone().filter_map(|identity| identity.start);
    let replaced = attempts.iter().filter(|attempt| attempt.taking.is_replacement());
    let unreadable = attempts.iter().filter_map(|attempt| {
        let error = attempt.candidate.identity.as_ref().err()?;
        Some((attempt.candidate.path.display().to_string(), error.clone()))
    });
    PlannedWindow {
        granules: attempts.len(),
        bytes: size(attempts),
        span: starts().min().zip(starts().max()),
        replaced: replaced
            .map(|attempt| (attempt.candidate.granule(), attempt.taking.note().unwrap_or_default()))
            .collect(),
        unreadable: unreadable.collect(),
    }
}
