//! The decision on one file: ingest or skip, depending on the ledger rows of its granule. A pure function of the file
//! and the ledger.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use isdb_pipeline::{GranuleIdentity, MinimumRows, StoredSegments, stage};
use isdb_store::Id;

use crate::decide::attempt_plan::{AttemptPlan, ReplaceReason, ReplacedSegments};
use crate::decide::fingerprint::Fingerprint;
use crate::decide::ledger::Ledger;
use crate::decide::rank::Rank;
use crate::decide::related::{
    RelatedAttempt, count_stored_variables, count_variables, extracts_nearby, related_attempts,
};
use crate::decide::skip_reason::SkipReason;
use crate::decide::stored_attempt::{Failure, StoredAttempt};
use crate::find::candidate::Candidate;
use crate::find::granule_key::GranuleKey;
use crate::find::stage::DOWNLOAD;

/// Everything that a decision depends on, apart from the file and the current attempts.
pub(crate) struct DecisionContext<'a> {
    /// The fingerprint of a new attempt.
    pub(crate) fingerprint: &'a Fingerprint,
    /// Whether the first area contains the second, both by their names in the ledger.
    pub(crate) covers: &'a dyn Fn(&str, &str) -> bool,
    /// Whether files that failed before are retried.
    pub(crate) retry: bool,
    /// Whether a file may replace stored segments even if it has less than half of them.
    pub(crate) force: bool,
    /// The first id of this run's attempts; None before the run has begun.
    pub(crate) first_id_of_run: Option<Id>,
    /// The segments of attempts that may have segments in common with candidates.
    pub(crate) stored: &'a StoredSegments,
    /// The attempts whose files have to be read again.
    pub(crate) to_reread: &'a BTreeSet<Id>,
}

/// The decision on one file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// Ingest it.
    Ingest(AttemptPlan),
    /// Skip it; a skip is not a failure.
    Skip(SkipReason),
    /// It failed before with this error, is unchanged, and is not retried.
    FailedBefore(String),
}

impl DecisionContext<'_> {
    /// Decides on `candidate`.
    pub(crate) fn decide(&self, candidate: &Candidate, ledger: &Ledger) -> Decision {
        let decision = match &candidate.identity {
            Ok(identity) => self.decide_granule(candidate, identity, ledger),
            // Without an identity, nothing in the ledger can be compared with it.
            Err(_) => Decision::Ingest(self.attempt_plan(&[], None, None)),
        };
        match (decision, self.failed_before(candidate, ledger)) {
            (Decision::Ingest(_), Some(error)) => Decision::FailedBefore(error),
            (decision, _) => decision,
        }
    }

    fn decide_granule(&self, candidate: &Candidate, identity: &GranuleIdentity, ledger: &Ledger) -> Decision {
        let (key, rank) = (GranuleKey::from_identity(identity), Rank::new(identity));
        if ledger.is_removed(&key, &identity.id, rank) && !candidate.is_named && !candidate.is_reread {
            return Decision::Skip(SkipReason::Removed);
        }
        let related = related_attempts(candidate, &key, ledger, self.stored);
        match rank.is_whole {
            true => {
                let unread: Vec<Id> = extracts_nearby(candidate, &key, ledger).map(|stored| stored.ingest_id).collect();
                self.decide_whole(candidate, rank, &ledger.of_granule(&key), &related, &unread)
            }
            false => self.decide_subset(candidate, rank, &key, &related),
        }
    }

    /// Decides on a whole granule. `rows` are the current attempts at it and its subsets. Of extracts it replaces the
    /// segments that it has as well; extracts in `unread`, whose shared segments are not known, keep them.
    fn decide_whole(
        &self,
        candidate: &Candidate,
        rank: Rank,
        rows: &[&StoredAttempt],
        related: &[RelatedAttempt<'_>],
        unread: &[Id],
    ) -> Decision {
        let extracts =
            related.iter().filter(|attempt| rows.iter().all(|row| row.ingest_id != attempt.stored.ingest_id));
        let ingest = |rows: &[&StoredAttempt], reason, is_other_release| {
            let mut plan = AttemptPlan { is_other_release, ..self.attempt_plan(rows, reason, rank.release) };
            let is_known = self.knows_segments(candidate, &plan);
            for attempt in extracts.clone() {
                match is_known {
                    true => plan.replace_shared(*attempt),
                    false => plan.merges_with.push(attempt.stored.ingest_id),
                }
            }
            plan.merges_with.extend(unread);
            Decision::Ingest(plan)
        };
        let Some(stored) = rows.iter().map(|row| row.rank).max() else { return ingest(&[], None, false) };
        let is_other_release = rank.release.is_some() && stored.release.is_some() && rank.release != stored.release;
        let is_same_file = rows.iter().any(|row| is_unchanged(candidate, row));
        let outranks = Some(ReplaceReason::Outranks(stored));
        match rank.cmp(&stored) {
            _ if is_other_release && !self.is_of_this_run(rows) => ingest(rows, outranks, true),
            Ordering::Greater => ingest(rows, outranks, is_other_release),
            Ordering::Less => Decision::Skip(SkipReason::Older),
            Ordering::Equal if self.is_of_this_run(rows) => Decision::Skip(SkipReason::Copy),
            Ordering::Equal if is_same_file && rows.iter().any(|row| self.is_satisfied_by(row)) => {
                Decision::Skip(SkipReason::Stored)
            }
            Ordering::Equal if rows.iter().any(|row| self.to_reread.contains(&row.ingest_id)) => {
                ingest(rows, Some(ReplaceReason::Reread), false)
            }
            Ordering::Equal if is_same_file => ingest(rows, Some(ReplaceReason::OtherSelection), false),
            Ordering::Equal => ingest(rows, Some(ReplaceReason::Changed), false),
        }
    }

    /// Decides on a subset or an extract. If two files have a segment, the segment of the better file is stored;
    /// segments that only one file has stay.
    fn decide_subset(
        &self,
        candidate: &Candidate,
        rank: Rank,
        key: &GranuleKey,
        related: &[RelatedAttempt<'_>],
    ) -> Decision {
        if self.is_in_whole_granule(candidate, key, related) {
            return Decision::Skip(SkipReason::Subset);
        }
        let (same, others): (Vec<RelatedAttempt<'_>>, _) =
            related.iter().partition(|attempt| is_unchanged(candidate, attempt.stored));
        if same.iter().any(|attempt| self.is_satisfied_by(attempt.stored)) {
            return Decision::Skip(SkipReason::Stored);
        }
        let source = candidate.source();
        let is_earlier_content = |attempt: &RelatedAttempt<'_>| same.is_empty() && *attempt.stored.source == *source;
        let (earlier, others): (Vec<RelatedAttempt<'_>>, Vec<RelatedAttempt<'_>>) =
            others.into_iter().partition(is_earlier_content);
        let (replaced, reason) = match (same.is_empty(), earlier.is_empty()) {
            (false, _) if same.iter().any(|attempt| self.to_reread.contains(&attempt.stored.ingest_id)) => {
                (same, Some(ReplaceReason::Reread))
            }
            (false, _) => (same, Some(ReplaceReason::OtherSelection)),
            (true, false) => (earlier, Some(ReplaceReason::Changed)),
            (true, true) => (Vec::new(), None),
        };
        let rows: Vec<&StoredAttempt> = replaced.iter().map(|attempt| attempt.stored).collect();
        let mut plan = self.attempt_plan(&rows, reason, rank.release);
        if candidate.is_reread {
            // The request does not include this file, so its area stays as it was.
            plan.areas = areas_of(None, &rows);
        }
        let is_known = self.knows_segments(candidate, &plan);
        for attempt in others {
            match self.outranks(candidate, rank, attempt.stored) {
                true if is_known => {
                    let release = attempt.stored.rank.release;
                    plan.is_other_release |= attempt.shared > 0 && release.is_some() && release != rank.release;
                    plan.replace_shared(attempt);
                }
                _ => plan.merges_with.push(attempt.stored.ingest_id),
            }
        }
        Decision::Ingest(plan)
    }

    /// Whether a current attempt at a whole granule has all requested segments of the file.
    fn is_in_whole_granule(&self, candidate: &Candidate, key: &GranuleKey, related: &[RelatedAttempt<'_>]) -> bool {
        let wholes = related.iter().filter(|attempt| attempt.stored.rank.is_whole);
        if !key.is_extract() {
            let has_area = |row: &StoredAttempt| match candidate.is_reread {
                true => row.selection.area.is_none(),
                false => self.fingerprint.has_area(&row.selection, self.covers),
            };
            return wholes.clone().any(|attempt| has_area(attempt.stored));
        }
        // An extract of the next granule along the orbit shares some segments with this one, but not all.
        let segments = candidate.contents.as_ref().map_or(0, |contents| contents.segments.len());
        segments > 0 && wholes.map(|attempt| attempt.shared).sum::<usize>() >= segments
    }

    /// Whether the file keeps the segments that it shares with the attempt `row`. The newer release or revision keeps
    /// them; if these are equal, the file with more variables, then the file that names its release and revision. If
    /// two files are equal, the stored one stays.
    fn outranks(&self, candidate: &Candidate, rank: Rank, row: &StoredAttempt) -> bool {
        let stored = row.rank;
        if stored.is_whole {
            return false;
        }
        if rank.release.is_some() && stored.release.is_some() && rank.release != stored.release {
            return rank.release > stored.release || !self.is_of_this_run(&[row]);
        }
        // A revision or release that one of the files does not name is ignored until everything else is equal.
        let by_revision = rank.revision.zip(stored.revision).map_or(Ordering::Equal, |(own, other)| own.cmp(&other));
        let release = rank.release.or(stored.release);
        let by_variables = || {
            let own = count_variables(candidate, &self.fingerprint.variables, release);
            own.cmp(&count_stored_variables(row, release))
        };
        let by_names = || (rank.release, rank.revision).cmp(&(stored.release, stored.revision));
        by_revision.then_with(by_variables).then_with(by_names) == Ordering::Greater
    }

    fn attempt_plan(
        &self,
        replaced: &[&StoredAttempt],
        reason: Option<ReplaceReason>,
        release: Option<u16>,
    ) -> AttemptPlan {
        let areas = areas_of(Some(self.requested_areas()), replaced);
        let counts = ReplacedSegments::new(replaced);
        let is_comparable = |row: &&StoredAttempt| {
            let is_of_area = row.selection.area.clone().map(|area| vec![area]) == areas;
            is_of_area && self.fingerprint.has_same_filters(&row.selection) && row.rank.release == release
        };
        let minimum = match self.force {
            true => MinimumRows::default(),
            false => {
                let kept = if replaced.iter().all(is_comparable) { counts.kept } else { 0 };
                MinimumRows { read: counts.read, kept }
            }
        };
        let replaces = replaced.iter().map(|row| row.ingest_id).collect();
        AttemptPlan { replaces, areas, reason, replaced: counts, minimum, ..AttemptPlan::default() }
    }

    /// Whether the segments that `plan` stores are known: a file's segments are read within the requested area only.
    fn knows_segments(&self, candidate: &Candidate, plan: &AttemptPlan) -> bool {
        candidate.contents.is_some() && plan.areas == self.requested_areas()
    }

    fn requested_areas(&self) -> Option<Vec<String>> {
        self.fingerprint.area.clone().map(|area| vec![area])
    }

    fn is_satisfied_by(&self, row: &StoredAttempt) -> bool {
        self.fingerprint.is_satisfied_by(&row.selection, self.covers) && !self.to_reread.contains(&row.ingest_id)
    }

    fn is_of_this_run(&self, rows: &[&StoredAttempt]) -> bool {
        self.first_id_of_run.is_some_and(|first| rows.iter().any(|row| row.ingest_id >= first))
    }

    /// Returns the error of the newest attempt at the file, if it failed with the same content and filters and is not
    /// to be retried.
    fn failed_before(&self, candidate: &Candidate, ledger: &Ledger) -> Option<String> {
        let row = ledger.failed(&candidate.source()).filter(|_| !self.retry)?;
        // Failures that do not depend on the file are retried: it failed together with others of its window, or its
        // bytes could not be fetched.
        let Failure { stage: failed, error } = row.failure.as_deref()?;
        if [stage::WINDOW, DOWNLOAD, stage::READ].contains(&failed.as_str()) || (failed == stage::REPLACE && self.force)
        {
            return None;
        }
        let is_same_file =
            candidate.is_described || (has_size(candidate, row) && row.modified_at == candidate.modified_at);
        (is_same_file && self.fingerprint.has_same_filters(&row.selection)).then(|| error.clone())
    }
}

/// Returns the names of the requested areas together with the areas of `replaced`; None for whole granules. Without
/// requested areas, returns the areas of `replaced` alone. An attempt that kept nothing adds no area to a request: it
/// may be of an earlier region of the database.
fn areas_of(requested: Option<Option<Vec<String>>>, replaced: &[&StoredAttempt]) -> Option<Vec<String>> {
    let is_request = requested.is_some();
    let stored = replaced.iter().filter(|row| !is_request || row.rows_kept > 0);
    let stored = stored.map(|row| row.selection.area.clone().map(|area| vec![area]));
    let mut areas: Vec<String> = Vec::new();
    for names in requested.into_iter().chain(stored) {
        for name in names? {
            if !areas.contains(&name) {
                areas.push(name);
            }
        }
    }
    Some(areas)
}

/// Whether only the checksum can show that one of `rows` ingested the same content.
pub(crate) fn needs_checksum(candidate: &Candidate, rows: &[&StoredAttempt]) -> bool {
    let is_open =
        |row: &&StoredAttempt| has_size(candidate, row) && row.checksum.is_some() && !is_untouched(candidate, row);
    !candidate.is_described && candidate.checksum.is_none() && rows.iter().any(is_open)
}

/// Whether the file still has the content that the attempt `row` read. A file that is only described is identified by
/// its name: the archive gives changed content another revision.
pub(crate) fn is_unchanged(candidate: &Candidate, row: &StoredAttempt) -> bool {
    if candidate.is_described {
        return true;
    }
    has_size(candidate, row)
        && (is_untouched(candidate, row)
            || row.checksum.is_none()
            || candidate.checksum.as_deref() == row.checksum.as_deref())
}

/// Whether the file's time of last change equals the one in the ledger, so that the file does not have to be read.
/// Subsets of one granule have much in common, so for them the path has to be equal as well.
fn is_untouched(candidate: &Candidate, row: &StoredAttempt) -> bool {
    let has_time = row.modified_at.is_some() && candidate.modified_at == row.modified_at;
    has_time && (!row.is_subset || *row.source == *candidate.source())
}

fn has_size(candidate: &Candidate, row: &StoredAttempt) -> bool {
    u64::try_from(row.size_bytes) == Ok(candidate.size_bytes)
}

#[cfg(test)]
mod tests;
