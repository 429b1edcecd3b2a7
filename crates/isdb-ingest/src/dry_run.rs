//! What an ingest would do: the same search, the same verdicts, the same windows and the same plan, and nothing is changed.

use isdb_datafusion::{Resources, explain};
use isdb_store::{Database, Window};

use crate::areas::Areas;
use crate::error::Result;
use crate::ingest::{Request, check_filters, looked_at};
use crate::region::Regions;
use crate::release::check_release;
use crate::report::Report;
use crate::select::{Attempt, size};
use crate::standing::Standing;
use crate::taken::Taken;
use crate::wanted::Terms;
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
    let selected = taken.round(candidates, &standing, request, None, &mut report).await;
    let attempts = selected.now.iter().map(|attempt| &attempt.candidate);
    check_filters(attempts.chain(&selected.later), &taken.selection.filters())?;
    let found = windows(selected.now, request.window);
    let plan = match found.first() {
        Some(first) => {
            // A real window comes from the writer, who has the lock; this one is of nobody, and its ids are too.
            let window = Window::to_show(u32::try_from(first.len()).unwrap_or(u32::MAX));
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
        plan,
    })
}

fn planned(attempts: &[Attempt]) -> PlannedWindow {
    let identities = attempts.iter().filter_map(|attempt| attempt.candidate.identity.as_ref().ok());
    let starts = || identities.clone().filter_map(|identity| identity.start);
    let replaced = attempts.iter().filter(|attempt| !attempt.taking.replaces.is_empty());
    let unreadable = attempts.iter().filter_map(|attempt| {
        let error = attempt.candidate.identity.as_ref().err()?;
        Some((attempt.candidate.path.display().to_string(), error.clone()))
    });
    PlannedWindow {
        granules: attempts.len(),
        bytes: size(attempts),
        span: starts().min().zip(starts().max()),
        replaced: replaced
            .map(|attempt| {
                let why = attempt.taking.why.map(|why| why.to_string());
                (attempt.candidate.granule(), why.unwrap_or_default())
            })
            .collect(),
        unreadable: unreadable.collect(),
    }
}
