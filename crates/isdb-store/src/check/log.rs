//! The check of the log: every commit, every checkpoint, and whether they say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use futures::StreamExt;

use super::problem::problem_of;
use super::report::{CheckReport, Damage, Remedy};
use crate::database::Database;
use crate::error::Result;
use crate::files::objects::numbered;
use crate::id::Id;
use crate::log::commit::Commit;
use crate::log::commit_log::{CHECKPOINTS, COMMITS, CommitLog, MISSING};
use crate::log::state::LogState;

/// How many commits are read at a time.
const CONCURRENT_READS: usize = 16;

/// What a log contains that can be read.
struct Log<'d> {
    database: &'d Database,
    /// Readable checkpoints, by number.
    checkpoints: BTreeSet<u64>,
    /// Damaged commits, with their problems.
    damaged: BTreeMap<u64, String>,
}

/// Reads the whole log and adds what is damaged to `report`. Returns the state after the newest commit; None when it cannot be known.
pub(crate) async fn check_log(database: &Database, report: &mut CheckReport) -> Result<Option<LogState>> {
    // Checkpoints first: a takeover in between makes a commit and its checkpoint.
    let checkpoints = database.log().objects().numbers(CHECKPOINTS, 0).await?;
    let newest = database.log().newest_number().await?;
    let mut log = Log { database, checkpoints: BTreeSet::new(), damaged: BTreeMap::new() };
    for number in checkpoints {
        log.check_checkpoint(number, newest, report).await?;
    }
    let state = log.add_up(newest, report).await?;
    let known = state.as_ref().map(|state| state.lost_commits.clone()).unwrap_or_default();
    let remedy = if state.is_some() { Remedy::GiveUpStates } else { Remedy::Rebuild };
    let mut found: Vec<(RangeInclusive<u64>, &String)> = Vec::new();
    for (number, problem) in &log.damaged {
        let checkpoint = log.checkpoints.range(number..).next();
        let recorded = known.get(number);
        if recorded.is_some() && recorded == checkpoint {
            report.lost_commits += 1;
            continue;
        }
        report.repairs.lost_commits.extend(checkpoint.map(|checkpoint| (*number, *checkpoint)));
        match found.last_mut() {
            Some((numbers, same)) if numbers.end() + 1 == *number && *same == problem && problem == MISSING => {
                *numbers = *numbers.start()..=*number;
            }
            _ => found.push((*number..=*number, problem)),
        }
    }
    for (numbers, problem) in found {
        let (first, last) = numbers.into_inner();
        let newest = if last == newest && problem == MISSING {
            "; commits after it, which nothing names, would be lost as well"
        } else {
            ""
        };
        let damage = match first == last {
            true => Damage::new(log.path(COMMITS, first), format!("{problem}{newest}"), remedy),
            false => {
                let problem = format!("expected commits {first} to {last}, found none of them{newest}");
                Damage::new(database.location().child(COMMITS), problem, remedy)
            }
        };
        report.damages.push(damage);
    }
    Ok(state)
}

impl Log<'_> {
    fn log(&self) -> &CommitLog {
        self.database.log()
    }

    fn path(&self, folder: &str, number: u64) -> String {
        self.database.location().child(numbered(folder, number).as_ref())
    }

    async fn check_checkpoint(&mut self, number: u64, newest: u64, report: &mut CheckReport) -> Result<()> {
        let problem = match self.log().read_checkpoint(number).await {
            Ok(state) if state.number != number => {
                format!("expected the state of commit {number}, found {}", state.number)
            }
            Ok(_) if number > newest => format!("expected commit {number}, found none: {newest} is the newest"),
            Ok(_) => {
                report.checkpoints += 1;
                self.checkpoints.insert(number);
                return Ok(());
            }
            Err(error) => problem_of(error)?,
        };
        report.damages.push(Damage::new(self.path(CHECKPOINTS, number), problem, Remedy::Restore));
        report.repairs.checkpoints.insert(number);
        Ok(())
    }

    /// Adds up all commits. After a damaged one the next checkpoint goes on.
    async fn add_up(&mut self, newest: u64, report: &mut CheckReport) -> Result<Option<LogState>> {
        let database = self.database;
        let read = |number| async move { (number, database.log().read(number).await) };
        let mut commits = futures::stream::iter((1..=newest).map(read)).buffered(CONCURRENT_READS);
        let mut state = Some(LogState::default());
        while let Some((number, commit)) = commits.next().await {
            let commit = match commit {
                Ok(commit) => check_commit(number, state.as_ref(), commit),
                Err(error) => Err(problem_of(error)?),
            };
            match commit {
                Ok(commit) => {
                    report.commits += 1;
                    if let Some(state) = &mut state {
                        state.apply(&commit);
                    }
                }
                Err(problem) => {
                    self.damaged.insert(number, problem);
                    state = None;
                }
            }
            if self.checkpoints.contains(&number) {
                let checkpoint = self.log().read_checkpoint(number).await?;
                match &state {
                    Some(state) if *state != checkpoint => {
                        let problem = format!("expected the sum of the commits up to {number}, found another state");
                        report.damages.push(Damage::new(self.path(CHECKPOINTS, number), problem, Remedy::Restore));
                        report.repairs.checkpoints.insert(number);
                        self.checkpoints.remove(&number);
                    }
                    Some(_) => {}
                    None => state = Some(checkpoint),
                }
            }
        }
        Ok(state.filter(|state| state.number > 0))
    }
}

/// Checks that `commit` can follow `state`, and returns it; an error describes why it cannot.
fn check_commit(number: u64, state: Option<&LogState>, commit: Commit) -> Result<Commit, String> {
    if commit.number != number {
        return Err(format!("expected commit {number}, found {}", commit.number));
    }
    let Some(state) = state else { return Ok(commit) };
    if commit.timestamp < state.timestamp || commit.at < state.at || commit.epoch < state.epoch {
        return Err("expected a time and an epoch that are not earlier than the previous commit's".to_owned());
    }
    let is_live = |id: &&Id| state.segments.live.get(id).is_some();
    if let Some(id) = commit.segments.removed.iter().find(|id| !is_live(id)) {
        return Err(format!("it removes fragment {id}, which is not live"));
    }
    if let Some(added) = commit.segments.added.iter().find(|added| is_live(&&added.id)) {
        return Err(format!("it adds fragment {} a second time", added.id));
    }
    if let Some(name) = commit.ledger.removed.iter().find(|name| state.ledger.live.get(*name).is_none()) {
        return Err(format!("it removes the ledger's file {name}, which is not live"));
    }
    Ok(commit)
}
