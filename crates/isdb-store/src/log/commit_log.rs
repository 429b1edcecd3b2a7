//! The log of commits: objects `commits/<number>`, created only if absent, and `checkpoints/<number>`, which summarise them. Creating a
//! commit is the only operation that changes what readers see.

use object_store::path::Path;
use serde::de::DeserializeOwned;

use super::commit::{Commit, FORMAT};
use super::log_state::LogState;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::location::Location;
use crate::files::objects::{Objects, is_not_found, numbered};

const COMMITS: &str = "commits";
const CHECKPOINTS: &str = "checkpoints";

/// The prefix of the names of staged commits.
pub(crate) const STAGED_COMMIT: &str = "commit-";

/// A checkpoint follows every commit whose number is a multiple of this: a writer that takes over reads at most this many commits.
const COMMITS_PER_CHECKPOINT: u64 = 64;

/// The commit log of one database.
#[derive(Clone, Debug)]
pub(crate) struct CommitLog {
    uri: String,
    objects: Objects,
}

impl CommitLog {
    /// Opens the log of the database at `location`, whose folder must exist.
    pub(crate) fn open(location: &Location) -> Result<CommitLog> {
        Ok(CommitLog { uri: location.uri(), objects: Objects::open(location)? })
    }

    /// All objects of the database, including those of this log.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Reads the newest commit; None in an empty log.
    pub(crate) async fn head(&self) -> Result<Option<Commit>> {
        match self.head_number().await? {
            0 => Ok(None),
            number => self.read(number).await.map(Some),
        }
    }

    /// Reads the newest commit that was made at the time `at` or before; None if the log is younger.
    pub(crate) async fn head_at(&self, at: u64) -> Result<Option<Commit>> {
        // Numbers and times grow together, so the log can be bisected.
        let (mut low, mut high) = (0, self.head_number().await?);
        let mut found = None;
        while low < high {
            let middle = high - (high - low) / 2;
            let commit = self.read(middle).await?;
            if commit.at <= at {
                low = middle;
                found = Some(commit);
            } else {
                high = middle - 1;
            }
        }
        Ok(found)
    }

    /// Creates `commit` durably.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when another writer's commit has the same number.
    pub(crate) async fn create(&self, commit: &Commit) -> Result<()> {
        fault::reached("before-commit");
        let path = numbered(COMMITS, commit.number);
        let staged = format!("{STAGED_COMMIT}{}", commit.uuid);
        if let Err(error) = self.objects.create(&path, &staged, encode(commit)?).await {
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

    /// Returns the state of the log after the commit `head`: the newest usable checkpoint and the commits after it.
    pub(crate) async fn state_at(&self, head: &Commit) -> Result<LogState> {
        let mut state = LogState::empty();
        for number in self.objects.numbers(CHECKPOINTS, 0).await?.into_iter().rev() {
            if number <= head.number
                && let Some(checkpoint) = self.checkpoint(number).await?
            {
                state = checkpoint;
                break;
            }
        }
        for number in state.number + 1..=head.number {
            state.apply(&self.read(number).await?);
        }
        Ok(state)
    }

    /// Writes a checkpoint when one is due. A checkpoint only repeats the commits, so a failure to write one loses nothing, and
    /// must not make an existing commit look like a failed one.
    pub(crate) async fn checkpoint_if_due(&self, state: &LogState) {
        if !state.number.is_multiple_of(COMMITS_PER_CHECKPOINT) {
            return;
        }
        let path = numbered(CHECKPOINTS, state.number);
        let name = format!("checkpoint-{}", state.number);
        let written = match encode(state) {
            Ok(bytes) => self.objects.replace(&path, &name, bytes).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(
                number = state.number,
                error = &error as &dyn std::error::Error,
                "cannot write a checkpoint"
            );
        }
    }

    async fn read(&self, number: u64) -> Result<Commit> {
        let path = numbered(COMMITS, number);
        decode(&path, &self.objects.get(&path).await?)
    }

    /// Reads a checkpoint; None for one that is missing or cannot be parsed, because the commits contain the same.
    async fn checkpoint(&self, number: u64) -> Result<Option<LogState>> {
        let path = numbered(CHECKPOINTS, number);
        match self.objects.get(&path).await {
            Ok(bytes) => Ok(decode(&path, &bytes).ok()),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The number of the newest commit; 0 in an empty log.
    async fn head_number(&self) -> Result<u64> {
        let checkpoint = self.objects.numbers(CHECKPOINTS, 0).await?.pop().unwrap_or(0);
        let numbers = self.objects.numbers(COMMITS, checkpoint.saturating_sub(1)).await?;
        Ok(numbers.last().copied().unwrap_or(0))
    }
}

/// The field that every object of the log has, in every version. It is checked before the others are parsed.
#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

fn decode<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T> {
    let damaged = |problem: String| Error::Damaged { object: path.to_string(), problem };
    let Format { format } = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    if format != FORMAT {
        return Err(damaged(format!("expected format {FORMAT}, found {format}")));
    }
    serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Damaged { object: COMMITS.to_owned(), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_of_another_version_is_refused_because_of_its_format() {
        let error = decode::<Commit>(&Path::from("commits/1"), br#"{"format":1,"number":1}"#).unwrap_err().to_string();
        assert!(error.contains("commits/1") && error.contains("found 1"), "{error}");
    }
}
