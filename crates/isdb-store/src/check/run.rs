//! The check of a database, part by part.

use std::collections::{BTreeMap, BTreeSet};

use super::fragments::Fragments;
use super::ledger::{Ledger, check_ledger, check_tagged_files};
use super::log::check_log;
use super::report::{CheckProgress, CheckReport, Damage, Remedy};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::location::Location;
use crate::id::Id;
use crate::ledger::contents::ContentEntry;
use crate::ledger::file::LedgerFileKind;
use crate::log::changes::DeadAttempt;
use crate::log::state::LogState;

/// The most attempts that one damage names.
const MAX_ATTEMPTS: usize = 3;

/// Reads everything that the database at `location` consists of: the log, the ledger, and every value of every visible fragment. Nothing
/// is changed. A database that libtiledb cannot open is checked as well. `progress` is called before each fragment.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Expired`] when a vacuum removed files during the check; other errors when something cannot be read now
/// although it may be whole.
pub async fn check(location: &Location, mut progress: impl FnMut(CheckProgress)) -> Result<CheckReport> {
    if !location.root().is_dir() {
        return Err(Error::NotFound { uri: location.uri() });
    }
    check_database(&Database::unread(location)?, &mut progress).await
}

pub(crate) async fn check_database(
    database: &Database,
    progress: &mut impl FnMut(CheckProgress),
) -> Result<CheckReport> {
    let mut report = CheckReport { commit: database.log().newest_number()?, ..CheckReport::default() };
    if report.commit == 0 {
        return Err(Error::NotFound { uri: database.location().uri() });
    }
    let Some(state) = check_log(database, &mut report).await? else { return Ok(report) };
    report.commit = state.number;
    let mut ledger = check_ledger(database, &state, &mut report).await?;
    let fragments = Fragments::list(database, &state).await?;
    if fragments.check_schema(&mut report).await? {
        fragments.check_live(&mut ledger, &mut report, progress).await?;
        fragments.check_others(&mut report).await?;
        for (tag, kept) in &state.tags {
            // A state that the log has lost is reported with its commit.
            if let Ok(tagged) = database.log().state_at(kept.commit).await {
                fragments.check_tagged(&tagged, tag, &mut report).await?;
                check_tagged_files(database, &state, &tagged, tag, &mut report).await?;
            }
        }
        fragments.check_consolidated(&mut report).await?;
        balance(database, &state, &ledger, &mut report);
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
