//! The states of a database that can be opened: the newest, that of an earlier time, and that of a tag.

use futures::join;

use super::snapshot::Snapshot;
use crate::database::Database;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::files::areas::load_region;
use crate::files::array_files::SCHEMAS;
use crate::files::location::SEGMENTS;
use crate::log::tag_name::check_tag_name;

impl Database {
    /// Opens the newest committed state.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open); [`Error::Damaged`] when a commit is missing or cannot be parsed.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let (newest, ()) = join!(self.newest(), self.prefetch_schemas());
        let newest = newest?;
        self.check_local_array()?;
        let tags = newest.tags.clone();
        Snapshot::new(self, newest.number, newest, tags)
    }

    /// Reads the schemas of the array in an object store before a read needs them: while the log is read they cost no time.
    async fn prefetch_schemas(&self) {
        let Some(bucket) = self.location().bucket().filter(|_| !self.log().is_read()) else { return };
        let folder = format!("{SEGMENTS}/{SCHEMAS}");
        // An error is that of the read that needs a schema.
        let Ok(schemas) = bucket.list(&folder).await else { return };
        bucket.prefetch(schemas.iter().map(|schema| format!("{folder}/{}", schema.name)).collect()).await;
    }

    /// Opens the state at the time `at_ms`, in milliseconds since 1970: the newest commit that is not later. The timestamp of a
    /// snapshot selects the same state again.
    ///
    /// # Errors
    /// [`Error::Expired`] when that state was vacuumed, [`Error::TooEarly`] when the database is younger.
    pub async fn snapshot_at(&self, at_ms: u64) -> Result<Snapshot> {
        let too_early = || Error::TooEarly { uri: self.location().uri(), timestamp: at_ms };
        let number = self.log().number_at(at_ms).await?.ok_or_else(too_early)?;
        self.snapshot_of(number).await
    }

    /// Opens the state that the tag `name` keeps.
    ///
    /// # Errors
    /// [`Error::UnknownTag`]; [`Error::TagName`] for a name that no tag can have.
    pub async fn snapshot_of_tag(&self, name: &str) -> Result<Snapshot> {
        let newest = self.newest().await?;
        let Some(tag) = newest.tags.get(name) else {
            check_tag_name(name)?;
            return Err(self.unknown_tag(name, &newest));
        };
        Ok(self.snapshot_of(tag.commit).await?.by_tag(name))
    }

    /// Opens the state after the commit `number`.
    async fn snapshot_of(&self, number: u64) -> Result<Snapshot> {
        let newest = self.newest().await?;
        let tags = newest.tags.clone();
        let mut state = self.log().state_at(number).await?;
        if newest.data_commit == state.data_commit {
            // Later commits changed nothing that a reader sees, but a vacuum may have passed the earlier ones.
            state = newest;
        }
        let snapshot = Snapshot::new(self, number, state, tags)?;
        snapshot.check().await?;
        Ok(snapshot)
    }

    /// Reads the design of the database in `snapshot`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when its region cannot be read.
    pub async fn design(&self, snapshot: &Snapshot) -> Result<Design> {
        let (mut design, area) = Design::from_snapshot(snapshot);
        if let Some(area) = area {
            design.region = Some(load_region(self.log().objects(), &area).await?);
        }
        Ok(design)
    }
}
