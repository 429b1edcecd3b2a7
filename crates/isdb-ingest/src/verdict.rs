//! What is to become of one file, given what the ledger says of its granule.

use std::fmt;

use isdb_datafusion::{GranuleIdentity, WINDOW};
use isdb_store::{Id, LedgerRow};

use crate::identify::Candidate;
use crate::key::{Key, Rank};
use crate::report::Skip;
use crate::standing::Standing;
use crate::wanted::Wanted;

/// The stage of what failed on its way from the archive: that says nothing of the file, so it is tried again.
pub(crate) const DOWNLOAD: &str = "download";

/// What files are held against.
pub(crate) struct Rules<'a> {
    /// What is asked for.
    pub(crate) wanted: &'a Wanted,
    /// Whether the first area contains the second, both by the names that the ledger has for them.
    pub(crate) covers: &'a dyn Fn(&str, &str) -> bool,
    /// Whether files that failed before are tried again.
    pub(crate) retry: bool,
    /// The first id of this run's attempts, once there is one.
    pub(crate) since: Option<Id>,
}

/// What is to become of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is ingested.
    Take(Taking),
    /// It is left out, which is no failure.
    Skip(Skip),
    /// It failed before with this error, and is as it was.
    FailedBefore(String),
}

/// How a file is ingested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taking {
    /// The attempts whose rows leave in the same commit.
    pub(crate) replaces: Vec<Id>,
    /// The attempts whose rows stay and are not stored a second time.
    pub(crate) merges_with: Vec<Id>,
    /// The areas to take, by name; None for the whole granule. Never less than what is replaced had.
    pub(crate) area: Option<Vec<String>>,
    /// Why something is replaced.
    pub(crate) why: Option<Why>,
    /// Whether what is replaced is of another release, so that the window's replacements go together or not at all.
    pub(crate) is_other_release: bool,
}

/// Why rows that are stored are replaced. Displays as a note of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The file is no longer what was ingested.
    Changed,
    /// More is asked for, or something else.
    Asked,
    /// The file outranks this.
    Outranks(Rank),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Changed => f.write_str("the file has changed since it was ingested"),
            Why::Asked => f.write_str("ingested again for what was not asked for before"),
            Why::Outranks(rank) => write!(f, "replaces {rank}"),
        }
    }
}

impl Rules<'_> {
    /// What is to become of `candidate`.
    pub(crate) fn verdict(&self, candidate: &Candidate, standing: &Standing<'_>) -> Verdict {
        let verdict = match &candidate.identity {
            Ok(identity) => self.of_granule(candidate, identity, standing),
            // A file that cannot be read has a name only, which says nothing of what is in the database.
            Err(_) => Verdict::Take(self.taking(&[], &[], None)),
        };
        match (verdict, self.failed_before(candidate, standing)) {
            (Verdict::Take(_), Some(error)) => Verdict::FailedBefore(error),
            (verdict, _) => verdict,
        }
    }

    fn of_granule(&self, candidate: &Candidate, identity: &GranuleIdentity, standing: &Standing<'_>) -> Verdict {
        let (key, rank) = (Key::of(identity), Rank::of(identity));
        let rows = standing.of_key(&key);
        let Some(stored) = rows.iter().map(|row| Rank::of_row(row)).max() else {
            let is_removed = standing.removed(&key).is_some_and(|removed| rank <= removed);
            return match is_removed && !candidate.is_named {
                true => Verdict::Skip(Skip::Removed),
                false => Verdict::Take(self.taking(&[], &[], None)),
            };
        };
        if stored.is_whole && !rank.is_whole {
            return Verdict::Skip(Skip::Subset);
        }
        let is_other_release = rank.release.is_some() && stored.release.is_some() && rank.release != stored.release;
        if rank > stored || (is_other_release && !self.is_of_this_run(rows)) {
            let why = Some(Why::Outranks(stored));
            return Verdict::Take(Taking { is_other_release, ..self.taking(rows, &[], why) });
        }
        match rank < stored {
            true => Verdict::Skip(Skip::Older),
            false if rank.is_whole => self.of_whole(candidate, rows),
            false => self.of_subset(candidate, rows),
        }
    }

    /// A whole granule of the release and revision that stands.
    fn of_whole(&self, candidate: &Candidate, rows: &[&LedgerRow]) -> Verdict {
        let is_same = rows.iter().any(|row| is_unchanged(candidate, row));
        match () {
            () if self.is_of_this_run(rows) => Verdict::Skip(Skip::Copy),
            () if is_same && rows.iter().any(|row| self.wanted.is_met_by(row, self.covers)) => {
                Verdict::Skip(Skip::Stored)
            }
            () if is_same => Verdict::Take(self.taking(rows, &[], Some(Why::Asked))),
            () => Verdict::Take(self.taking(rows, &[], Some(Why::Changed))),
        }
    }

    /// A subset of the release and revision that stands, as other subsets.
    fn of_subset(&self, candidate: &Candidate, rows: &[&LedgerRow]) -> Verdict {
        let (same, others): (Vec<&LedgerRow>, _) = rows.iter().partition(|row| is_unchanged(candidate, row));
        if same.iter().any(|row| self.wanted.is_met_by(row, self.covers)) {
            return Verdict::Skip(Skip::Stored);
        }
        if !same.is_empty() {
            return Verdict::Take(self.taking(&same, &others, Some(Why::Asked)));
        }
        let source = candidate.source();
        let (before, others): (Vec<&LedgerRow>, _) = rows.iter().partition(|row| row.source == source);
        let why = (!before.is_empty()).then_some(Why::Changed);
        Verdict::Take(self.taking(&before, &others, why))
    }

    fn taking(&self, replaced: &[&LedgerRow], merged: &[&LedgerRow], why: Option<Why>) -> Taking {
        let mut area = self.wanted.area.clone().map(|asked| vec![asked]);
        for row in replaced {
            area = match (area, &row.area) {
                (Some(mut areas), Some(stored)) => {
                    if !areas.contains(stored) {
                        areas.push(stored.clone());
                    }
                    Some(areas)
                }
                _ => None,
            };
        }
        let ids = |rows: &[&LedgerRow]| rows.iter().map(|row| row.ingest_id).collect();
        Taking { replaces: ids(replaced), merges_with: ids(merged), area, why, is_other_release: false }
    }

    fn is_of_this_run(&self, rows: &[&LedgerRow]) -> bool {
        self.since.is_some_and(|since| rows.iter().any(|row| row.ingest_id >= since))
    }

    /// Why the file failed, if it did the last time, was as it is now, and went through the same filters.
    fn failed_before(&self, candidate: &Candidate, standing: &Standing<'_>) -> Option<String> {
        let row = standing.failed(&candidate.source()).filter(|_| !self.retry)?;
        // What failed for the sake of others is tried again with them, and what did not come says nothing of the file.
        if row.stage.as_deref().is_some_and(|stage| [WINDOW, DOWNLOAD].contains(&stage)) {
            return None;
        }
        let is_as_it_was =
            candidate.is_described || (has_size(candidate, row) && row.modified_at == candidate.modified_at);
        (is_as_it_was && self.wanted.filters_as(row)).then(|| row.error.clone().unwrap_or_default())
    }
}

/// Whether only the checksum can tell if `candidate` is what one of `rows` ingested.
pub(crate) fn needs_checksum(candidate: &Candidate, rows: &[&LedgerRow]) -> bool {
    let is_open =
        |row: &&LedgerRow| has_size(candidate, row) && row.checksum.is_some() && !is_untouched(candidate, row);
    !candidate.is_described && candidate.checksum.is_none() && rows.iter().any(is_open)
}

/// Whether the file holds what the attempt `row` read. A file that was not looked at is taken for the one that its name
/// says: the archive gives another revision to what it changes.
pub(crate) fn is_unchanged(candidate: &Candidate, row: &LedgerRow) -> bool {
    if candidate.is_described {
        return true;
    }
    has_size(candidate, row)
        && (is_untouched(candidate, row) || row.checksum.is_none() || candidate.checksum == row.checksum)
}

/// A file of the size and time that the ledger knows is not read. Subsets of one granule have much in common, so for them it
/// has to be the same file, too.
fn is_untouched(candidate: &Candidate, row: &LedgerRow) -> bool {
    let has_time = row.modified_at.is_some() && candidate.modified_at == row.modified_at;
    has_time && (row.subset != Some(true) || row.source == candidate.source())
}

fn has_size(candidate: &Candidate, row: &LedgerRow) -> bool {
    u64::try_from(row.size_bytes) == Ok(candidate.size_bytes)
}

#[cfg(test)]
mod tests;
