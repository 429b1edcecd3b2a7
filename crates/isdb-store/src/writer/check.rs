//! Checks before a commit: the fragments contain exactly the rows that the ledger counts, and all ids belong to the window. A batch
//! that was lost or duplicated on its way is detected here, and nothing is committed.

use std::collections::{BTreeMap, BTreeSet};

use super::handle::Writer;
use super::window::{Changes, Window};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::fragment::WrittenFragment;
use crate::id::Id;
use crate::ledger::contents::{contents_of, contents_of_fragments, rows_by_attempt};
use crate::ledger::file::{LedgerFile, LedgerFileKind};

impl Writer {
    /// Checks the changes that a window is about to commit.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub(super) fn check_window(&self, window: &Window, changes: &Changes) -> Result<()> {
        let (mut attempts, mut replaced) = (BTreeSet::new(), BTreeSet::new());
        for row in &changes.ledger {
            let id = row.ingest_id;
            if !window.has_ingest(id) {
                return Err(
                    self.mismatch(format!("{} has ingest id {id}, which does not belong to this window", row.granule))
                );
            }
            if !attempts.insert(id) {
                return Err(self.mismatch(format!("two granules have ingest id {id}; one is {}", row.granule)));
            }
            // Both may have written the remaining segments of the attempt again.
            if let Some(twice) = row.replaces.iter().find(|id| !replaced.insert(**id)) {
                return Err(self.mismatch(format!("two granules replace attempt {twice}; one is {}", row.granule)));
            }
        }
        self.check_fragments(window, changes.fragments.iter().chain(&changes.abandoned))?;
        let mut written = rows_by_attempt(&contents_of(&changes.fragments));
        for row in &changes.ledger {
            let found = written.remove(&row.ingest_id).unwrap_or(0);
            if i128::from(row.rows_kept) != i128::from(found) {
                return Err(self.mismatch(format!(
                    "expected {} segments of {} as in its ledger row, found {found} in the fragments",
                    row.rows_kept, row.granule
                )));
            }
        }
        match written.first_key_value() {
            None => Ok(()),
            Some((id, rows)) => {
                Err(self.mismatch(format!("found {rows} segments of attempt {id}, which has no ledger row")))
            }
        }
    }

    /// Checks that a compaction neither loses nor duplicates a segment of any attempt. It drops those of dead attempts.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub(super) async fn check_compaction(
        &self,
        window: &Window,
        inputs: &BTreeSet<Id>,
        outputs: &[WrittenFragment],
    ) -> Result<()> {
        self.check_fragments(window, outputs.iter())?;
        let location = self.database.location().clone();
        let files: Vec<LedgerFile> = self.state.ledger.live_of(LedgerFileKind::Contents).cloned().collect();
        let searched = inputs.clone();
        let contents = blocking(move || contents_of_fragments(&location, &files, &searched)).await?;
        let mut expected: BTreeMap<Id, u64> = rows_by_attempt(&contents);
        expected.retain(|attempt, _| self.state.dead_attempts.get(attempt).is_none());
        let found = rows_by_attempt(&contents_of(outputs));
        for attempt in expected.keys().chain(found.keys()) {
            let [expected, found] = [&expected, &found].map(|rows| rows.get(attempt).copied().unwrap_or(0));
            if expected != found {
                return Err(self.mismatch(format!("expected {expected} segments of attempt {attempt}, found {found}")));
            }
        }
        Ok(())
    }

    fn check_fragments<'f>(&self, window: &Window, fragments: impl Iterator<Item = &'f WrittenFragment>) -> Result<()> {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for WrittenFragment { record, attempts } in fragments {
            let (id, name) = (record.id, &record.name);
            if !window.has_fragment(id) {
                return Err(self.mismatch(format!("fragment {name} has id {id}, which does not belong to this window")));
            }
            if !ids.insert(id) || !names.insert(name) {
                return Err(self.mismatch(format!("two fragments have id {id} or name {name}")));
            }
            let counted: u64 = attempts.values().sum();
            if counted != record.rows {
                return Err(
                    self.mismatch(format!("fragment {name} has {} rows, and {counted} of attempts", record.rows))
                );
            }
        }
        Ok(())
    }

    fn mismatch(&self, problem: String) -> Error {
        Error::Mismatch { uri: self.database.location().uri(), problem }
    }
}
