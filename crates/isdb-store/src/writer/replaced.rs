//! The live fragments that hold the segments of replaced attempts.

use std::collections::{BTreeMap, BTreeSet};

use super::handle::Writer;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::ledger::contents::{contents_of_attempts, rows_by_attempt};
use crate::ledger::file::{LedgerFile, LedgerFileKind};
use crate::ledger::rows::attempt_entries;
use crate::log::changes::DeadAttempt;

impl Writer {
    /// Finds the live fragments of the attempts `ids`. Attempts without any are left out.
    ///
    /// # Errors
    /// [`Error::Damaged`] when they hold another number of segments than the ledger records: with an incomplete list the attempt would be
    /// forgotten too early, and its segments would be visible again.
    pub(super) async fn newly_dead(&self, ids: BTreeSet<Id>) -> Result<Vec<DeadAttempt>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let location = self.database.location().clone();
        let files = |kind| -> Vec<LedgerFile> { self.state.ledger.live_of(kind).cloned().collect() };
        let (granules, contents) = (files(LedgerFileKind::Granules), files(LedgerFileKind::Contents));
        let searched = ids.clone();
        let find = move || {
            let entries = attempt_entries(&location, &granules, &searched)?;
            Ok((entries, contents_of_attempts(&location, &contents, &searched)?))
        };
        let (entries, mut contents) = blocking(find).await?;
        contents.retain(|entry| self.state.segments.live.get(&entry.fragment).is_some());
        let found = rows_by_attempt(&contents);
        for (id, entry) in entries.iter().filter(|(id, _)| !self.state.reread.contains(id)) {
            let found = found.get(id).copied().unwrap_or(0);
            if found != entry.rows_kept {
                let problem = format!("expected {} segments of attempt {id}, found {found}", entry.rows_kept);
                return Err(Error::Damaged { object: self.database.location().segments(), problem });
            }
        }
        let mut fragments: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        for entry in contents {
            fragments.entry(entry.attempt).or_default().insert(entry.fragment);
        }
        Ok(fragments.into_iter().map(|(id, fragments)| DeadAttempt { id, fragments }).collect())
    }
}
