//! Which files are ingested now, which wait for those, and which are left out.
//!
//! Of the files of one granule the best goes first, and the others wait: when it is in the ledger, they are held against it.
//! So the older revision is taken if the newer cannot be read, and subsets merge with each other, whatever order they come in.

use std::collections::BTreeMap;

use crate::identify::Candidate;
use crate::key::{Key, Rank};
use crate::report::Skip;
use crate::standing::Standing;
use crate::verdict::{Rules, Taking, Verdict, is_unchanged, needs_checksum};

/// A file to ingest, and how.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) candidate: Candidate,
    pub(crate) taking: Taking,
}

/// Bytes of the files of `attempts`.
pub(crate) fn size(attempts: &[Attempt]) -> u64 {
    attempts.iter().map(|attempt| attempt.candidate.size_bytes).sum()
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
    for (key, mut files) in granules {
        let rows = standing.of_key(&key);
        let is_known = |file: &Candidate| rows.iter().any(|row| is_unchanged(file, row));
        // The path decides last, so that the same files always end the same.
        files.sort_by_cached_key(|file| (std::cmp::Reverse(rank(file)), !is_known(file), file.path.clone()));
        selected.add_granule(files, standing, rules);
    }
    selected
}

impl Selected {
    /// The files that are to be ingested, now or later.
    pub(crate) fn candidates(self) -> Vec<Candidate> {
        self.now.into_iter().map(|attempt| attempt.candidate).chain(self.later).collect()
    }

    /// Adds the files of one granule, the best first.
    fn add_granule(&mut self, files: Vec<Candidate>, standing: &Standing<'_>, rules: &Rules<'_>) {
        let mut stored: Option<Rank> = None;
        let mut files = files.into_iter();
        for file in files.by_ref() {
            let rank = rank(&file);
            let verdict = match stored {
                Some(stored) if rank < stored && stored.is_whole && !rank.is_whole => Verdict::Skip(Skip::Subset),
                Some(stored) if rank < stored => Verdict::Skip(Skip::Older),
                Some(stored) if stored.is_whole => Verdict::Skip(Skip::Stored),
                _ => rules.verdict(&file, standing),
            };
            if verdict == Verdict::Skip(Skip::Stored) {
                stored = stored.or(Some(rank));
            }
            let is_taken = matches!(verdict, Verdict::Take(_));
            self.add(file, verdict);
            if is_taken {
                break;
            }
        }
        self.later.extend(files);
    }

    fn add(&mut self, candidate: Candidate, verdict: Verdict) {
        match verdict {
            Verdict::Take(taking) => self.now.push(Attempt { candidate, taking }),
            Verdict::Skip(why) => self.skipped.push((candidate, why)),
            Verdict::FailedBefore(error) => self.failed_before.push((candidate, error)),
        }
    }
}

/// A file without identity has no rank and no granule to be compared in.
fn rank(candidate: &Candidate) -> Rank {
    let nothing = Rank { is_whole: false, release: None, revision: None };
    candidate.identity.as_ref().map_or(nothing, Rank::of)
}

#[cfg(test)]
mod tests;
