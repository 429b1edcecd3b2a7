//! The check of a database, part by part.

use std::collections::{BTreeMap, BTreeSet};

use arrow::temporal_conversions::timestamp_ns_to_datetime;

use super::consolidated::check_consolidated;
use super::fragments::FragmentCheck;
use super::ledger::{Ledger, check_ledger};
use super::log::check_log;
use super::report::{CheckProgress, CheckReport, Damage, Remedy};
use super::tags::check_tags;
use crate::blocking::blocking;
use crate::copy::marker::Marker;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::location::{Location, SEGMENTS};
use crate::fragment::Bounds;
use crate::id::Id;
use crate::ledger::contents::ContentEntry;
use crate::ledger::file::LedgerFileKind;
use crate::ledger::files::LEDGER;
use crate::log::changes::DeadAttempt;
use crate::log::state::LogState;

/// The most attempts that one damage names.
const MAX_ATTEMPTS: usize = 3;

/// Reads everything that the database at `location` consists of: the log, the ledger, and every value of every visible fragment. Nothing
/// is changed. A database that libtiledb cannot open is checked as well. `progress` is called at the beginning and after each fragment.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::UnfinishedCopy`]; [`Error::LostLog`]; [`Error::OtherFormat`]; [`Error::Expired`] when a vacuum removed files during the check; other
/// errors when something cannot be read now although it may be whole.
pub async fn check(location: &Location, mut progress: impl FnMut(CheckProgress)) -> Result<CheckReport> {
    check_database(&Database::unread(&location.uncached())?, &mut progress).await
}

pub(crate) async fn check_database(
    database: &Database,
    progress: &mut impl FnMut(CheckProgress),
) -> Result<CheckReport> {
    if let Some(marker) = Marker::read(database.location()).await? {
        return Err(marker.unfinished(database.location()));
    }
    database.log().check_format().await?;
    let mut report = CheckReport { commit: database.log().newest_number().await?, ..CheckReport::default() };
    if report.commit == 0 {
        return Err(database.without_log().await);
    }
    let Some(state) = check_log(database, &mut report).await? else { return Ok(report) };
    report.commit = state.number;
    let mut ledger = check_ledger(database, &state, &mut report).await?;
    if !check_array(database, &state, &mut ledger, &mut report, progress).await? {
        give_up_data(database, &mut report);
    }
    if !report.is_sound() {
        let newest = database.newest().await?;
        let horizon = newest.horizon.max(newest.deleting);
        if horizon > state.number {
            return Err(Error::Expired { uri: database.location().uri(), commit: state.number, horizon });
        }
    }
    Ok(report)
}

/// Checks the array and what only tags need. Returns false if no fragment can be judged.
async fn check_array(
    database: &Database,
    state: &LogState,
    ledger: &mut Ledger,
    report: &mut CheckReport,
    progress: &mut impl FnMut(CheckProgress),
) -> Result<bool> {
    let segments = database.location().segments();
    let location = database.location().clone();
    if blocking(move || is_lost(&location)).await? {
        let problem = "the folder of the array does not exist";
        let granules = ledger.granules(ledger.current().keys(), &LogState::default());
        report.damages.push(Damage { granules, ..Damage::new(segments, problem, Remedy::Rebuild) });
        return Ok(false);
    }
    let mut fragments = FragmentCheck::list(database, state).await?;
    if !fragments.check_schema(report).await? {
        return Ok(false);
    }
    fragments.check_live(ledger, report, progress).await?;
    let live = state.segments.live.len();
    if live > 0 && live == report.repairs.dropped.len() && !report.repairs.array_files.is_empty() {
        // Schemas that do not fit the fragments repair nothing: the fragments may be whole.
        report.damages.retain(|damage| damage.remedy != Remedy::Drop);
        return Ok(false);
    }
    fragments.check_others(report).await?;
    check_tags(&fragments, database, state, report).await?;
    check_consolidated(&fragments, database, report).await?;
    balance(database, state, ledger, report);
    Ok(true)
}

/// Whether the array has no files at all. Blocks.
fn is_lost(location: &Location) -> Result<bool> {
    match location.folder() {
        Some(folder) => Ok(!folder.join(SEGMENTS).is_dir()),
        None => Ok(location.names(SEGMENTS)?.is_empty()),
    }
}

/// Leaves a repair only the log: without the array it is unknown which segments a lost ledger row has left.
fn give_up_data(database: &Database, report: &mut CheckReport) {
    report.repairs = std::mem::take(&mut report.repairs).of_log();
    let data = [SEGMENTS, LEDGER].map(|part| database.location().child(part));
    let is_data = |damage: &&mut Damage| data.iter().any(|part| damage.path.starts_with(part));
    for damage in report.damages.iter_mut().filter(is_data) {
        damage.remedy = Remedy::Rebuild;
    }
}

/// Compares what each attempt has stored with what is left of it, and completes the repairs.
fn balance(database: &Database, state: &LogState, ledger: &Ledger, report: &mut CheckReport) {
    let repairs = &mut report.repairs;
    let kept = || ledger.contents.iter().filter(|(fragment, _)| !repairs.dropped.contains_key(fragment));
    let is_dead = |attempt: &Id| state.dead_attempts.get(attempt).is_some();
    let mut stored: BTreeMap<Id, u64> = BTreeMap::new();
    let mut without_row: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    for (fragment, contents) in kept() {
        for (attempt, rows) in contents.iter().filter(|(attempt, _)| !is_dead(attempt)) {
            *stored.entry(*attempt).or_default() += rows;
            if !ledger.has(*attempt) {
                without_row.entry(*attempt).or_default().insert(*fragment);
            }
        }
    }
    let current = ledger.current();
    let is_incomplete = |(id, rows): &(&Id, &u64)| stored.get(id).copied().unwrap_or(0) != **rows;
    let incomplete: BTreeSet<Id> = current.iter().filter(is_incomplete).map(|(id, _)| *id).collect();
    let contents: Vec<ContentEntry> = kept()
        .filter(|(fragment, _)| repairs.rewrite_contents || repairs.counted.contains(fragment))
        .flat_map(|(fragment, contents)| contents.iter().map(|(attempt, rows)| (*fragment, *attempt, *rows)))
        .map(|(fragment, attempt, rows)| ContentEntry { attempt, fragment, rows })
        .collect();
    repairs.contents = contents;
    if repairs.rewrite_contents {
        let files = state.ledger.live_of(LedgerFileKind::Contents).map(|file| file.name.clone());
        repairs.ledger_files.extend(files);
    }
    let has_lost_files = !repairs.ledger_files.is_empty();
    repairs.reread = incomplete.difference(&state.reread).copied().collect();
    describe_lost_rows(state, ledger, &without_row, &stored, report);
    let repairs = &mut report.repairs;
    repairs.dead_attempts = without_row.into_iter().map(|(id, fragments)| DeadAttempt { id, fragments }).collect();
    report.incomplete = ledger.granules(&(&state.reread & &incomplete), &LogState::default());

    // What no damaged file explains is a damage of its own.
    let explained: BTreeSet<Id> =
        repairs.dropped.keys().filter_map(|id| ledger.contents.get(id)).flat_map(BTreeMap::keys).copied().collect();
    let unexplained: Vec<Id> = repairs.reread.difference(&explained).copied().collect();
    let mut found: Vec<Damage> = Vec::new();
    let mut add = |problem: String, remedy: Remedy, granules: Vec<String>| {
        found.push(Damage { granules, ..Damage::new(database.location().segments(), problem, remedy) });
    };
    if !has_lost_files && !unexplained.is_empty() {
        let describe = |id: &Id| {
            let [expected, found] = [&current, &stored].map(|rows| rows.get(id).copied().unwrap_or(0));
            format!("expected {expected} segments of attempt {id}, found {found}")
        };
        let problems: Vec<String> = unexplained.iter().take(MAX_ATTEMPTS).map(describe).collect();
        add(problems.join("; "), Remedy::Reread, ledger.granules(&unexplained, &LogState::default()));
    }
    if !has_lost_files && let Some(dead) = repairs.dead_attempts.first() {
        let problem = format!("expected a ledger row of attempt {}, found none", dead.id);
        add(problem, Remedy::Drop, Vec::new());
    }
    if !has_lost_files && !repairs.contents.is_empty() {
        add("expected contents of every fragment in the ledger, found none".to_owned(), Remedy::Restore, Vec::new());
    }
    report.damages.append(&mut found);
}

/// Adds to the damage of each file with lost ledger rows what is known about them: when they were written, the times of the segments that
/// they leave behind, and the granules of earlier attempts that were replaced by them and are the current ones without them.
fn describe_lost_rows(
    state: &LogState,
    ledger: &Ledger,
    without_row: &BTreeMap<Id, BTreeSet<Id>>,
    stored: &BTreeMap<Id, u64>,
    report: &mut CheckReport,
) {
    let dropped = report.repairs.dropped.keys().filter_map(|id| ledger.contents.get(id)).flat_map(BTreeMap::keys);
    let dropped: BTreeSet<Id> = dropped.copied().collect();
    let mut earlier = ledger.granules(report.repairs.reread.difference(&dropped), &LogState::default());
    for (at, file) in &ledger.lost {
        let Some(damage) = report.damages.get_mut(*at) else { continue };
        let of_file = || without_row.range(file.ingest_ids.0..=file.ingest_ids.1);
        let segments: u64 = of_file().filter_map(|(attempt, _)| stored.get(attempt)).sum();
        let fragments = of_file().flat_map(|(_, fragments)| fragments).filter_map(|id| state.segments.live.get(id));
        let bounds = Bounds::around(fragments.map(|fragment| fragment.record.bounds));
        let born = state.ledger.live.get(&file.name).map_or(0, |(_, born)| *born);
        let left = match bounds {
            Some(Bounds { time: (first, last), .. }) => {
                let attempts = of_file().count();
                format!("{segments} segments of {attempts} attempts, from {} to {}", date(first), date(last))
            }
            None => "no segments".to_owned(),
        };
        damage.problem =
            format!("{}; it had {} rows, written by commit {born}, which leave {left}", damage.problem, file.rows);
        damage.granules = std::mem::take(&mut earlier);
    }
}

/// The date of an instant in nanoseconds since 1970.
fn date(instant: i64) -> String {
    timestamp_ns_to_datetime(instant).map_or_else(|| instant.to_string(), |time| time.date().to_string())
}
