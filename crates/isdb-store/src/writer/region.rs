//! Another region for an existing database.

use isdb_region::Region;

use super::Writer;
use crate::commit::{Commit, Kind, NO_REGION};
use crate::error::Result;

impl Writer {
    /// Makes `region` the region of the database, None for whole granules, in a commit of its own. No segment changes: those that
    /// the new region has and the old one does not come with the next ingest of their granules.
    ///
    /// # Errors
    /// As for windows.
    pub async fn change_region(&mut self, region: Option<&Region>, now_ms: u64) -> Result<&Commit> {
        let area = match region {
            Some(region) => self.database.put_area(&region.to_text()).await?,
            None => NO_REGION.to_owned(),
        };
        let window = self.window(0, now_ms)?;
        let commit = self.ending(&window, Kind::Alter)?;
        self.end(&window, Commit { region: Some(area), ..commit }).await
    }
}
