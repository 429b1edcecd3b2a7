//! Which files are ingested now, which wait for those, and which are left out.
//!
//! Of the files of one granule the best goes first, and the others wait: when it is in the ledger, they are held against it.
//! So the older revision is taken if the newer cannot be read, and subsets merge with each other, whatever order they come in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use isdb_store::Id;

use crate::family::{richness, span};
use crate::identify::{Candidate, sum};
use crate::key::{Key, Rank};
use crate::report::Skip;
use crate::standing::Standing;
use crate::taking::Taking;
use crate::verdict::{Rules, Verdict, is_unchanged, needs_checksum};

/// A file to ingest, and how.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) candidate: Candidate,
    pub(crate) taking: Taking,
}

/// Bytes of the files of `attempts`.
pub(crate) fn size(attempts: &[Attempt]) -> u64 {
    sum(attempts.iter().map(|attempt| attempt.candidate.size_bytes))
}

/// What becomes of a list of files.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// To be ingested, at most one file for each granule.
    pub(crate) now: Vec<Attempt>,
    /// To be selected from again when those are in the ledger.
    pub(crate) later: Vec<Candidate>,
    /// Left out, and why.
    pub(crate) skipped: Vec<(Candidate, Skip)>,
    /// Failed before with this error and not tried again.
    pub(crate) failed_before: Vec<(Candidate, String)>,
}

/// Those of `candidates` whose checksum decides what becomes of them.
pub(crate) fn doubtful<'c>(
    candidates: &'c mut [Candidate],
    standing: &Standing<'_>,
) -> impl Iterator<Item = &'c mut Candidate> {
    candidates.iter_mut().filter(|candidate| match &candidate.identity {
        Ok(identity) => needs_checksum(candidate, standing.of_key(&Key::of(identity))),
        Err(_) => false,
    })
}

/// Holds `candidates` against what stands, granule by granule.
pub(crate) fn select(candidates: Vec<Candidate>, standing: &Standing<'_>, rules: &Rules<'_>) -> Selected {
    let mut selected = Selected::default();
    let mut granules: BTreeMap<Key, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        match &candidate.identity {
            Ok(identity) => granules.entry(Key::of(identity)).or_default().push(candidate),
            Err(_) => {
                let verdict = rules.verdict(&candidate, standing);
                selected.add(candidate, verdict);
            }
        }
    }
    for mut files in joined(granules) {
        let is_known = |file: &Candidate| {
            let rows = key(file).map_or(&[][..], |key| standing.of_key(&key));
            rows.iter().any(|row| is_unchanged(file, row))
        };
        let richness = |file: &Candidate| richness(file, &rules.wanted.variables, rank(file).release);
        // The path decides last, so that the same files always end the same.
        files.sort_by_cached_key(|file| {
            (Reverse(rank(file)), Reverse(richness(file)), !is_known(file), file.path.clone())
        });
        selected.add_granule(files, standing, rules);
    }
    selected.postpone_conflicts();
    selected
}

impl Selected {
    /// The files that are to be ingested, now or later.
    pub(crate) fn candidates(self) -> Vec<Candidate> {
        self.now.into_iter().map(|attempt| attempt.candidate).chain(self.later).collect()
    }

    /// Adds the files of one granule, the best first.
    fn add_granule(&mut self, files: Vec<Candidate>, standing: &Standing<'_>, rules: &Rules<'_>) {
        let mut stored: Option<(Option<Key>, Rank)> = None;
        let mut files = files.into_iter();
        for file in files.by_ref() {
            let (key, rank) = (key(&file), rank(&file));
            let whole = stored.as_ref().filter(|(of, rank)| rank.is_whole && *of == key && !file.is_only_again);
            let verdict = match whole {
                Some(_) if !rank.is_whole => Verdict::Skip(Skip::Subset),
                Some((_, stored)) if rank < *stored => Verdict::Skip(Skip::Older),
                Some(_) => Verdict::Skip(Skip::Stored),
                None => rules.verdict(&file, standing),
            };
            if verdict == Verdict::Skip(Skip::Stored) {
                stored = stored.or(Some((key, rank)));
            }
            let is_taken = matches!(verdict, Verdict::Take(_));
            self.add(file, verdict);
            if is_taken {
                break;
            }
        }
        self.later.extend(files);
    }

    /// Leaves for the next round what was decided against an attempt that leaves with another file of this round: a file without
    /// identity may have segments of several granules, and each of them would write again what is left of it. The first file
    /// always stays, so that rounds come to an end.
    fn postpone_conflicts(&mut self) {
        let (mut gone, mut needed): (HashSet<Id>, HashSet<Id>) = Default::default();
        for attempt in std::mem::take(&mut self.now) {
            let taking = &attempt.taking;
            let carried = taking.carries.iter().map(|carry| carry.row.ingest_id);
            let leaving: Vec<Id> = taking.replaces.iter().copied().chain(carried).collect();
            let conflicts = leaving.iter().any(|id| gone.contains(id) || needed.contains(id))
                || taking.merges_with.iter().any(|id| gone.contains(id));
            if conflicts {
                self.later.push(attempt.candidate);
                continue;
            }
            gone.extend(leaving);
            needed.extend(&taking.merges_with);
            self.now.push(attempt);
        }
    }

    fn add(&mut self, candidate: Candidate, verdict: Verdict) {
        match verdict {
            Verdict::Take(taking) => self.now.push(Attempt { candidate, taking }),
            Verdict::Skip(why) => self.skipped.push((candidate, why)),
            Verdict::FailedBefore(error) => self.failed_before.push((candidate, error)),
        }
    }
}

/// The first and the last time of files, in nanoseconds since 1970.
type Span = (i64, i64);

/// The files by granule, those together that may be of one since their times overlap and one does not tell its granule.
fn joined(granules: BTreeMap<Key, Vec<Candidate>>) -> Vec<Vec<Candidate>> {
    let (strangers, told): (Vec<_>, Vec<_>) = granules.into_iter().partition(|(key, _)| key.is_content());
    let mut groups: Vec<(Vec<Candidate>, Option<Span>)> =
        told.into_iter().map(|(_, files)| (spanned(&files), files)).map(|(span, files)| (files, span)).collect();
    for (_, mut files) in strangers {
        let Some((mut first, mut last)) = spanned(&files) else {
            groups.push((files, None));
            continue;
        };
        let overlaps = |span: &Option<(i64, i64)>| span.is_some_and(|(from, to)| from <= last && first <= to);
        let (joined, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, span)| overlaps(span));
        for (more, span) in joined {
            files.extend(more);
            (first, last) = span.map_or((first, last), |(from, to)| (first.min(from), last.max(to)));
        }
        groups = others;
        groups.push((files, Some((first, last))));
    }
    groups.into_iter().map(|(files, _)| files).collect()
}

/// The time of all of `files`, as far as it is known.
fn spanned(files: &[Candidate]) -> Option<(i64, i64)> {
    files.iter().filter_map(span).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

fn key(candidate: &Candidate) -> Option<Key> {
    candidate.identity.as_ref().ok().map(Key::of)
}

/// A file without identity has no rank and no granule to be compared in.
fn rank(candidate: &Candidate) -> Rank {
    let nothing = Rank { is_whole: false, release: None, revision: None };
    candidate.identity.as_ref().map_or(nothing, Rank::of)
}

#[cfg(test)]
mod tests;
