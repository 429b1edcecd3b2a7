//! The ingest of local files: find, leave out what is done, then window by window plan, run, commit.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use isdb_datafusion::{
    PlannedGranule, Selection, Tally, WriteTarget, ingest_plan, releases_fit, run_ingest, stored_keys,
};
use isdb_schema::catalogue::variable;
use isdb_schema::filters::Rule;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Changes, FragmentRecord, Id, LedgerRow, Location, Window, Writer};

use crate::asked::Asked;
use crate::attempt::{ledger_row, planned};
use crate::checksum::add_checksums;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::find::find_granules;
use crate::identify::{Candidate, identify_all};
use crate::release::{check_release, is_all_or_nothing};
use crate::report::{Progress, Report};
use crate::select::{Attempt, Selected, doubtful, select};
use crate::standing::Standing;
use crate::verdict::Rules;
use crate::wanted::Wanted;
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
    let may_refilter = |standing: &Standing<'_>| request.refilter || !standing.has_segments();
    let (selection, _) = request.asked.selection(&bound, &database, may_refilter(&standing)).await?;
    let filters = selection.filters();
    progress(Progress::Filters { names: filters.iter().map(|rule| rule.predicate.name.clone()).collect() });

    let mut report = Report::default();
    let wanted = Wanted::of(&selection, None);
    let selected = round(candidates, &standing, &request, &wanted, None, &mut report).await;
    let mut candidates = selected.candidates();
    check_releases(&candidates, &filters)?;
    progress(Progress::Found { new: candidates.len(), skipped: report.skipped(), bytes: size(&candidates) });
    if candidates.is_empty() {
        return Ok(report);
    }
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    // Another writer may have been at work until the lock was ours, and have brought in granules or variables.
    let snapshot = database.snapshot().await?;
    let since = u32::try_from(snapshot.commit().epoch).ok().map(|epoch| Id::new(epoch, 0));
    let ledger = snapshot.ledger().await?;
    let may_refilter = may_refilter(&Standing::of(&ledger));
    let (selection, mut refiltered) = request.asked.selection(&bound, &database, may_refilter).await?;
    let wanted = Wanted::of(&selection, None);
    let mut bytes = 0;
    while !candidates.is_empty() {
        let ledger = database.snapshot().await?.ledger().await?;
        let selected = round(candidates, &Standing::of(&ledger), &request, &wanted, since, &mut report).await;
        let of = report.done() + selected.now.len() + selected.later.len();
        candidates = selected.later;
        for mut window in windows(selected.now, request.granules_per_window) {
            add_checksums(window.iter_mut().map(|attempt| &mut attempt.candidate), request.threads).await;
            let read = |candidate: &Candidate| {
                bytes += candidate.size_bytes;
                progress(Progress::Read { bytes });
            };
            let taken = Taken { selection: &selection, wanted: &wanted, filters: refiltered.take() };
            write_window(&mut writer, &window, taken, request.threads, &mut report, read).await?;
            progress(Progress::Committed { granules: report.done(), of, rows: report.rows });
        }
    }
    Ok(report)
}

/// What becomes of `candidates`, those that need no attempt told in `report`.
async fn round(
    mut candidates: Vec<Candidate>,
    standing: &Standing<'_>,
    request: &Request,
    wanted: &Wanted,
    since: Option<Id>,
    report: &mut Report,
) -> Selected {
    add_checksums(doubtful(&mut candidates, standing), request.threads).await;
    let rules = Rules { wanted, covers: &|_, _| false, retry: request.retry, since };
    let mut selected = select(candidates, standing, &rules);
    report.leave_out(&selected.skipped, std::mem::take(&mut selected.failed_before));
    selected
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

/// What is taken of the granules of a window, and the filters that the database changes to with it.
struct Taken<'a> {
    selection: &'a Selection,
    wanted: &'a Wanted,
    filters: Option<Vec<Rule>>,
}

async fn write_window(
    writer: &mut Writer,
    attempts: &[Attempt],
    taken: Taken<'_>,
    threads: usize,
    report: &mut Report,
    read: impl FnMut(&Candidate),
) -> Result<()> {
    let count = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
    let window = writer.window(count, now_ms())?;
    let ids = (0..count).map(|index| window.ingest_id(index));
    let numbered: Vec<(Id, &Attempt)> = ids.zip(attempts).collect();
    let (mut fragments, tallies) = run(writer, &window, &numbered, taken.selection, threads, read).await?;

    let mut rows: Vec<LedgerRow> =
        numbered.iter().map(|(id, attempt)| ledger_row(*id, attempt, taken.wanted, None)).collect();
    for row in rows.iter_mut().filter(|row| row.error.is_none()) {
        if let Some(tally) = tallies.iter().find(|tally| tally.ingest_id == row.ingest_id.0) {
            complete(row, tally);
        }
    }
    if is_all_or_nothing(attempts) && give_up_together(&mut rows) {
        fragments.clear();
    }
    let changes = Changes { fragments, ledger: rows.clone(), filters: taken.filters };
    writer.commit(window, changes).await?;
    rows.iter().zip(attempts).for_each(|(row, attempt)| report.tell(row, attempt));
    Ok(())
}

/// Fills in what the plan tells of a granule.
fn complete(row: &mut LedgerRow, tally: &Tally) {
    row.state = match (&tally.error, tally.rows_kept) {
        (Some(_), _) => GranuleState::Failed,
        (None, 0) => GranuleState::Empty,
        (None, _) => GranuleState::Ingested,
    };
    if row.state == GranuleState::Failed {
        row.replaces.clear();
    }
    row.rows_read = tally.rows_read;
    row.rows_kept = tally.rows_kept;
    row.rows_rejected = tally.rows_rejected;
    row.rows_removed = tally.rows_removed;
    row.removed_by.clone_from(&tally.removed);
    row.beams_read = tally.beams_read;
    row.beams_empty = tally.beams_empty;
    row.beams_missing = tally.beams_missing;
    row.missing_variables = missing(tally, row.release.as_deref().and_then(|release| release.parse().ok()));
    let notes: Vec<String> = row.notes.iter().chain(&tally.notes).cloned().collect();
    row.notes = (!notes.is_empty()).then(|| notes.join("; "));
    row.stage.clone_from(&tally.stage);
    row.error.clone_from(&tally.error);
}

/// The variables that the granule lacks though its release has them; all that it lacks if the release is not known.
fn missing(tally: &Tally, release: Option<u16>) -> Option<String> {
    let is_of_release = |name: &&str| match (variable(name), release) {
        (Some(variable), Some(release)) => variable.releases.contains(release),
        _ => true,
    };
    let names: Vec<&str> = tally.missing_variables.as_deref()?.split(' ').filter(is_of_release).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// When a granule has failed, the others fail with it; true if so.
fn give_up_together(rows: &mut [LedgerRow]) -> bool {
    let failed = rows.iter().find(|row| row.state == GranuleState::Failed).map(|row| row.granule.clone());
    let Some(failed) = failed else { return false };
    for row in rows.iter_mut().filter(|row| row.state.is_done()) {
        row.state = GranuleState::Failed;
        row.rows_kept = 0;
        row.replaces.clear();
        row.error = Some(format!("not replaced, since {failed} of the same window failed"));
    }
    true
}

/// Runs the plan of the readable files.
async fn run(
    writer: &Writer,
    window: &Window,
    attempts: &[(Id, &Attempt)],
    selection: &Selection,
    threads: usize,
    mut read: impl FnMut(&Candidate),
) -> Result<(Vec<FragmentRecord>, Vec<Tally>)> {
    let readable = attempts.iter().filter(|(_, attempt)| attempt.candidate.identity.is_ok());
    let granules: Vec<PlannedGranule> = readable.map(|(id, attempt)| planned(*id, attempt)).collect();
    if granules.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let target = WriteTarget {
        array: writer.database().location().segments(),
        timestamp: window.timestamp,
        first_fragment: window.fragment_id(0).0,
    };
    let failed = |source| Error::Window { granules: granules.len(), source };
    let merged: Vec<i64> = granules.iter().flat_map(|granule| granule.merges_with.clone()).collect();
    let snapshot = writer.database().snapshot().await?;
    let stored = stored_keys(&snapshot, &merged).await.map_err(Error::Selection)?;
    let plan = ingest_plan(&granules, selection, stored, threads, target).map_err(failed)?;
    let told = |tally: &Tally| {
        attempts.iter().filter(|(id, _)| id.0 == tally.ingest_id).for_each(|(_, attempt)| read(&attempt.candidate));
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
