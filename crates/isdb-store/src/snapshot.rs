//! A snapshot: one committed state of the database, read as of its timestamp. It never changes, whatever writers do.

use tiledb::{Array, Condition, Context, Vfs};

use crate::blocking::blocking;
use crate::commit::{ArrayState, Commit, Seen};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::ledger::{self, LedgerRow};
use crate::listing::{fragments_on_disk, timestamp_of};
use crate::log::CommitLog;

/// Both arrays of a database, opened at one commit.
#[derive(Clone, Debug)]
pub struct Snapshot {
    log: CommitLog,
    uri: String,
    commit: Commit,
    segments: Array,
    granules: Array,
    visible_segments: Option<Condition>,
    visible_granules: Option<Condition>,
}

impl Snapshot {
    /// Opens the arrays at `commit`, looks what lies on disk, and then whether vacuum has passed the commit meanwhile: it
    /// moves the horizon before it deletes, so whatever was opened or listed incompletely shows there.
    pub(crate) async fn open(database: &Database, commit: Commit) -> Result<Snapshot> {
        let (location, context) = (database.location().clone(), database.context().clone());
        let wanted = commit.clone();
        let open = move || {
            Ok((
                open_array(&context, &location.segments(), &wanted, &wanted.segments)?,
                open_array(&context, &location.granules(), &wanted, &wanted.granules)?,
            ))
        };
        let opened = blocking(open).await;
        let (log, uri) = (database.log().clone(), database.location().uri());
        check_horizon(&log, &uri, &commit).await?;
        let ((segments, has_strays), (granules, has_stray_attempts)) = opened?;
        let (mut seen_segments, mut seen_granules) = (Seen::Recorded, Seen::Recorded);
        if has_strays || has_stray_attempts {
            let recorded = database.log().recorded(&commit).await?;
            seen_segments = Seen::Only(recorded.segments.live.into_keys().collect());
            seen_granules = Seen::Only(recorded.granules.live.into_keys().collect());
        }
        let visible_segments = commit.visible_segments(&seen_segments);
        let visible_granules = commit.visible_granules(&seen_granules);
        Ok(Snapshot { log, uri, commit, segments, granules, visible_segments, visible_granules })
    }

    /// Looks whether a vacuum has passed this snapshot. It tells so before it removes anything: what was listed of the arrays
    /// before a check that passes is complete.
    ///
    /// # Errors
    /// [`Error::Expired`] when it has.
    pub async fn check(&self) -> Result<()> {
        check_horizon(&self.log, &self.uri, &self.commit).await
    }

    /// Whether files of the snapshot may have been vacuumed away since it was opened. An error while reading it means no more
    /// than that then, and the newest state can be opened instead.
    ///
    /// # Errors
    /// When the commit log cannot be read.
    pub async fn is_expired(&self) -> Result<bool> {
        let passed = |newest: Commit| newest.horizon.max(newest.deleting) > self.commit.number;
        Ok(self.log.newest().await?.is_some_and(passed))
    }

    /// URI of the database.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The commit that this snapshot shows.
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// The array of segments. Reads must add [`visible_segments`](Self::visible_segments).
    pub fn segments(&self) -> &Array {
        &self.segments
    }

    /// The ledger array. Reads must add [`visible_granules`](Self::visible_granules).
    pub fn granules(&self) -> &Array {
        &self.granules
    }

    /// The condition under which rows of [`segments`](Self::segments) are visible; None when all are.
    pub fn visible_segments(&self) -> Option<Condition> {
        self.visible_segments.clone()
    }

    /// The condition under which rows of [`granules`](Self::granules) are visible; None when all are.
    pub fn visible_granules(&self) -> Option<Condition> {
        self.visible_granules.clone()
    }

    /// Every attempt that the ledger shows, in the order of their ids.
    pub async fn ledger(&self) -> Result<Vec<LedgerRow>> {
        let (granules, visible) = (self.granules.clone(), self.visible_granules());
        blocking(move || ledger::read(&granules, visible)).await
    }
}

/// Refuses a commit that vacuum has passed.
async fn check_horizon(log: &CommitLog, uri: &str, commit: &Commit) -> Result<()> {
    let horizon = log.newest().await?.map_or(0, |newest| newest.horizon);
    match commit.number < horizon {
        true => Err(Error::Expired { uri: uri.to_owned(), commit: commit.number, horizon }),
        false => Ok(()),
    }
}

/// The array at the commit's timestamp, and whether fragments that no commit records can be seen there.
fn open_array(context: &Context, uri: &str, commit: &Commit, state: &ArrayState) -> Result<(Array, bool)> {
    let array = Array::open_at(context, uri, commit.timestamp)?;
    let listed = fragments_on_disk(&Vfs::new(context)?, uri)?;
    let is_seen = |name: &str| timestamp_of(name).is_some_and(|timestamp| timestamp <= commit.timestamp);
    let is_dead = |name: &str| state.dead.iter().any(|dead| dead.name == name);
    let finished = listed.iter().filter(|(_, on_disk)| on_disk.commit_file.is_some());
    let seen = finished.filter(|(name, _)| is_seen(name) && !is_dead(name)).count() as u64;
    if seen < state.live {
        let problem = format!("{} fragments are recorded and {seen} are there", state.live);
        return Err(Error::Damaged { object: uri.to_owned(), problem });
    }
    // A dead fragment without an id cannot be left out by its id, and not being listed any more is no proof that it was not
    // opened.
    let has_nameless = state.dead.iter().any(|dead| dead.id.is_none());
    Ok((array, seen > state.live || has_nameless))
}
