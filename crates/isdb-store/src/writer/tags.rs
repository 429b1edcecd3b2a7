//! Tags: names for states that a vacuum keeps.

use super::handle::Writer;
use crate::error::{Error, Result};
use crate::log::changes::Tag;
use crate::log::commit::{Commit, CommitKind};
use crate::log::tag_name::check_tag_name;
use crate::reader::snapshot::Snapshot;

impl Writer {
    /// Keeps the state of `snapshot`, which [`Database::snapshot_of_tag`](crate::Database::snapshot_of_tag) opens by `name`, until the tag
    /// is deleted. Setting a tag to the state that it keeps changes nothing.
    ///
    /// # Errors
    /// [`Error::TagName`] for a name that means a time, [`Error::TagExists`] when the tag keeps another state, [`Error::Expired`] when a vacuum has passed the snapshot,
    /// [`Error::Unfinished`] within a window; [`Error::Overtaken`].
    pub async fn set_tag(&mut self, name: &str, snapshot: &Snapshot, now_ms: u64) -> Result<&Commit> {
        check_tag_name(name)?;
        // This writer holds the lock, so no vacuum can pass the snapshot after the check.
        snapshot.check().await?;
        let data_commit = snapshot.state().data_commit;
        match self.state.tags.get(name) {
            Some(tag) if tag.commit == data_commit => return Ok(&self.head),
            Some(tag) => {
                let (uri, name) = (self.database.location().uri(), name.to_owned());
                return Err(Error::TagExists { uri, name, commit: tag.commit });
            }
            None => {}
        }
        let tag = Tag { commit: data_commit, timestamp: snapshot.timestamp() };
        self.append_tag(name, Some(tag), now_ms).await
    }

    /// Deletes a tag. Files that only its state needs are removed by a later vacuum.
    ///
    /// # Errors
    /// [`Error::UnknownTag`]; else as for [`set_tag`](Self::set_tag).
    pub async fn delete_tag(&mut self, name: &str, now_ms: u64) -> Result<&Commit> {
        if !self.state.tags.contains_key(name) {
            return Err(self.database.unknown_tag(name, &self.state));
        }
        self.append_tag(name, None, now_ms).await
    }

    async fn append_tag(&mut self, name: &str, tag: Option<Tag>, now_ms: u64) -> Result<&Commit> {
        if self.in_window {
            return Err(self.unfinished());
        }
        let mut commit = self.next_commit(CommitKind::Tag, self.clock.correct(now_ms));
        commit.tags.insert(name.to_owned(), tag);
        self.append(commit).await?;
        self.checkpoint_change().await;
        Ok(&self.head)
    }
}
