//! A snapshot: one committed state of the database, read as of its timestamp. It never changes, whatever writers do.

use tiledb::{Array, Context, Predicate, Vfs};

use super::visibility::{VisibleFragments, granules_condition, segments_condition};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::files::array_files::{end_timestamp, list_fragments};
use crate::files::location::Location;
use crate::ledger::batch::read_rows;
use crate::ledger::row::LedgerRow;
use crate::log::array_state::ArrayState;
use crate::log::commit::Commit;
use crate::log::commit_log::CommitLog;

/// Both arrays of a database, opened at one commit.
#[derive(Clone, Debug)]
pub struct Snapshot {
    log: CommitLog,
    uri: String,
    commit: Commit,
    segments: Array,
    granules: Array,
    visible_segments: Option<Predicate>,
    visible_granules: Option<Predicate>,
}

impl Snapshot {
    /// Opens the arrays at `commit`, lists their files, and then checks that no vacuum has passed the commit meanwhile. A vacuum moves
    /// the horizon before it deletes, so the check detects whatever was opened or listed incompletely.
    pub(crate) async fn open(
        context: &Context,
        location: &Location,
        log: &CommitLog,
        commit: Commit,
    ) -> Result<Snapshot> {
        let (array_context, arrays, at) = (context.clone(), location.arrays(), commit.clone());
        let open = move || {
            let [segments, granules] = &arrays;
            Ok((
                open_array(&array_context, segments, &at, &at.segments)?,
                open_array(&array_context, granules, &at, &at.granules)?,
            ))
        };
        let opened = blocking(open).await;
        check_horizon(log, &location.uri(), &commit).await?;
        let ((segments, has_unrecorded_segments), (granules, has_unrecorded_rows)) = opened?;
        let (mut fragments, mut ledger_fragments) = (VisibleFragments::NotDead, VisibleFragments::NotDead);
        if has_unrecorded_segments || has_unrecorded_rows {
            let state = log.state_at(&commit).await?;
            fragments = VisibleFragments::Only(state.segments.live.into_keys().collect());
            ledger_fragments = VisibleFragments::Only(state.granules.live.into_keys().collect());
        }
        let visible_segments = segments_condition(&commit, &fragments);
        let visible_granules = granules_condition(&commit, &ledger_fragments);
        let (log, uri) = (log.clone(), location.uri());
        Ok(Snapshot { log, uri, commit, segments, granules, visible_segments, visible_granules })
    }

    /// Checks that no vacuum has passed this snapshot. A vacuum announces what it removes before it removes it, so files that were
    /// listed before a successful check were listed completely.
    ///
    /// # Errors
    /// [`Error::Expired`] when a vacuum has passed it.
    pub async fn check(&self) -> Result<()> {
        check_horizon(&self.log, &self.uri, &self.commit).await
    }

    /// Whether files of the snapshot may have been vacuumed since it was opened. If so, an error while reading does not mean that the
    /// database is damaged, and the newest state can be opened instead.
    ///
    /// # Errors
    /// When the commit log cannot be read.
    pub async fn is_expired(&self) -> Result<bool> {
        let has_passed = |newest: Commit| newest.horizon.max(newest.deleting) > self.commit.number;
        Ok(self.log.head().await?.is_some_and(has_passed))
    }

    /// The URI of the database.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The commit that this snapshot shows.
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// The array of segments. Reads must add the condition [`visible_segments`](Self::visible_segments).
    pub fn segments(&self) -> &Array {
        &self.segments
    }

    /// The ledger array. Reads must add the condition [`visible_granules`](Self::visible_granules).
    pub fn granules(&self) -> &Array {
        &self.granules
    }

    /// The condition under which rows of [`segments`](Self::segments) are visible; None when all are.
    pub fn visible_segments(&self) -> Option<Predicate> {
        self.visible_segments.clone()
    }

    /// The condition under which rows of [`granules`](Self::granules) are visible; None when all are.
    pub fn visible_granules(&self) -> Option<Predicate> {
        self.visible_granules.clone()
    }

    /// Reads every visible ledger row, by ascending id.
    ///
    /// # Errors
    /// [`Error::TileDb`] when the array cannot be read, [`Error::Damaged`] when a row cannot be parsed.
    pub async fn ledger(&self) -> Result<Vec<LedgerRow>> {
        let (granules, visible) = (self.granules.clone(), self.visible_granules());
        blocking(move || read_rows(&granules, visible)).await
    }
}

/// Refuses a commit that a vacuum has passed.
async fn check_horizon(log: &CommitLog, uri: &str, commit: &Commit) -> Result<()> {
    let horizon = log.head().await?.map_or(0, |newest| newest.horizon);
    match commit.number < horizon {
        true => Err(Error::Expired { uri: uri.to_owned(), commit: commit.number, horizon }),
        false => Ok(()),
    }
}

/// Opens an array at the commit's timestamp. Also returns whether unrecorded fragments may be visible in it.
fn open_array(context: &Context, uri: &str, commit: &Commit, state: &ArrayState) -> Result<(Array, bool)> {
    let array = Array::open_at(context, uri, commit.timestamp)?;
    let fragments = list_fragments(&Vfs::new(context)?, uri)?;
    let is_in_time = |name: &str| end_timestamp(name).is_some_and(|timestamp| timestamp <= commit.timestamp);
    let is_dead = |name: &str| state.dead.iter().any(|dead| dead.name == name);
    let finished = fragments.iter().filter(|(_, files)| files.commit_file.is_some());
    let visible = finished.filter(|(name, _)| is_in_time(name) && !is_dead(name)).count() as u64;
    if visible < state.live {
        let problem = format!("expected {} fragments, found {visible}", state.live);
        return Err(Error::Damaged { object: uri.to_owned(), problem });
    }
    // A dead fragment without an id cannot be hidden by its id, and a fragment that is no longer listed may still have been opened.
    let has_dead_without_id = state.dead.iter().any(|dead| dead.id.is_none());
    Ok((array, visible > state.live || has_dead_without_id))
}
