//! The commit log: `commits/<number>` objects that are created only if absent, and `checkpoints/<number>` that sum them
//! up. Creating a commit is the only act that changes what readers see.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{CopyMode, CopyOptions, ObjectStore, ObjectStoreExt};

use crate::commit::{Commit, FORMAT, Recorded};
use crate::error::{Error, Result};
use crate::location::Location;

const COMMITS: &str = "commits";
const CHECKPOINTS: &str = "checkpoints";
const STAGING: &str = "staging";

/// A checkpoint follows every commit whose number is a multiple of this: a writer that takes over reads at most this many commits.
const COMMITS_PER_CHECKPOINT: u64 = 64;

/// The log of one database.
#[derive(Clone, Debug)]
pub(crate) struct CommitLog {
    location: Location,
    store: Arc<LocalFileSystem>,
}

impl CommitLog {
    /// The log of the database at `location`, whose folder must exist.
    pub(crate) fn open(location: &Location) -> Result<CommitLog> {
        let store = LocalFileSystem::new_with_prefix(location.root())
            .map_err(|source| Error::Log { uri: location.uri(), source })?;
        Ok(CommitLog { location: location.clone(), store: Arc::new(store) })
    }

    /// The newest commit, or None when nothing was ever committed.
    pub(crate) async fn newest(&self) -> Result<Option<Commit>> {
        match self.commit_numbers().await?.last() {
            Some(number) => self.read(*number).await.map(Some),
            None => Ok(None),
        }
    }

    /// The newest commit whose timestamp is not after `timestamp`, if there is one.
    pub(crate) async fn newest_until(&self, timestamp: u64) -> Result<Option<Commit>> {
        // Numbers and timestamps grow together, so the log can be bisected.
        let (mut low, mut high) = (0, self.commit_numbers().await?.last().copied().unwrap_or(0));
        let mut found = None;
        while low < high {
            let middle = high - (high - low) / 2;
            let commit = self.read(middle).await?;
            if commit.timestamp <= timestamp {
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
        let path = numbered(COMMITS, commit.number);
        let staged = Path::from_iter([STAGING, &commit.uuid]);
        self.store.put(&staged, encode(commit)?.into()).await.map_err(self.failed())?;
        // A commit must not be visible before it is durable: after a power cut it would be an empty file.
        self.sync(&staged)?;
        let options = CopyOptions::new().with_mode(CopyMode::Create);
        let created = self.store.copy_opts(&staged, &path, options).await;
        let cleaned = self.store.delete(&staged).await;
        if let Err(source) = created {
            // An error does not say that nothing happened: what the log holds now decides.
            match self.read(commit.number).await {
                Ok(found) if found.uuid == commit.uuid => {}
                Ok(_) => return Err(Error::Overtaken { uri: self.location.uri(), number: commit.number }),
                Err(_) => return Err(Error::Log { uri: self.location.uri(), source }),
            }
        }
        self.sync(&Path::from(COMMITS))?;
        cleaned.map_err(self.failed())
    }

    /// Every fragment recorded up to `head`, the newest commit.
    pub(crate) async fn recorded(&self, head: &Commit) -> Result<Recorded> {
        let checkpoint = self.numbers(CHECKPOINTS, 0).await?.into_iter().rfind(|number| *number <= head.number);
        let mut recorded = match checkpoint {
            Some(number) => self.read_object(&numbered(CHECKPOINTS, number)).await?,
            None => Recorded::default(),
        };
        for number in recorded.number + 1..=head.number {
            recorded.apply(&self.read(number).await?);
        }
        Ok(recorded)
    }

    /// Writes a checkpoint when one is due. It is derived from the commits, so losing it loses nothing.
    pub(crate) async fn checkpoint_if_due(&self, recorded: &Recorded) -> Result<()> {
        if !recorded.number.is_multiple_of(COMMITS_PER_CHECKPOINT) {
            return Ok(());
        }
        let path = numbered(CHECKPOINTS, recorded.number);
        let staged = Path::from_iter([STAGING, &format!("checkpoint-{}", recorded.number)]);
        self.store.put(&staged, encode(recorded)?.into()).await.map_err(self.failed())?;
        self.sync(&staged)?;
        self.store.rename(&staged, &path).await.map_err(self.failed())
    }

    async fn read(&self, number: u64) -> Result<Commit> {
        let path = numbered(COMMITS, number);
        let commit: Commit = self.read_object(&path).await?;
        if commit.format != FORMAT {
            let problem = format!("its format is {}, this version reads {FORMAT}", commit.format);
            return Err(Error::Damaged { object: path.to_string(), problem });
        }
        Ok(commit)
    }

    async fn read_object<T: serde::de::DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let bytes = self.store.get(path).await.map_err(self.failed())?.bytes().await.map_err(self.failed())?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::Damaged { object: path.to_string(), problem: error.to_string() })
    }

    /// The numbers of the commits since the newest checkpoint, at least of the newest commit.
    async fn commit_numbers(&self) -> Result<Vec<u64>> {
        let checkpoint = self.numbers(CHECKPOINTS, 0).await?.pop().unwrap_or(0);
        self.numbers(COMMITS, checkpoint.saturating_sub(1)).await
    }

    /// The numbers above `after` of the objects below `prefix`, ascending.
    async fn numbers(&self, prefix: &str, after: u64) -> Result<Vec<u64>> {
        let listed = self.store.list_with_offset(Some(&Path::from(prefix)), &numbered(prefix, after));
        let objects: Vec<_> = listed.try_collect().await.map_err(self.failed())?;
        let number = |path: &Path| path.filename().and_then(|name| name.parse().ok());
        let mut numbers: Vec<u64> = objects.iter().filter_map(|object| number(&object.location)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn sync(&self, path: &Path) -> Result<()> {
        let path = self.location.root().join(path.as_ref());
        std::fs::File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|source| Error::Io { path: path.display().to_string(), source })
    }

    fn failed(&self) -> impl Fn(object_store::Error) -> Error + '_ {
        |source| Error::Log { uri: self.location.uri(), source }
    }
}

/// Numbers are padded, so that names sort as numbers do.
fn numbered(prefix: &str, number: u64) -> Path {
    Path::from_iter([prefix, &format!("{number:020}")])
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Damaged { object: COMMITS.to_owned(), problem: error.to_string() })
}
