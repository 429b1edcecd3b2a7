//! The commit log: `commits/<number>` objects that are created only if absent, and `checkpoints/<number>` that sum them
//! up. Creating a commit is the only act that changes what readers see.

use object_store::path::Path;
use serde::de::DeserializeOwned;

use crate::commit::{Commit, FORMAT};
use crate::error::{Error, Result};
use crate::fault;
use crate::location::Location;
use crate::objects::{Objects, is_missing, numbered};
use crate::recorded::Recorded;

const COMMITS: &str = "commits";
const CHECKPOINTS: &str = "checkpoints";

/// How the names of staged commits begin.
pub(crate) const STAGED_COMMIT: &str = "commit-";

/// A checkpoint follows every commit whose number is a multiple of this: a writer that takes over reads at most this many commits.
const COMMITS_PER_CHECKPOINT: u64 = 64;

/// The log of one database.
#[derive(Clone, Debug)]
pub(crate) struct CommitLog {
    uri: String,
    objects: Objects,
}

impl CommitLog {
    /// The log of the database at `location`, whose folder must exist.
    pub(crate) fn open(location: &Location) -> Result<CommitLog> {
        Ok(CommitLog { uri: location.uri(), objects: Objects::open(location)? })
    }

    /// The objects of the database, this log's among them.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The newest commit, or None when nothing was ever committed.
    pub(crate) async fn newest(&self) -> Result<Option<Commit>> {
        match self.newest_number().await? {
            0 => Ok(None),
            number => self.read(number).await.map(Some),
        }
    }

    /// The newest commit that was made at the moment `at` or before, if there is one.
    pub(crate) async fn newest_until(&self, at: u64) -> Result<Option<Commit>> {
        // Numbers and moments grow together, so the log can be bisected.
        let (mut low, mut high) = (0, self.newest_number().await?);
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

    /// Creates `commit`, durably.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when another writer's commit has its number.
    pub(crate) async fn create(&self, commit: &Commit) -> Result<()> {
        fault::reached("before-commit");
        let path = numbered(COMMITS, commit.number);
        let staged = format!("{STAGED_COMMIT}{}", commit.uuid);
        if let Err(error) = self.objects.create(&path, &staged, encode(commit)?).await {
            // An error does not say that nothing happened: what the log holds now decides. A take over that swept the staged
            // object has made its own commit before.
            match self.read(commit.number).await {
                Ok(found) if found.uuid == commit.uuid => self.objects.sync_folder_of(&path)?,
                Ok(_) => return Err(Error::Overtaken { uri: self.uri.clone(), number: commit.number }),
                Err(_) => return Err(error),
            }
        }
        fault::reached("after-commit");
        Ok(())
    }

    /// Every fragment recorded up to `head`.
    pub(crate) async fn recorded(&self, head: &Commit) -> Result<Recorded> {
        let mut recorded = Recorded::nothing();
        for number in self.objects.numbers(CHECKPOINTS, 0).await?.into_iter().rev() {
            if number <= head.number
                && let Some(checkpoint) = self.checkpoint(number).await?
            {
                recorded = checkpoint;
                break;
            }
        }
        for number in recorded.number + 1..=head.number {
            recorded.apply(&self.read(number).await?);
        }
        Ok(recorded)
    }

    /// Writes a checkpoint when one is due. It is derived from the commits, so that failing to write it loses nothing, and must
    /// not make a commit look failed that is there.
    pub(crate) async fn checkpoint_if_due(&self, recorded: &Recorded) {
        if !recorded.number.is_multiple_of(COMMITS_PER_CHECKPOINT) {
            return;
        }
        let path = numbered(CHECKPOINTS, recorded.number);
        let name = format!("checkpoint-{}", recorded.number);
        let written = match encode(recorded) {
            Ok(bytes) => self.objects.replace(&path, &name, bytes).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(number = recorded.number, error = &error as &dyn std::error::Error, "no checkpoint");
        }
    }

    async fn read(&self, number: u64) -> Result<Commit> {
        let path = numbered(COMMITS, number);
        decode(&path, &self.objects.get(&path).await?)
    }

    /// A checkpoint; None for one that cannot be understood, since the commits say the same.
    async fn checkpoint(&self, number: u64) -> Result<Option<Recorded>> {
        let path = numbered(CHECKPOINTS, number);
        match self.objects.get(&path).await {
            Ok(bytes) => Ok(decode(&path, &bytes).ok()),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The number of the newest commit, 0 without any.
    async fn newest_number(&self) -> Result<u64> {
        let checkpoint = self.objects.numbers(CHECKPOINTS, 0).await?.pop().unwrap_or(0);
        let numbers = self.objects.numbers(COMMITS, checkpoint.saturating_sub(1)).await?;
        Ok(numbers.last().copied().unwrap_or(0))
    }
}

/// What every object of the log begins to be read by.
#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

fn decode<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T> {
    let damaged = |problem: String| Error::Damaged { object: path.to_string(), problem };
    let Format { format } = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    if format != FORMAT {
        return Err(damaged(format!("its format is {format}, this version of isdb reads {FORMAT}")));
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
    fn a_commit_of_another_version_is_told_by_its_format_and_not_by_the_fields_it_lacks() {
        let error = decode::<Commit>(&Path::from("commits/1"), br#"{"format":1,"number":1}"#).unwrap_err().to_string();
        assert!(error.contains("commits/1") && error.contains("its format is 1"), "{error}");
    }
}
