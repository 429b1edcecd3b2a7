//! The check of the ledger's files, and what the attempts in them have stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::problem::problem_of;
use super::report::{CheckReport, Damage, Remedy};
use super::tag_loss::{LOSES_LEDGER, loss_of_tags};
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::areas::load_area;
use crate::files::location::Location;
use crate::id::Id;
use crate::ledger::contents::{ContentEntry, read_contents};
use crate::ledger::file::{LedgerFile, LedgerFileKind};
use crate::ledger::files::ledger_path;
use crate::ledger::row::LedgerRow;
use crate::ledger::rows::read_rows;
use crate::log::commit::NO_REGION;
use crate::log::state::LogState;

/// What the readable files of the ledger say.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    attempts: HashMap<Id, Attempt>,
    /// Attempts that others replaced.
    replaced: HashSet<Id>,
    /// The rows of each attempt in each live fragment.
    pub(super) contents: BTreeMap<Id, BTreeMap<Id, u64>>,
    /// Files whose rows are lost, each with the place of its damage in the report.
    pub(super) lost: Vec<(usize, LedgerFile)>,
    /// Names of areas.
    areas: BTreeSet<String>,
}

#[derive(Debug)]
struct Attempt {
    granule: String,
    rows_kept: u64,
    is_done: bool,
}

/// The content of one file.
pub(super) enum Content {
    Rows(Vec<LedgerRow>),
    Contents(Vec<ContentEntry>),
}

/// Reads all live files of the ledger in `state`, and adds what is damaged to `report`.
pub(super) async fn check_ledger(database: &Database, state: &LogState, report: &mut CheckReport) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut lost = Vec::new();
    let files: Vec<LedgerFile> = state.ledger.live.into_iter().map(|(_, (file, _))| file.clone()).collect();
    for file in files {
        match read(database.location(), &file).await? {
            Ok(content) => {
                report.ledger_files += 1;
                ledger.add(content, state);
            }
            Err(problem) => {
                report.repairs.ledger_files.insert(file.name.clone());
                lost.push((file, problem));
            }
        }
    }
    ledger.recover(database, state, lost, report).await?;
    ledger.areas.extend(state.region.clone().filter(|area| area != NO_REGION));
    for area in &ledger.areas {
        if let Err(error) = load_area(database.log().objects(), area).await {
            report.damages.push(Damage::new(database.location().child(area), problem_of(error)?, Remedy::Rebuild));
        }
    }
    Ok(ledger)
}

/// Checks that the file can be read and has the recorded rows; the inner error describes the damage.
pub(super) async fn read(location: &Location, file: &LedgerFile) -> Result<Result<Content, String>> {
    let (location, file) = (location.clone(), file.clone());
    let read = move || {
        let content = match file.kind {
            LedgerFileKind::Granules => Content::Rows(read_rows(&location, std::slice::from_ref(&file))?),
            LedgerFileKind::Contents => Content::Contents(read_contents(&location, std::slice::from_ref(&file))?),
        };
        let found = match &content {
            Content::Rows(rows) => rows.len(),
            Content::Contents(entries) => entries.len(),
        };
        if found as u64 == file.rows {
            return Ok(content);
        }
        let problem = format!("expected {} rows, found {found}", file.rows);
        Err(Error::Damaged { object: file.name.clone(), problem })
    };
    match blocking(read).await {
        Ok(content) => Ok(Ok(content)),
        Err(error) => problem_of(error).map(Err),
    }
}

impl Ledger {
    fn add(&mut self, content: Content, state: &LogState) {
        match content {
            Content::Rows(rows) => rows.into_iter().for_each(|row| self.add_row(row)),
            Content::Contents(entries) => {
                for ContentEntry { attempt, fragment, rows } in entries {
                    if state.segments.live.get(&fragment).is_some() {
                        self.contents.entry(fragment).or_default().insert(attempt, rows);
                    }
                }
            }
        }
    }

    fn add_row(&mut self, row: LedgerRow) {
        self.replaced.extend(&row.replaces);
        self.areas.extend(row.area.filter(|area| !self.areas.contains(area)));
        let rows_kept = u64::try_from(row.rows_kept).unwrap_or(0);
        let attempt = Attempt { granule: row.granule, rows_kept, is_done: row.state.is_done() };
        self.attempts.insert(row.ingest_id, attempt);
    }

    /// Finds the rows of `lost` files in earlier files that were written again as these and are still on disk.
    async fn recover(
        &mut self,
        database: &Database,
        state: &LogState,
        lost: Vec<(LedgerFile, String)>,
        report: &mut CheckReport,
    ) -> Result<()> {
        let granules = || lost.iter().map(|(file, _)| file).filter(|file| file.kind == LedgerFileKind::Granules);
        let expected: u64 = granules().map(|file| file.rows).sum();
        let mut rows: BTreeMap<Id, LedgerRow> = BTreeMap::new();
        if expected > 0 {
            for file in earlier_files(database, state).await? {
                if let Ok(Content::Rows(found)) = read(database.location(), &file).await? {
                    let is_lost = |row: &LedgerRow| !self.attempts.contains_key(&row.ingest_id);
                    rows.extend(found.into_iter().filter(is_lost).map(|row| (row.ingest_id, row)));
                }
            }
        }
        let is_complete = rows.len() as u64 == expected;
        for (file, problem) in &lost {
            let has_rows = file.kind == LedgerFileKind::Granules;
            let remedy = if has_rows && !is_complete { Remedy::DropRows } else { Remedy::Restore };
            if remedy == Remedy::DropRows {
                self.lost.push((report.damages.len(), file.clone()));
            }
            let born = state.ledger.live.get(&file.name).filter(|_| has_rows).map_or(u64::MAX, |(_, born)| *born);
            let problem = format!("{problem}{}", loss_of_tags(state, born, LOSES_LEDGER));
            report.damages.push(Damage::new(database.location().child(&ledger_path(&file.name)), problem, remedy));
        }
        for row in rows.into_values() {
            self.add_row(row.clone());
            report.repairs.rows.push(row);
        }
        Ok(())
    }

    /// The ids of the granules of `attempts` that `state` shows.
    pub(super) fn granules<'i>(&self, attempts: impl IntoIterator<Item = &'i Id>, state: &LogState) -> Vec<String> {
        let visible = attempts.into_iter().filter(|id| state.dead_attempts.get(id).is_none());
        let names: BTreeSet<&str> = visible.filter_map(|id| Some(self.attempts.get(id)?.granule.as_str())).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Whether the ledger has a row of the attempt.
    pub(super) fn has(&self, attempt: Id) -> bool {
        self.attempts.contains_key(&attempt)
    }

    /// The current attempts with the number of segments that they stored, by ascending id.
    pub(super) fn current(&self) -> BTreeMap<Id, u64> {
        let current = self.attempts.iter().filter(|(id, attempt)| attempt.is_done && !self.replaced.contains(id));
        current.map(|(id, attempt)| (*id, attempt.rows_kept)).collect()
    }
}

/// The dead files with ledger rows, as the commits that added them record them. A ledger is a history: their rows are still valid.
async fn earlier_files(database: &Database, state: &LogState) -> Result<Vec<LedgerFile>> {
    let mut files = Vec::new();
    let born: BTreeSet<u64> = state.ledger.dead.into_iter().filter_map(|(_, death)| death.born).collect();
    for number in born {
        let Ok(commit) = database.log().read(number).await else { continue };
        let is_dead = |file: &LedgerFile| state.ledger.dead.get(&file.name).is_some();
        let granules = commit.ledger.added.into_iter().filter(|file| file.kind == LedgerFileKind::Granules);
        files.extend(granules.filter(is_dead));
    }
    Ok(files)
}
