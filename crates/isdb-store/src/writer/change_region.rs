//! A new region for an existing database.

use isdb_region::Region;

use super::handle::Writer;
use crate::error::Result;
use crate::log::commit::{Commit, CommitKind, NO_REGION};

impl Writer {
    /// Sets the region of the database in a commit of its own; None for whole granules. No segment changes: segments that only the
    /// new region contains are added by the next ingest of their granules.
    ///
    /// # Errors
    /// As for [`begin_window`](Self::begin_window) and [`commit`](Self::commit).
    pub async fn change_region(&mut self, region: Option<&Region>, now_ms: u64) -> Result<&Commit> {
        let area = match region {
            Some(region) => self.database.store_area(&region.to_text()).await?,
            None => NO_REGION.to_owned(),
        };
        let window = self.begin_window(0, now_ms)?;
        let commit = self.window_commit(&window, CommitKind::Alter)?;
        self.finish_window(&window, Commit { region: Some(area), ..commit }).await?;
        self.checkpoint_change().await;
        Ok(&self.head)
    }
}
