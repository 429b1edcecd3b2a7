//! Compaction: few large fragments in place of many small ones. It changes no visible row.

use std::collections::BTreeSet;

use super::footers::consolidate_footers;
use super::handle::Writer;
use super::window::Window;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::fault;
use crate::fragment::WrittenFragment;
use crate::id::Id;
use crate::ledger::contents::contents_of;
use crate::log::commit::{Commit, CommitKind};

impl Writer {
    /// Replaces the live fragments `inputs` of `segments` by `outputs`. The outputs must contain the visible rows of the inputs with
    /// their ingest ids, written in the window. From this commit on the outputs are visible and the inputs are not.
    ///
    /// # Errors
    /// [`Error::Damaged`] when an input is not live, [`Error::Mismatch`] when the number of rows in the outputs differs from the
    /// visible rows of the inputs; else as for [`commit`](Self::commit).
    pub async fn compact(
        &mut self,
        window: Window,
        inputs: &BTreeSet<Id>,
        outputs: Vec<WrittenFragment>,
    ) -> Result<&Commit> {
        let mut commit = self.window_commit(&window, CommitKind::Compact)?;
        if let Some(id) = inputs.iter().find(|id| self.state.segments.live.get(id).is_none()) {
            let problem = format!("fragment {id} to be compacted is not live");
            return Err(Error::Damaged { object: self.database.location().segments(), problem });
        }
        self.check_compaction(&window, inputs, &outputs).await?;
        commit.segments.removed.clone_from(inputs);
        commit.ledger.added = self.write_ledger(Vec::new(), contents_of(&outputs)).await?;
        commit.segments.added = outputs.into_iter().map(|output| output.record).collect();
        self.finish_compaction(&window, commit).await
    }

    pub(super) async fn finish_compaction(&mut self, window: &Window, commit: Commit) -> Result<&Commit> {
        fault::reached("compact-before-commit");
        let commit = self.finish_window(window, commit).await?;
        fault::reached("compact-after-commit");
        Ok(commit)
    }

    /// Consolidates the footers of the fragments into one file, which an open then reads instead of many. Cells do not change, and
    /// nothing depends on it.
    ///
    /// # Errors
    /// [`Error::TileDb`] or [`Error::Io`] when it cannot be written.
    pub async fn consolidate_metadata(&self) -> Result<()> {
        let database = self.database.clone();
        let consolidate = move || {
            let location = database.location();
            consolidate_footers(database.context()?, location, &location.segments())
        };
        blocking(consolidate).await
    }
}
