//! The writer: takes the database over, gives out timestamps and ids, and makes one commit after the other.

mod check;
mod compaction;
mod region;
mod replaced;
mod take_over;
mod vacuum;
mod window;

pub use vacuum::Vacuumed;
pub use window::{Changes, Window};

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crate::blocking::blocking;
use crate::commit::{Commit, FragmentRecord, Kind};
use crate::database::Database;
use crate::durable::sync_folder;
use crate::error::{Error, Result};
use crate::ids::Id;
use crate::listing::{COMMIT_FILES, FRAGMENTS};
use crate::lock::Lock;
use crate::recorded::Recorded;

/// The one writer of a database. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Writer {
    database: Database,
    head: Commit,
    recorded: Recorded,
    /// Fragments of `segments` and `granules` that the take over could not make invisible: dead from the next commit on.
    unswept: [Vec<String>; 2],
    next_counter: u32,
    in_window: bool,
    _lock: Lock,
}

impl Writer {
    /// The database that is written to.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The newest commit: the fence of the take over, or what this writer has committed since.
    pub fn newest(&self) -> &Commit {
        &self.head
    }

    /// The fragments of `segments` whose rows may be seen, in the order of their ids.
    pub fn live_segments(&self) -> impl Iterator<Item = &FragmentRecord> {
        self.recorded.segments.live.values()
    }

    /// How many fragments (of both arrays) and how many attempts are dead. Every read has to leave them out until they are
    /// compacted and vacuumed.
    pub fn dead(&self) -> (usize, usize) {
        let fragments = self.head.arrays().map(|state| state.dead.len());
        (fragments.iter().sum(), self.head.dead_ingests.len())
    }

    /// The live fragments of `segments` that hold rows of dead attempts.
    pub fn fragments_with_dead_rows(&self) -> BTreeSet<Id> {
        let held = self.head.dead_ingests.iter().flat_map(|dead| &dead.fragments);
        held.filter(|id| self.recorded.segments.live.contains_key(id)).copied().collect()
    }

    /// The commit after the newest one; it changes nothing yet.
    fn following(&self, kind: Kind, now_ms: u64) -> Commit {
        let mut commit = self.head.following(kind, now_ms);
        let (since, at) = (commit.number, commit.at);
        for (state, names) in commit.arrays_mut().into_iter().zip(&self.unswept) {
            state.bury_strays(names, since, at);
        }
        commit
    }

    /// Creates `commit`, which follows the newest one. The fragments that it makes visible are durable before it is.
    async fn advance(&mut self, commit: Commit) -> Result<()> {
        self.sync_added(&commit).await?;
        self.database.log().create(&commit).await?;
        tracing::debug!(commit = commit.number, kind = ?commit.kind, timestamp = commit.timestamp, "committed");
        self.recorded.apply(&commit);
        self.head = commit;
        self.unswept = Default::default();
        self.database.log().checkpoint_if_due(&self.recorded).await;
        Ok(())
    }

    /// Makes the fragments that `commit` adds durable: libtiledb has synced their files, and none of the folders that name them.
    /// A commit that outlives one of its fragments in a power cut would make the database unreadable.
    async fn sync_added(&self, commit: &Commit) -> Result<()> {
        let arrays = self.database.location().arrays();
        let names = commit.arrays().map(|state| state.added.iter().map(|added| added.name.clone()).collect::<Vec<_>>());
        let sync = move || {
            let begun = Instant::now();
            for (uri, names) in arrays.iter().zip(&names).filter(|(_, names)| !names.is_empty()) {
                let array = Path::new(uri);
                let fragments = array.join(FRAGMENTS);
                names.iter().try_for_each(|name| sync_folder(&fragments.join(name)))?;
                sync_folder(&fragments)?;
                sync_folder(&array.join(COMMIT_FILES))?;
            }
            let fragments: usize = names.iter().map(Vec::len).sum();
            tracing::debug!(fragments, seconds = begun.elapsed().as_secs_f64(), "synced");
            Ok(())
        };
        match commit.arrays().iter().all(|state| state.added.is_empty()) {
            true => Ok(()),
            false => blocking(sync).await,
        }
    }

    fn unfinished(&self) -> Error {
        Error::Unfinished { uri: self.database.location().uri() }
    }

    /// Ids have 32 bits of commits above 32 bits of counter; nobody will see the end of either.
    fn used_up(&self) -> Error {
        used_up(&self.database, self.head.number)
    }
}

fn used_up(database: &Database, number: u64) -> Error {
    let problem = "its ids are used up".to_owned();
    Error::Damaged { object: format!("{}/commits/{number}", database.location().uri()), problem }
}
