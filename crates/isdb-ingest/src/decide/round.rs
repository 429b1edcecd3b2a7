//! One round of decisions on many files: which are ingested now, which wait for these, and which are skipped.
//!
//! The best file of each granule goes first. The other files wait, and are compared with the ledger again once the best
//! file is in it. So the older revision is ingested if the newer one cannot be read, and subsets merge with each other
//! in any order of files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use isdb_store::Id;

use crate::decide::attempt_plan::PlannedAttempt;
use crate::decide::decision::{Decision, DecisionContext, is_unchanged, needs_checksum};
use crate::decide::ledger::Ledger;
use crate::decide::rank::Rank;
use crate::decide::related::count_variables;
use crate::decide::skip_reason::SkipReason;
use crate::find::candidate::Candidate;
use crate::find::granule_key::GranuleKey;

/// The decisions on a list of files.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// To be ingested now, at most one file of each granule.
    pub(crate) now: Vec<PlannedAttempt>,
    /// To be decided in the next round, when the files of `now` are in the ledger.
    pub(crate) later: Vec<Candidate>,
    /// Skipped, and why.
    pub(crate) skipped: Vec<(Candidate, SkipReason)>,
    /// Failed before with this error and not retried.
    pub(crate) failed_before: Vec<(Candidate, String)>,
}

/// Returns the candidates whose checksum the decision depends on.
pub(crate) fn without_needed_checksum<'c>(
    candidates: &'c mut [Candidate],
    ledger: &Ledger,
) -> impl Iterator<Item = &'c mut Candidate> {
    candidates
        .iter_mut()
        .filter(|candidate| candidate.key().is_some_and(|key| needs_checksum(candidate, &ledger.of_granule(&key))))
}

/// Decides on `candidates`, granule by granule.
pub(crate) fn decide_round(candidates: Vec<Candidate>, ledger: &Ledger, context: &DecisionContext<'_>) -> Round {
    let mut round = Round::default();
    let mut granules: BTreeMap<GranuleKey, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        match candidate.key() {
            Some(key) => granules.entry(key).or_default().push(candidate),
            None => {
                let decision = context.decide(&candidate, ledger);
                round.add(candidate, decision);
            }
        }
    }
    for mut files in group_by_granule(granules) {
        let is_stored = |file: &Candidate| {
            file.key().is_some_and(|key| ledger.of_granule(&key).into_iter().any(|stored| is_unchanged(file, stored)))
        };
        let variables = |file: &Candidate| count_variables(file, &context.fingerprint.variables, rank(file).release);
        // The path decides last, so that the same files always give the same result.
        files.sort_by_cached_key(|file| {
            (Reverse(rank(file)), Reverse(variables(file)), !is_stored(file), file.path.clone())
        });
        round.add_granule(files, ledger, context);
    }
    round.postpone_conflicts();
    round
}

impl Round {
    /// Iterates over the files that are to be ingested, now or later.
    pub(crate) fn to_ingest(&self) -> impl Iterator<Item = &Candidate> {
        self.now.iter().map(|attempt| &attempt.candidate).chain(&self.later)
    }

    /// Returns the files that are to be ingested, now or later.
    pub(crate) fn into_candidates(self) -> Vec<Candidate> {
        self.now.into_iter().map(|attempt| attempt.candidate).chain(self.later).collect()
    }

    /// Adds the files of one granule, the best first.
    fn add_granule(&mut self, files: Vec<Candidate>, ledger: &Ledger, context: &DecisionContext<'_>) {
        let mut stored: Option<(Option<GranuleKey>, Rank)> = None;
        let mut files = files.into_iter();
        for file in files.by_ref() {
            let (key, rank) = (file.key(), rank(&file));
            let stored_whole =
                stored.as_ref().filter(|(stored_key, rank)| rank.is_whole && *stored_key == key && !file.is_reread);
            let decision = match stored_whole {
                Some(_) if !rank.is_whole => Decision::Skip(SkipReason::Subset),
                Some((_, stored)) if rank < *stored => Decision::Skip(SkipReason::Older),
                Some(_) => Decision::Skip(SkipReason::Stored),
                None => context.decide(&file, ledger),
            };
            if decision == Decision::Skip(SkipReason::Stored) {
                stored = stored.or(Some((key, rank)));
            }
            let is_ingested = matches!(decision, Decision::Ingest(_));
            self.add(file, decision);
            if is_ingested {
                break;
            }
        }
        self.later.extend(files);
    }

    /// Postpones attempts that depend on a stored attempt which another file of this round replaces. An extract may
    /// have segments of several granules, and each of these would write its remaining segments again. The first file
    /// always stays, so that rounds end.
    fn postpone_conflicts(&mut self) {
        let (mut replaced, mut needed): (HashSet<Id>, HashSet<Id>) = Default::default();
        for attempt in std::mem::take(&mut self.now) {
            let plan = &attempt.plan;
            let carried = plan.carries.iter().map(|carried| carried.row.ingest_id);
            let replaces: Vec<Id> = plan.replaces.iter().copied().chain(carried).collect();
            let conflicts = replaces.iter().any(|id| replaced.contains(id) || needed.contains(id))
                || plan.merges_with.iter().any(|id| replaced.contains(id));
            if conflicts {
                self.later.push(attempt.candidate);
                continue;
            }
            replaced.extend(replaces);
            needed.extend(&plan.merges_with);
            self.now.push(attempt);
        }
    }

    fn add(&mut self, candidate: Candidate, decision: Decision) {
        match decision {
            Decision::Ingest(plan) => self.now.push(PlannedAttempt { candidate, plan }),
            Decision::Skip(reason) => self.skipped.push((candidate, reason)),
            Decision::FailedBefore(error) => self.failed_before.push((candidate, error)),
        }
    }
}

/// The first and the last time of files, in nanoseconds since 1970.
type TimeRange = (i64, i64);

/// Groups files that may be of one granule: files with the same key, and extracts with the files whose times overlap
/// theirs.
fn group_by_granule(granules: BTreeMap<GranuleKey, Vec<Candidate>>) -> Vec<Vec<Candidate>> {
    let (extracts, named): (Vec<_>, Vec<_>) = granules.into_iter().partition(|(key, _)| key.is_extract());
    let mut groups: Vec<(Vec<Candidate>, Option<TimeRange>)> =
        named.into_iter().map(|(_, files)| (time_range(&files), files)).map(|(range, files)| (files, range)).collect();
    for (_, mut files) in extracts {
        let Some((mut first, mut last)) = time_range(&files) else {
            groups.push((files, None));
            continue;
        };
        let overlaps = |range: &Option<TimeRange>| range.is_some_and(|(from, to)| from <= last && first <= to);
        let (overlapping, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, range)| overlaps(range));
        for (more, range) in overlapping {
            files.extend(more);
            (first, last) = range.map_or((first, last), |(from, to)| (first.min(from), last.max(to)));
        }
        groups = others;
        groups.push((files, Some((first, last))));
    }
    groups.into_iter().map(|(files, _)| files).collect()
}

/// Returns the time range of all of `files`, as far as it is known.
fn time_range(files: &[Candidate]) -> Option<TimeRange> {
    files.iter().filter_map(Candidate::time_range).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Returns the rank of a file; the least for a file without identity.
fn rank(candidate: &Candidate) -> Rank {
    let least = Rank { is_whole: false, release: None, revision: None };
    candidate.identity.as_ref().map_or(least, Rank::new)
}

#[cfg(test)]
mod tests;
