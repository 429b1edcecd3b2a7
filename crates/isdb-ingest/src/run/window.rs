//! One window of a run: its plan, its commit, its entry in the report, and a second try if the first one fails.

use std::time::Instant;

use isdb_pipeline::explain;
use isdb_schema::ledger::GranuleState;
use isdb_schema::printable::error_chain;
use isdb_store::LedgerRow;
use tracing::Instrument as _;

use super::Run;
use super::retry::is_worth_retrying;
use super::window_plan::{count_attempts, window_plan};
use crate::clock::now_ms;
use crate::decide::attempt_plan::{PlannedAttempt, planned_bytes};
use crate::error::{Error, Result};
use crate::find::candidate::saturating_sum;
use crate::report::progress::Progress;

impl Run<'_> {
    /// Ingests the attempts of one window and commits them. A window that fails is tried once more, after a takeover.
    ///
    /// # Errors
    /// The error of the second try, or of the first if another one is of no use.
    pub(super) async fn ingest_window(
        &mut self,
        attempts: &[PlannedAttempt],
        progress: &mut impl FnMut(Progress),
    ) -> Result<()> {
        let before = self.engine.writer().await?.head().number;
        let error = match self.try_window(attempts, progress).await {
            Err(error) if is_worth_retrying(&error) => error,
            ended => return ended,
        };
        tracing::warn!(error = error_chain(&error), "window failed");
        progress(Progress::WindowRetried { granules: attempts.len(), error: error_chain(&error) });
        if let Err(refused) = self.engine.renew_writer(now_ms()).await {
            tracing::warn!(error = error_chain(&refused), "cannot take over after a failed window");
            return Err(error);
        }
        // The takeover commits a fence. If the window was committed in spite of its error, another commit is in between.
        if self.engine.writer().await?.head().number != before + 1 {
            return Err(error);
        }
        self.try_window(attempts, progress).await
    }

    async fn try_window(&mut self, attempts: &[PlannedAttempt], progress: &mut impl FnMut(Progress)) -> Result<()> {
        let count = count_attempts(attempts);
        let (window, commit) = {
            let mut writer = self.engine.writer().await?;
            (writer.begin_window(count, now_ms())?, writer.head().number + 1)
        };
        let span = tracing::info_span!("window", commit);
        let run = async {
            let started = Instant::now();
            tracing::debug!(granules = attempts.len(), bytes = planned_bytes(attempts), "window begun");
            // Stored segments are read only for attempts that share some with earlier ones.
            let shares_segments =
                |attempt: &PlannedAttempt| !(attempt.plan.merges_with.is_empty() && attempt.plan.carries.is_empty());
            let snapshot =
                if attempts.iter().any(shares_segments) { Some(self.database.snapshot().await?) } else { None };
            let location = self.database.location();
            let plan =
                window_plan(&mut self.plan, attempts, window, location, snapshot.as_ref(), &self.resources).await?;
            tracing::debug!(plan = explain(&plan), "planned");
            let totals = self.totals;
            let rows = self.engine.run(&plan, |pace| progress(totals.reading(pace))).await;
            let rows = rows.map_err(|source| Error::Window { granules: attempts.len(), source })?;
            if rows.iter().any(|row| row.state.is_done()) {
                self.plan.refiltered = None;
            }
            self.has_replaced |= rows.iter().any(|row| !row.replaces.is_empty());
            self.windows += 1;
            self.report_window(&rows, attempts, started).await?;
            rows.into_iter().for_each(|row| self.state.ledger.add(row));
            Ok(())
        };
        run.instrument(span).await
    }

    /// Reports and logs a window that was committed with `rows` of the ledger.
    async fn report_window(&mut self, rows: &[LedgerRow], attempts: &[PlannedAttempt], started: Instant) -> Result<()> {
        for row in rows.iter().filter(|row| row.state == GranuleState::Failed) {
            let (stage, error) = (row.stage.as_deref().unwrap_or_default(), row.error.as_deref().unwrap_or_default());
            // Logged at INFO only, because the report lists it at the end.
            tracing::info!(granule = row.granule, ingest_id = row.ingest_id.0, stage, error, "granule failed");
        }
        let writer = self.engine.writer().await?;
        self.report.add_window(writer.head(), rows, attempts);
        if let Some(window) = self.report.windows.last() {
            self.totals.rows += window.rows;
            let (timestamp, rows, fragments) = (window.timestamp, window.rows, window.fragments);
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(timestamp, granules = attempts.len(), rows, fragments, seconds, "window committed");
        }
        self.totals.granules += attempts.len();
        self.totals.bytes = saturating_sum([self.totals.bytes, planned_bytes(attempts)]);
        Ok(())
    }
}
