//! Related attempts: the current attempts that may have segments in common with a file. These are the attempts at the
//! file's granule and, where either side is an extract (a file that does not name its granule), attempts with segments
//! of the same beams and times.

use std::sync::Arc;

use futures::StreamExt;
use isdb_pipeline::{SegmentSet, StoredSegments, file_contents};
use isdb_region::Region;
use isdb_schema::catalogue::{Variable, variable};

use crate::decide::ledger::Ledger;
use crate::decide::stored_attempt::StoredAttempt;
use crate::find::candidate::{Candidate, LONGEST_GRANULE_S, SECOND_NS};
use crate::find::granule_key::GranuleKey;

/// A current attempt that is related to a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelatedAttempt<'a> {
    pub(crate) stored: &'a StoredAttempt,
    /// The number of the attempt's segments that the file has as well.
    pub(crate) shared: usize,
}

/// Returns the attempts related to `candidate`. Shared segments are known only for candidates with contents
/// ([`needs_contents`]) and for the attempts in `segments`.
pub(crate) fn related_attempts<'a>(
    candidate: &Candidate,
    key: &GranuleKey,
    ledger: &'a Ledger,
    segments: &StoredSegments,
) -> Vec<RelatedAttempt<'a>> {
    let own_segments = candidate.contents.as_ref().map(|contents| contents.segments.as_ref());
    let related =
        |stored: &'a StoredAttempt| RelatedAttempt { stored, shared: count_shared(own_segments, segments, stored) };
    let own = ledger.of_granule(key).into_iter().map(related);
    let others = other_granules(candidate, key, ledger).map(related).filter(|related| related.shared > 0);
    own.chain(others).collect()
}

fn count_shared(segments: Option<&SegmentSet>, stored: &StoredSegments, row: &StoredAttempt) -> usize {
    segments.zip(stored.get(row.ingest_id.0)).map_or(0, |(segments, stored)| segments.count_shared(stored))
}

/// Returns the attempts at other granules that may have segments of the file: either side is an extract, and their
/// times overlap.
fn other_granules<'s, 'a>(
    candidate: &'s Candidate,
    key: &'s GranuleKey,
    ledger: &'a Ledger,
) -> impl Iterator<Item = &'a StoredAttempt> + use<'s, 'a> {
    let (range, is_known) = (candidate.time_range(), candidate.contents.is_some());
    let all = ledger.current().filter(|_| key.is_extract());
    let extracts = ledger.extracts().filter(|_| !key.is_extract());
    all.chain(extracts).filter(move |row| is_known && row.rows_kept > 0 && is_near(row, range) && row.key != *key)
}

/// Returns the attempts at extracts that may have segments of `candidate`, if its segments are not known: a file that
/// is read directly from S3 is not read twice.
pub(crate) fn extracts_nearby<'s, 'a>(
    candidate: &'s Candidate,
    key: &'s GranuleKey,
    ledger: &'a Ledger,
) -> impl Iterator<Item = &'a StoredAttempt> + use<'s, 'a> {
    let (range, is_unknown) = (candidate.time_range(), candidate.contents.is_none());
    let extracts = ledger.extracts();
    extracts.filter(move |row| is_unknown && is_near(row, range) && row.key != *key)
}

/// Whether the attempt `row` may have segments in the time range.
fn is_near(row: &StoredAttempt, range: Option<(i64, i64)>) -> bool {
    let (Some(start), Some((first, last))) = (row.start_time, range) else { return true };
    start <= last && first <= start.saturating_add((LONGEST_GRANULE_S + 1) * SECOND_NS)
}

/// Whether the decision on `candidate` depends on its segments and variables. `is_alone` is whether no other candidate
/// may have the same segments.
pub(crate) fn needs_contents(candidate: &Candidate, ledger: &Ledger, is_alone: bool) -> bool {
    let Ok(identity) = &candidate.identity else { return false };
    if candidate.is_described || candidate.contents.is_some() {
        return false;
    }
    let key = GranuleKey::from_identity(identity);
    let has_extracts = || ledger.extracts().any(|row| is_near(row, candidate.time_range()));
    match identity.subset {
        _ if key.is_extract() => true,
        true => !is_alone || !ledger.of_granule(&key).is_empty() || has_extracts(),
        false => has_extracts(),
    }
}

/// Reads the segments within `area` of `candidates` and which of `variables` they have, `threads` at a time. A file
/// that does not contain the start of its granule gets the time of its first segment.
pub(crate) async fn add_contents<'a>(
    candidates: impl Iterator<Item = &'a mut Candidate>,
    variables: &[&'static Variable],
    area: Option<&Region>,
    threads: usize,
) {
    let reads = candidates.map(|candidate| {
        let (path, variables, area) = (candidate.path.clone(), variables.to_vec(), area.cloned());
        async move {
            let read = tokio::task::spawn_blocking(move || file_contents(&path, &variables, area.as_ref())).await;
            candidate.contents = read.ok().flatten().map(Arc::new);
            let range = candidate.contents.as_ref().and_then(|contents| contents.span);
            if let (Ok(identity), Some((first, last))) = (&mut candidate.identity, range)
                && last.saturating_sub(first) <= LONGEST_GRANULE_S * SECOND_NS
            {
                identity.start = identity.start.or(Some(first.div_euclid(SECOND_NS)));
            }
        }
    });
    futures::stream::iter(reads).buffer_unordered(threads.max(1)).collect::<Vec<()>>().await;
}

/// Returns the ids of the attempts whose segments have to be read to decide on `candidates`.
pub(crate) fn ids_to_compare(candidates: &[Candidate], ledger: &Ledger) -> Vec<i64> {
    let mut ids: Vec<i64> = Vec::new();
    for candidate in candidates.iter().filter(|candidate| candidate.contents.is_some()) {
        let Some(key) = candidate.key() else { continue };
        let own = ledger.of_granule(&key).into_iter().filter(|row| row.rows_kept > 0);
        ids.extend(own.chain(other_granules(candidate, &key, ledger)).map(|row| row.ingest_id.0));
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Counts the variables that the file has in all beams, of those in `variables` that `release` has. Zero if its
/// variables are not known.
pub(crate) fn count_variables(candidate: &Candidate, variables: &[&'static str], release: Option<u16>) -> usize {
    let Some(contents) = &candidate.contents else { return 0 };
    variables.iter().filter(|name| is_in_release(name, release) && !contents.missing.contains(*name)).count()
}

/// Counts the variables that the file of the attempt `row` had, of those that `release` has.
pub(crate) fn count_stored_variables(row: &StoredAttempt, release: Option<u16>) -> usize {
    let missing: Vec<&str> = row.selection.missing_variables.as_deref().unwrap_or_default().split(' ').collect();
    row.selection
        .variables
        .split_whitespace()
        .filter(|name| is_in_release(name, release) && !missing.contains(name))
        .count()
}

/// Whether `release` has the variable. The ledger's `missing_variables` lists only variables that the granule's own
/// release has.
fn is_in_release(name: &str, release: Option<u16>) -> bool {
    let known = variable(name).zip(release);
    known.is_none_or(|(variable, release)| variable.releases.contains(release))
}
