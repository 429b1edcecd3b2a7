//! What is to become of one file, given what the ledger says of its granule.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use isdb_pipeline::{GranuleIdentity, MinimumRows, StoredSegments, stage};
use isdb_store::{Id, LedgerRow};

use crate::family::{Member, family, richness, richness_of, unknown_strangers};
use crate::identify::Candidate;
use crate::key::{Key, Rank};
use crate::report::Skip;
use crate::standing::Standing;
use crate::taking::{Before, Taking, Why};
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
    /// Whether a file replaces what is stored however few segments it has.
    pub(crate) force: bool,
    /// The first id of this run's attempts, once there is one.
    pub(crate) since: Option<Id>,
    /// The segments of the attempts that files may share some with.
    pub(crate) stored: &'a StoredSegments,
    /// The attempts whose files have to be read again, since others no longer have what these left to them.
    pub(crate) owed: &'a BTreeSet<Id>,
}

/// What is to become of one file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It is ingested.
    Take(Taking),
    /// It is left out, which is no failure.
    Skip(Skip),
    /// It failed before with this error, and is as it was.
    FailedBefore(String),
}

impl Rules<'_> {
    /// What is to become of `candidate`.
    pub(crate) fn verdict(&self, candidate: &Candidate, standing: &Standing<'_>) -> Verdict {
        let verdict = match &candidate.identity {
            Ok(identity) => self.of_granule(candidate, identity, standing),
            // A file that cannot be read has a name only, which says nothing of what is in the database.
            Err(_) => Verdict::Take(self.taking(&[], None, None)),
        };
        match (verdict, self.failed_before(candidate, standing)) {
            (Verdict::Take(_), Some(error)) => Verdict::FailedBefore(error),
            (verdict, _) => verdict,
        }
    }

    fn of_granule(&self, candidate: &Candidate, identity: &GranuleIdentity, standing: &Standing<'_>) -> Verdict {
        let (key, rank) = (Key::of(identity), Rank::of(identity));
        if standing.is_removed(&key, &identity.id, rank) && !candidate.is_named && !candidate.is_only_again {
            return Verdict::Skip(Skip::Removed);
        }
        let family = family(candidate, &key, standing, self.stored);
        match rank.is_whole {
            true => {
                let unknown: Vec<Id> = unknown_strangers(candidate, &key, standing).map(|row| row.ingest_id).collect();
                self.of_whole(candidate, rank, standing.of_key(&key), &family, &unknown)
            }
            false => self.of_subset(candidate, rank, &key, &family),
        }
    }

    /// A whole granule, where `rows` are the attempts at it and its subsets. Of files that do not say which granule they are it
    /// replaces the segments that it has, too; `unknown` are those of which that is not known, and which keep theirs.
    fn of_whole(
        &self,
        candidate: &Candidate,
        rank: Rank,
        rows: &[&LedgerRow],
        family: &[Member<'_>],
        unknown: &[Id],
    ) -> Verdict {
        let strangers = family.iter().filter(|member| rows.iter().all(|row| row.ingest_id != member.row.ingest_id));
        let take = |rows: &[&LedgerRow], why, is_other_release| {
            let mut taking = Taking { is_other_release, ..self.taking(rows, why, rank.release) };
            let is_known = self.is_known(candidate, &taking);
            for member in strangers.clone() {
                match is_known {
                    true => taking.carry(*member),
                    false => taking.merges_with.push(member.row.ingest_id),
                }
            }
            taking.merges_with.extend(unknown);
            Verdict::Take(taking)
        };
        let Some(stored) = rows.iter().map(|row| Rank::of_row(row)).max() else { return take(&[], None, false) };
        let is_other_release = rank.release.is_some() && stored.release.is_some() && rank.release != stored.release;
        let is_same = rows.iter().any(|row| is_unchanged(candidate, row));
        match rank.cmp(&stored) {
            _ if is_other_release && !self.is_of_this_run(rows) => take(rows, Some(Why::Outranks(stored)), true),
            Ordering::Greater => take(rows, Some(Why::Outranks(stored)), is_other_release),
            Ordering::Less => Verdict::Skip(Skip::Older),
            Ordering::Equal if self.is_of_this_run(rows) => Verdict::Skip(Skip::Copy),
            Ordering::Equal if is_same && rows.iter().any(|row| self.is_met_by(row)) => Verdict::Skip(Skip::Stored),
            Ordering::Equal if is_same => take(rows, Some(Why::Asked), false),
            Ordering::Equal => take(rows, Some(Why::Changed), false),
        }
    }

    /// A subset, or a file that does not tell its granule. Segment by segment, the better of two files keeps what both have, and
    /// what only one has stays.
    fn of_subset(&self, candidate: &Candidate, rank: Rank, key: &Key, family: &[Member<'_>]) -> Verdict {
        if self.is_in_whole(candidate, key, family) {
            return Verdict::Skip(Skip::Subset);
        }
        let (same, others): (Vec<Member<'_>>, _) =
            family.iter().partition(|member| is_unchanged(candidate, member.row));
        if same.iter().any(|member| self.is_met_by(member.row)) {
            return Verdict::Skip(Skip::Stored);
        }
        let source = candidate.source();
        let is_before = |member: &Member<'_>| same.is_empty() && member.row.source == source;
        let (before, others): (Vec<Member<'_>>, Vec<Member<'_>>) = others.into_iter().partition(is_before);
        let (replaced, why) = match (same.is_empty(), before.is_empty()) {
            (false, _) if same.iter().any(|member| self.owed.contains(&member.row.ingest_id)) => {
                (same, Some(Why::Again))
            }
            (false, _) => (same, Some(Why::Asked)),
            (true, false) => (before, Some(Why::Changed)),
            (true, true) => (Vec::new(), None),
        };
        let rows: Vec<&LedgerRow> = replaced.iter().map(|member| member.row).collect();
        let mut taking = self.taking(&rows, why, rank.release);
        if candidate.is_only_again {
            // Nobody asked for more of it.
            taking.area = area_of(None, &rows);
        }
        let is_known = self.is_known(candidate, &taking);
        for member in others {
            match self.outranks(candidate, rank, member.row) {
                true if is_known => {
                    let release = Rank::of_row(member.row).release;
                    taking.is_other_release |= member.shared > 0 && release.is_some() && release != rank.release;
                    taking.carry(member);
                }
                _ => taking.merges_with.push(member.row.ingest_id),
            }
        }
        Verdict::Take(taking)
    }

    /// Whether a whole granule that stands has all of the file, as far as it is asked for.
    fn is_in_whole(&self, candidate: &Candidate, key: &Key, family: &[Member<'_>]) -> bool {
        let wholes = family.iter().filter(|member| Rank::of_row(member.row).is_whole);
        if !key.is_content() {
            let has_area = |row: &LedgerRow| match candidate.is_only_again {
                true => row.area.is_none(),
                false => self.wanted.has_area(row, self.covers),
            };
            return wholes.clone().any(|member| has_area(member.row));
        }
        // It may be of the next granule along the orbit, which shares some segments with this one.
        let held = candidate.holds.as_ref().map_or(0, |holds| holds.segments.len());
        held > 0 && wholes.map(|member| member.shared).sum::<usize>() >= held
    }

    /// Whether the file keeps the segments that the attempt `row` has, too: a newer release or revision does, and of the same one
    /// the file with more variables, then the one that tells which it is. Of two alike the first stays.
    fn outranks(&self, candidate: &Candidate, rank: Rank, row: &LedgerRow) -> bool {
        let stored = Rank::of_row(row);
        if stored.is_whole {
            return false;
        }
        if rank.release.is_some() && stored.release.is_some() && rank.release != stored.release {
            return rank.release > stored.release || !self.is_of_this_run(&[row]);
        }
        // What one of them does not tell decides nothing, unless everything else is alike.
        let order = rank.revision.zip(stored.revision).map_or(Ordering::Equal, |(own, other)| own.cmp(&other));
        let release = rank.release.or(stored.release);
        let richer = || richness(candidate, &self.wanted.variables, release).cmp(&richness_of(row, release));
        let telling = || (rank.release, rank.revision).cmp(&(stored.release, stored.revision));
        order.then_with(richer).then_with(telling) == Ordering::Greater
    }

    fn taking(&self, replaced: &[&LedgerRow], why: Option<Why>, release: Option<u16>) -> Taking {
        let area = area_of(Some(self.wanted.area.clone().map(|asked| vec![asked])), replaced);
        let before = Before::of(replaced);
        let is_alike = |row: &&LedgerRow| {
            let is_of_area = row.area.clone().map(|area| vec![area]) == area;
            is_of_area && self.wanted.filters_as(row) && Rank::of_row(row).release == release
        };
        let least = match self.force {
            true => MinimumRows::default(),
            false => {
                MinimumRows { read: before.read, kept: if replaced.iter().all(is_alike) { before.kept } else { 0 } }
            }
        };
        let replaces = replaced.iter().map(|row| row.ingest_id).collect();
        Taking { replaces, area, why, before, least, ..Taking::default() }
    }

    /// Whether it is known which segments `taking` brings: what a file holds is looked up within the area that is asked for only.
    fn is_known(&self, candidate: &Candidate, taking: &Taking) -> bool {
        candidate.holds.is_some() && taking.area == self.wanted.area.clone().map(|asked| vec![asked])
    }

    fn is_met_by(&self, row: &LedgerRow) -> bool {
        self.wanted.is_met_by(row, self.covers) && !self.owed.contains(&row.ingest_id)
    }

    fn is_of_this_run(&self, rows: &[&LedgerRow]) -> bool {
        self.since.is_some_and(|since| rows.iter().any(|row| row.ingest_id >= since))
    }

    /// Why the file failed, if it did the last time, was as it is now, and went through the same filters.
    fn failed_before(&self, candidate: &Candidate, standing: &Standing<'_>) -> Option<String> {
        let row = standing.failed(&candidate.source()).filter(|_| !self.retry)?;
        // What failed for the sake of others is tried again with them, and what could not be fetched or read for the moment says
        // nothing of the file.
        let stage = row.stage.as_deref().unwrap_or_default();
        if [stage::WINDOW, DOWNLOAD, stage::READ].contains(&stage) || (stage == stage::REPLACE && self.force) {
            return None;
        }
        let is_as_it_was =
            candidate.is_described || (has_size(candidate, row) && row.modified_at == candidate.modified_at);
        (is_as_it_was && self.wanted.filters_as(row)).then(|| row.error.clone().unwrap_or_default())
    }
}

/// The areas `asked` for and those of `replaced` together, by name; None for whole granules. Without a request those of
/// `replaced` alone. An attempt that kept nothing adds no area to a request: it may be of a region that the database had before.
fn area_of(asked: Option<Option<Vec<String>>>, replaced: &[&LedgerRow]) -> Option<Vec<String>> {
    let is_request = asked.is_some();
    let stored = replaced.iter().filter(|row| !is_request || row.rows_kept > 0);
    let stored = stored.map(|row| row.area.clone().map(|area| vec![area]));
    let mut areas: Vec<String> = Vec::new();
    for area in asked.into_iter().chain(stored) {
        for name in area? {
            if !areas.contains(&name) {
                areas.push(name);
            }
        }
    }
    Some(areas)
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
