//! The log of commits: objects `commits/<number>`, created only if absent, and `checkpoints/<number>`, which summarise them. Creating a
//! commit is the only operation that changes what readers see.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, join, try_join};
use object_store::path::Path;

use super::commit::Commit;
use super::envelope::FORMAT;
use super::names::check_commit;
use super::state::LogState;
use super::{checkpoint, envelope};
use crate::error::{Error, Result};
use crate::fault;
use crate::files::location::Location;
use crate::files::objects::{Objects, is_not_found, numbered};

pub(crate) const COMMITS: &str = "commits";
pub(crate) const CHECKPOINTS: &str = "checkpoints";

/// The problem of a commit that does not exist.
pub(crate) const MISSING: &str = "the commit does not exist";
/// The prefix of the names of staged commits.
pub(crate) const STAGED_COMMIT: &str = "commit-";

/// A checkpoint follows every commit whose number is a multiple of this: a reader reads at most one checkpoint and this many commits.
pub(crate) const COMMITS_PER_CHECKPOINT: u64 = 64;
/// Up to this many commits are read without a search for a checkpoint, which would be two reads and a larger object.
const FEW_COMMITS: u64 = 8;
/// The newest checkpoints, which are kept. Each is as large as the state, so keeping all of them would cost more than the commits.
const KEPT_CHECKPOINTS: usize = 4;
/// Checkpoints of commits whose numbers are multiples of this are kept, so that an old state is found without reading all commits.
const KEPT_EVERY: u64 = 64 * COMMITS_PER_CHECKPOINT;

/// How many objects are read at a time: all that follow a checkpoint, whose latency in an object store is then that of one.
const CONCURRENT_READS: usize = 64;

/// The commit log of one database. It remembers the newest state that it has read, and reads only later commits.
#[derive(Clone, Debug)]
pub(crate) struct CommitLog {
    uri: String,
    objects: Objects,
    newest: Arc<Mutex<Option<LogState>>>,
}

impl CommitLog {
    /// Opens the log of the database at `location`. A local folder must exist.
    pub(crate) fn open(location: &Location) -> Result<CommitLog> {
        Ok(CommitLog { uri: location.uri(), objects: Objects::open(location)?, newest: Arc::default() })
    }

    /// All objects of the database, including those of this log.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Reads the state after the newest commit; None in an empty log.
    ///
    /// # Errors
    /// [`Error::OtherFormat`] for a log of another format, [`Error::Damaged`] when the state cannot be known.
    pub(crate) async fn newest(&self) -> Result<Option<LogState>> {
        // A commit that is not the next one cannot exist without the next one.
        let after_remembered = match self.remembered() {
            Some(state) => self.objects.last_from(COMMITS, state.number).await?,
            None => None,
        };
        let read = match after_remembered {
            Some(number) => self.state_at(number).await.map(Some),
            None => {
                // Nothing is remembered, or the folder was replaced by another database.
                self.forget();
                self.read_newest().await
            }
        };
        let state = match read {
            Ok(None) => return Ok(None),
            Ok(Some(state)) => state,
            Err(error) if is_unreadable(&error) => {
                self.check_format().await?;
                return Err(match error {
                    Error::OtherFormat { object, expected, found } => {
                        Error::Damaged { object, problem: format!("expected format {expected}, found {found}") }
                    }
                    error => error,
                });
            }
            Err(error) => return Err(error),
        };
        self.remember(&state);
        Ok(Some(state))
    }

    /// Reads the newest state without one that is remembered, in three rounds of requests: the numbers of checkpoints; the newest
    /// checkpoint and the numbers of the commits after it; these commits.
    async fn read_newest(&self) -> Result<Option<LogState>> {
        let newest = self.newest_checkpoint_number().await?;
        let (numbers, checkpoint) = try_join!(self.objects.numbers(COMMITS, newest), self.checkpoint_if_any(newest))?;
        let number = numbers.last().copied().unwrap_or(newest);
        if number == 0 {
            return Ok(None);
        }
        if let Some(checkpoint) = checkpoint {
            match self.add_up(checkpoint, number).await {
                // A later checkpoint may replace it, or the commits before an unusable one.
                Err(error) if is_unreadable(&error) => {}
                added => return added.map(Some),
            }
        }
        self.state_at(number).await.map(Some)
    }

    /// Reads the checkpoint `number`, which is 0 without any; None if it cannot be used.
    async fn checkpoint_if_any(&self, number: u64) -> Result<Option<LogState>> {
        if number == 0 { Ok(None) } else { self.checkpoint_of_this_log(number).await }
    }

    /// Reads the number of the newest commit that was made at the time `at` or before; None if the log is younger.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a commit that cannot be read may be the one.
    pub(crate) async fn number_at(&self, at: u64) -> Result<Option<u64>> {
        // Numbers and times grow together, so the log can be bisected.
        let (mut low, mut high) = (0, self.newest_number().await?);
        while low < high {
            let middle = high - (high - low) / 2;
            match self.read(middle).await {
                Ok(commit) if commit.at <= at => low = middle,
                Ok(_) => high = middle - 1,
                Err(error) if is_unreadable(&error) => {
                    // A lost commit says nothing about its time, so the readable ones around it decide.
                    let (before, after) = (
                        self.readable(low + 1..middle, true).await?,
                        self.readable(middle + 1..high + 1, false).await?,
                    );
                    match (before, after) {
                        (_, Some(after)) if after.at <= at => low = after.number,
                        (Some(before), _) if before.at > at => high = before.number - 1,
                        _ => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok((low > 0).then_some(low))
    }

    /// The first of the commits `numbers`, or the last, that can be read.
    async fn readable(&self, numbers: Range<u64>, last: bool) -> Result<Option<Commit>> {
        let (first, end) = (numbers.start, numbers.end);
        for number in numbers {
            let number = if last { end - 1 - (number - first) } else { number };
            match self.read(number).await {
                Err(error) if is_unreadable(&error) => {}
                read => return read.map(Some),
            }
        }
        Ok(None)
    }

    /// Creates `commit` durably.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when another writer's commit has the same number.
    pub(crate) async fn create(&self, commit: &Commit) -> Result<()> {
        fault::reached("before-commit");
        let path = numbered(COMMITS, commit.number);
        let staged = format!("{STAGED_COMMIT}{}", commit.uuid);
        if let Err(error) = self.objects.create(&path, &staged, to_bytes(&path, commit)?).await {
            // An error does not mean that nothing was created, so the commit that the log now contains decides. A takeover that
            // removed the staged object has made its own commit before.
            match self.read(commit.number).await {
                Ok(found) if found.uuid == commit.uuid => self.objects.sync_folder_of(&path)?,
                Ok(_) => return Err(Error::Overtaken { uri: self.uri.clone(), number: commit.number }),
                Err(_) => return Err(error),
            }
        }
        fault::reached("after-commit");
        Ok(())
    }

    /// Returns the state after the commit `number`, which must exist: the newest usable checkpoint, and the commits after it. If one of
    /// many commits cannot be read, a later checkpoint replaces it.
    pub(crate) async fn state_at(&self, number: u64) -> Result<LogState> {
        let remembered = self.remembered().filter(|state| state.number <= number);
        let mut state = remembered.unwrap_or_default();
        if number - state.number > FEW_COMMITS
            && let Some(checkpoint) = self.newest_checkpoint(state.number + 1, number).await?
        {
            state = checkpoint;
        }
        let first = state.number + 1;
        match self.add_up(state, number).await {
            Err(error) if is_unreadable(&error) => match self.newest_checkpoint(first, number).await? {
                Some(checkpoint) => {
                    tracing::warn!(%error, checkpoint = checkpoint.number, "reading on from a checkpoint");
                    self.add_up(checkpoint, number).await
                }
                None => Err(error),
            },
            added => added,
        }
    }

    /// Applies the commits after `state` up to `number`.
    async fn add_up(&self, mut state: LogState, number: u64) -> Result<LogState> {
        let reads = (state.number + 1..=number).map(|number| self.read(number));
        let mut commits = futures::stream::iter(reads).buffered(CONCURRENT_READS);
        while let Some(commit) = commits.try_next().await? {
            state.apply(&commit);
        }
        Ok(state)
    }

    /// Remembers `state` as the newest, unless a newer one is remembered.
    pub(crate) fn remember(&self, state: &LogState) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_none_or(|newest| newest.number < state.number) {
            *newest = Some(state.clone());
        }
    }

    /// Writes a checkpoint when one is due, and removes older ones. A checkpoint only repeats the commits, so a failure to write one
    /// loses nothing, and must not make an existing commit look like a failed one.
    pub(crate) async fn checkpoint_if_due(&self, state: &LogState) {
        if state.number.is_multiple_of(COMMITS_PER_CHECKPOINT) {
            self.checkpoint(state).await;
        }
    }

    /// Writes a checkpoint of `state`. A failure is logged only, as in [`checkpoint_if_due`](Self::checkpoint_if_due).
    pub(crate) async fn checkpoint(&self, state: &LogState) {
        if let Err(error) = self.write_checkpoint(state).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(number = state.number, error, "cannot write a checkpoint");
        }
    }

    /// Writes the checkpoint of `state`, and removes those that are no longer needed.
    pub(crate) async fn write_checkpoint(&self, state: &LogState) -> Result<()> {
        let path = numbered(CHECKPOINTS, state.number);
        let object = envelope::seal(&checkpoint::to_bytes(state)?);
        self.objects.replace(&path, &format!("checkpoint-{}", state.number), object).await?;
        let numbers = self.objects.numbers(CHECKPOINTS, 0).await?;
        let replaces_lost = |number: &u64| state.lost_commits.values().any(|checkpoint| checkpoint == number);
        let is_kept = |number: &u64| number.is_multiple_of(KEPT_EVERY) || replaces_lost(number);
        let old = numbers.iter().rev().skip(KEPT_CHECKPOINTS).filter(|number| !is_kept(number));
        for number in old {
            self.objects.remove(&numbered(CHECKPOINTS, *number)).await?;
        }
        Ok(())
    }

    /// Reads the commit `number`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it does not exist or cannot be parsed, [`Error::OtherFormat`].
    pub(crate) async fn read(&self, number: u64) -> Result<Commit> {
        let path = numbered(COMMITS, number);
        let damaged = |problem: String| Error::Damaged { object: path.to_string(), problem };
        let object = match self.objects.get(&path).await {
            Err(error) if is_not_found(&error) => return Err(damaged(MISSING.to_owned())),
            object => object?,
        };
        let commit = serde_json::from_slice(envelope::open(&path, &object)?);
        let commit: Commit = commit.map_err(|error| damaged(error.to_string()))?;
        check_number(&path, number, commit.number)?;
        check_commit(&commit).map_err(damaged)?;
        Ok(commit)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it cannot be parsed, [`Error::OtherFormat`].
    pub(crate) async fn read_checkpoint(&self, number: u64) -> Result<LogState> {
        let path = numbered(CHECKPOINTS, number);
        let object = self.objects.get(&path).await?;
        let state = checkpoint::from_bytes(envelope::open(&path, &object)?);
        let state = state.map_err(|problem| Error::Damaged { object: path.to_string(), problem })?;
        check_number(&path, number, state.number)?;
        Ok(state)
    }

    /// Reads the newest checkpoint of a commit from `first` to `last`. One that is missing or cannot be parsed is skipped, because the
    /// commits contain the same.
    async fn newest_checkpoint(&self, first: u64, last: u64) -> Result<Option<LogState>> {
        let numbers = self.objects.numbers(CHECKPOINTS, first - 1).await?;
        for number in numbers.into_iter().rev().filter(|number| *number <= last) {
            if let Some(state) = self.checkpoint_of_this_log(number).await? {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    /// Reads the checkpoint `number`; None if it cannot be used, because it is damaged or one of another commit.
    async fn checkpoint_of_this_log(&self, number: u64) -> Result<Option<LogState>> {
        let (checkpoint, commit) = join!(self.read_checkpoint(number), self.read(number));
        match checkpoint {
            Ok(state) => match commit {
                // A newest commit that was lost, as in a backup that is older, gets a successor with the same number.
                Ok(commit) if commit.uuid != state.uuid => {
                    tracing::warn!(number, "skipping a checkpoint of another commit");
                    Ok(None)
                }
                // A commit that cannot be read may be the one.
                Err(error) if !is_unreadable(&error) => Err(error),
                _ => Ok(Some(state)),
            },
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(%error, "skipping a checkpoint");
                Ok(None)
            }
            // If the whole database has another format, the error of its commit says so once.
            Err(error @ Error::OtherFormat { .. }) => {
                tracing::debug!(%error, "skipping a checkpoint");
                Ok(None)
            }
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks that the log is of this version's format. One object of another format among others is damaged.
    ///
    /// # Errors
    /// [`Error::OtherFormat`] when both the first and the newest commit, or without commits the newest checkpoint, have another format.
    pub(crate) async fn check_format(&self) -> Result<()> {
        let commits = self.objects.numbers(COMMITS, 0).await?;
        let checkpoint = self.objects.numbers(CHECKPOINTS, 0).await?.last().copied().filter(|_| commits.is_empty());
        let mut other = None;
        for number in commits.first().into_iter().chain(commits.last()) {
            match self.read(*number).await {
                Err(Error::OtherFormat { found, .. }) => other = Some(found),
                _ => return Ok(()),
            }
        }
        if let Some(number) = checkpoint
            && let Err(Error::OtherFormat { found, .. }) = self.read_checkpoint(number).await
        {
            other = Some(found);
        }
        let error = |found| Error::OtherFormat { object: self.uri.clone(), expected: FORMAT, found };
        other.map_or(Ok(()), |found| Err(error(found)))
    }

    /// Whether a state is remembered.
    pub(crate) fn is_read(&self) -> bool {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Forgets the remembered state, so that the log is read again.
    pub(crate) fn forget(&self) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn remembered(&self) -> Option<LogState> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of the newest commit; 0 in an empty log. A checkpoint without its commit shows that the commit was lost: it was
    /// durable before the checkpoint was written.
    pub(crate) async fn newest_number(&self) -> Result<u64> {
        // An object store lists only what comes after the newest checkpoint.
        let checkpoint = self.newest_checkpoint_number().await?;
        Ok(self.objects.numbers(COMMITS, checkpoint).await?.last().copied().unwrap_or(checkpoint))
    }

    /// The number of the newest checkpoint; 0 without one.
    async fn newest_checkpoint_number(&self) -> Result<u64> {
        Ok(self.objects.numbers(CHECKPOINTS, 0).await?.last().copied().unwrap_or(0))
    }
}

/// Whether an object is lost for this version, so that others have to replace it.
pub(crate) fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::Damaged { .. } | Error::OtherFormat { .. })
}

/// Checks that an object is the one of its name: another would be applied twice, or out of turn.
fn check_number(path: &Path, expected: u64, found: u64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Damaged { object: path.to_string(), problem: format!("expected number {expected}, found {found}") })
}

fn to_bytes(path: &Path, commit: &Commit) -> Result<Vec<u8>> {
    let content = serde_json::to_vec(commit);
    let content = content.map_err(|error| Error::Damaged { object: path.to_string(), problem: error.to_string() })?;
    Ok(envelope::seal(&content))
}
