//! Maintenance around the windows of a run. No error of it ends the run: the granules are stored all the same.

use isdb_schema::config::Policy;

use super::Run;
use crate::clock::now_ms;
use crate::error::Result;
use crate::maintain::consolidate::{consolidate_with, merge_small_files};
use crate::report::progress::Progress;

/// The number of dead attempts above which their rows are removed by a consolidation: every read has to filter their rows
/// out.
const MAX_DEAD_ATTEMPTS: usize = 1_000;

/// The small files of the ledger and the footers of fragments are merged each time after this many windows, because every
/// window adds some, and every open reads all of them.
const WINDOWS_PER_MERGE: usize = 64;

impl Run<'_> {
    /// Deletes fragments that earlier runs have hidden, so that this run does not carry them along. An error is reported.
    pub(super) async fn vacuum_first(&mut self) {
        if let Err(error) = self.vacuum().await {
            self.report.maintenance_error = Some(error.to_string());
        }
    }

    async fn vacuum(&self) -> Result<()> {
        self.engine.writer().await?.vacuum(now_ms(), self.request.consolidate.keep_ms).await?;
        Ok(())
    }

    /// Consolidates fragments if the request says so, and deletes hidden ones. An error is reported.
    pub(crate) async fn end(self, progress: &mut impl FnMut(Progress)) {
        if let Err(error) = self.maintain_at_end(progress).await {
            self.report.maintenance_error = Some(error.to_string());
        }
    }

    async fn maintain_at_end(&self, progress: &mut impl FnMut(Progress)) -> Result<()> {
        let options = self.request.consolidate;
        if options.fragments > 0 {
            let on_group = |group, of| progress(Progress::Consolidated { group, of });
            consolidate_with(&self.engine, options.policy, options.fragments, &self.resources, on_group).await?;
        }
        self.vacuum().await
    }

    /// Maintains the database after a window, unless that failed before in this run. An error is reported.
    pub(super) async fn maintain_between_windows(&mut self) {
        if self.report.maintenance_error.is_some() {
            return;
        }
        let maintained = async {
            self.remove_dead_rows().await?;
            if self.windows.is_multiple_of(WINDOWS_PER_MERGE) {
                merge_small_files(&self.engine, false).await?;
            }
            Ok(())
        };
        let maintained: Result<()> = maintained.await;
        if let Err(error) = maintained {
            tracing::warn!(error = &error as &dyn std::error::Error, "maintenance failed");
            self.report.maintenance_error = Some(error.to_string());
        }
    }

    /// Writes the fragments with dead rows again if there are too many dead attempts.
    async fn remove_dead_rows(&self) -> Result<()> {
        let writer = self.engine.writer().await?;
        let is_due = writer.dead_attempts() > MAX_DEAD_ATTEMPTS && !writer.fragments_with_dead_rows().is_empty();
        drop(writer);
        if is_due {
            consolidate_with(&self.engine, Policy::None, usize::MAX, &self.resources, |_, _| {}).await?;
        }
        Ok(())
    }
}
