//! The report of an ingest: the outcome of every file, what each filter removed, and the committed windows.
//!
//! `outcome` is the entry of one file, `progress` the messages on the way. `ledger_summary` sums up a whole ledger for
//! `isdb info`.

pub(crate) mod ledger_summary;
pub(crate) mod outcome;
pub(crate) mod progress;

use std::collections::BTreeMap;

use isdb_cmr::UnusableDescription;
use isdb_schema::ledger::Removed;
use isdb_store::{Commit, LedgerRow};

use crate::decide::attempt_plan::{PlannedAttempt, ReplaceReason, planned_bytes};
use crate::decide::skip_reason::SkipReason;
use crate::find::candidate::Candidate;
use crate::find::stage::SEARCH;
use crate::report::outcome::{CommittedWindow, GranuleOutcome, OutcomeKind, Warning, unsigned};
use crate::request::summary::SelectionSummary;

/// The report of an ingest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// The selection that is stored of each granule; None if the ingest ended before that was known.
    pub selection: Option<SelectionSummary>,
    /// Every file, in the order in which the outcomes became known.
    pub granules: Vec<GranuleOutcome>,
    /// The committed windows, in their order.
    pub windows: Vec<CommittedWindow>,
    /// Beams with rows, beams without rows, and beams that the files do not have.
    pub beams: [u64; 3],
    /// Remarks on unusual granules.
    pub warnings: Vec<Warning>,
    /// The segments that each filter removed, over all granules, in the order of the filters.
    pub removed: Vec<Removed>,
    /// Why fragments could not be consolidated or vacuumed at the end. The granules are stored all the same.
    pub maintenance_error: Option<String>,
}

impl IngestReport {
    /// Returns the number of files with this kind of outcome.
    pub fn count(&self, kind: OutcomeKind) -> usize {
        self.granules.iter().filter(|outcome| outcome.state == kind).count()
    }

    /// Returns the number of files with an attempt in the ledger.
    pub fn done(&self) -> usize {
        self.granules.iter().filter(|outcome| outcome.commit.is_some()).count()
    }

    /// Whether a file failed, in this ingest or before.
    pub fn has_failures(&self) -> bool {
        self.granules.iter().any(|outcome| matches!(outcome.state, OutcomeKind::Failed | OutcomeKind::FailedBefore))
    }

    /// Returns the number of skipped files by reason.
    pub fn skipped(&self) -> BTreeMap<SkipReason, usize> {
        let mut skipped = BTreeMap::new();
        for reason in self.granules.iter().filter_map(|outcome| outcome.skipped) {
            *skipped.entry(reason).or_default() += 1;
        }
        skipped
    }

    /// Returns the sum of `count` over all files.
    pub fn sum(&self, count: fn(&GranuleOutcome) -> u64) -> u64 {
        self.granules.iter().map(count).sum()
    }

    /// Adds files that were skipped.
    pub(crate) fn add_skipped(&mut self, skipped: impl IntoIterator<Item = (Candidate, SkipReason)>) {
        self.granules.extend(skipped.into_iter().map(|(file, reason)| GranuleOutcome {
            skipped: Some(reason),
            ..GranuleOutcome::without_attempt(&file, OutcomeKind::Skipped)
        }));
    }

    /// Adds files that failed before and were not retried.
    pub(crate) fn add_failed_before(&mut self, failed: impl IntoIterator<Item = (Candidate, String)>) {
        self.granules.extend(failed.into_iter().map(|(file, error)| GranuleOutcome {
            error: Some(error),
            ..GranuleOutcome::without_attempt(&file, OutcomeKind::FailedBefore)
        }));
    }

    /// Adds unusable descriptions of the archive as failed granules.
    pub(crate) fn add_unusable(&mut self, unusable: &[UnusableDescription]) {
        for description in unusable {
            let name = description.name();
            let failed = Candidate { stage: SEARCH, ..Candidate::new(name.clone().into(), Err(String::new())) };
            self.granules.push(GranuleOutcome {
                granule: name,
                stage: Some(failed.stage.to_owned()),
                error: Some(description.reason.clone()),
                ..GranuleOutcome::without_attempt(&failed, OutcomeKind::Failed)
            });
        }
    }

    /// Adds a window of `attempts`, which `commit` recorded as `rows` of the ledger.
    pub(crate) fn add_window(&mut self, commit: &Commit, rows: &[LedgerRow], attempts: &[PlannedAttempt]) {
        self.windows.push(CommittedWindow {
            commit: commit.number,
            timestamp: commit.timestamp,
            granules: attempts.len(),
            bytes: planned_bytes(attempts),
            rows: rows.iter().filter(|row| !row.is_carried()).map(|row| unsigned(row.rows_kept)).sum(),
            fragments: commit.segments.added.len(),
        });
        for (row, attempt) in rows.iter().zip(attempts) {
            self.granules.push(GranuleOutcome::from_row(row, attempt, commit.number));
            self.count_beams(row);
            self.count_removed(row);
            self.add_warning(row, attempt);
        }
    }

    fn count_beams(&mut self, row: &LedgerRow) {
        for (sum, beams) in self.beams.iter_mut().zip([row.beams_read, row.beams_empty, row.beams_missing]) {
            *sum += unsigned(beams);
        }
    }

    fn count_removed(&mut self, row: &LedgerRow) {
        for removed in &row.removed_by {
            match self.removed.iter_mut().find(|sum| sum.filter == removed.filter) {
                None => self.removed.push(Removed { stored_by: Vec::new(), ..removed.clone() }),
                Some(sum) => {
                    sum.removed += removed.removed;
                    sum.null += removed.null;
                    sum.alone += removed.alone;
                }
            }
        }
    }

    /// Adds a warning about the file of an attempt, if it is unusual. The note on replaced attempts is left out,
    /// because the outcome has them.
    fn add_warning(&mut self, row: &LedgerRow, attempt: &PlannedAttempt) {
        let replaced = attempt.plan.note().unwrap_or_default();
        let notes = row.notes.as_deref().map(|notes| notes.strip_prefix(&replaced).unwrap_or(notes));
        let notes = notes.map(|notes| notes.trim_start_matches("; ").to_owned()).filter(|notes| !notes.is_empty());
        let missing = row.missing_variables.as_ref().map(|names| format!("missing variables, stored as NULL: {names}"));
        let reason = attempt.plan.reason.filter(|reason| *reason == ReplaceReason::Changed);
        let changed = reason.map(|reason| reason.to_string());
        let texts: Vec<String> = changed.into_iter().chain(notes).chain(missing).collect();
        if !texts.is_empty() {
            self.warnings.push(Warning { path: attempt.candidate.path.display().to_string(), text: texts.join("; ") });
        }
    }
}
