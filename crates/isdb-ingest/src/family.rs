//! Which attempts have segments that a file has, too: those at other subsets of its granule and, of files that do not tell which
//! granule they are, those with segments of the same beams and times.

use std::sync::Arc;

use futures::StreamExt;
use isdb_pipeline::{SegmentSet, StoredSegments, file_contents};
use isdb_region::Region;
use isdb_schema::catalogue::{Variable, variable};
use isdb_store::LedgerRow;

use crate::identify::Candidate;
use crate::key::Key;
use crate::standing::Standing;

/// No granule of the product takes longer, in seconds: regions along the orbit span at most 33° of its 360°.
pub(crate) const LONGEST: i64 = 540;

const SECOND_NS: i64 = 1_000_000_000;

/// An attempt that stands and has to do with a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) row: &'a LedgerRow,
    /// How many of its segments the file has.
    pub(crate) shared: usize,
}

/// The attempts that have to do with the file `candidate`. What the file and the attempts hold is known only where
/// [`needs_holdings`] says so.
pub(crate) fn family<'a>(
    candidate: &Candidate,
    key: &Key,
    standing: &Standing<'a>,
    stored: &StoredSegments,
) -> Vec<Member<'a>> {
    let held = candidate.holds.as_ref().map(|holds| holds.segments.as_ref());
    let member = |row: &'a LedgerRow| Member { row, shared: shared(held, stored, row) };
    let own = standing.of_key(key).iter().copied().map(member);
    let others = others(candidate, key, standing).map(member).filter(|member| member.shared > 0);
    own.chain(others).collect()
}

fn shared(held: Option<&SegmentSet>, stored: &StoredSegments, row: &LedgerRow) -> usize {
    held.zip(stored.get(row.ingest_id.0)).map_or(0, |(held, stored)| held.count_shared(stored))
}

/// The attempts at other granules which may be the file's own: one of the two does not tell, and their times overlap.
fn others<'s, 'a>(
    candidate: &'s Candidate,
    key: &'s Key,
    standing: &'s Standing<'a>,
) -> impl Iterator<Item = &'a LedgerRow> + use<'s, 'a> {
    let (span, is_known) = (span(candidate), candidate.holds.is_some());
    let all = standing.rows().filter(|_| key.is_content());
    let strangers = standing.strangers().iter().copied().filter(|_| !key.is_content());
    all.chain(strangers)
        .filter(move |row| is_known && row.rows_kept > 0 && is_near(row, span) && Key::of_row(row) != *key)
}

/// The attempts at files that do not say which granule they are, and which may have segments of the file `candidate`, of which it is
/// not known what it holds: one that is read in place is not read twice.
pub(crate) fn unknown_strangers<'s, 'a>(
    candidate: &'s Candidate,
    key: &'s Key,
    standing: &'s Standing<'a>,
) -> impl Iterator<Item = &'a LedgerRow> + use<'s, 'a> {
    let (span, is_unknown) = (span(candidate), candidate.holds.is_none());
    let strangers = standing.strangers().iter().copied();
    strangers.filter(move |row| is_unknown && is_near(row, span) && Key::of_row(row) != *key)
}

/// When the file was measured, in nanoseconds since 1970; None where that is not known.
pub(crate) fn span(candidate: &Candidate) -> Option<(i64, i64)> {
    let told = candidate.identity.as_ref().ok()?.start.map(|start| start.saturating_mul(SECOND_NS));
    let granule = told.map(|start| (start, start.saturating_add(LONGEST * SECOND_NS)));
    candidate.holds.as_ref().and_then(|holds| holds.span).or(granule)
}

/// Whether the attempt may have segments of the time `span`.
fn is_near(row: &LedgerRow, span: Option<(i64, i64)>) -> bool {
    let (Some(start), Some((first, last))) = (row.start_time, span) else { return true };
    start <= last && first <= start.saturating_add((LONGEST + 1) * SECOND_NS)
}

/// Whether it has to be known what the file holds before it is decided what becomes of it.
pub(crate) fn needs_holdings(candidate: &Candidate, standing: &Standing<'_>, is_alone: bool) -> bool {
    let Ok(identity) = &candidate.identity else { return false };
    if candidate.is_described || candidate.holds.is_some() {
        return false;
    }
    let key = Key::of(identity);
    let has_strangers = || standing.strangers().iter().any(|row| is_near(row, span(candidate)));
    match identity.subset {
        _ if key.is_content() => true,
        true => !is_alone || !standing.of_key(&key).is_empty() || has_strangers(),
        false => has_strangers(),
    }
}

/// Looks what `candidates` hold of `variables` within `area`, `threads` at a time. A file that does not tell when its granule
/// begins gets its first segment's time.
pub(crate) async fn add_holdings<'a>(
    candidates: impl Iterator<Item = &'a mut Candidate>,
    variables: &[&'static Variable],
    area: Option<&Region>,
    threads: usize,
) {
    let reads = candidates.map(|candidate| {
        let (path, variables, area) = (candidate.path.clone(), variables.to_vec(), area.cloned());
        async move {
            let read = tokio::task::spawn_blocking(move || file_contents(&path, &variables, area.as_ref())).await;
            candidate.holds = read.ok().flatten().map(Arc::new);
            let span = candidate.holds.as_ref().and_then(|holds| holds.span);
            if let (Ok(identity), Some((first, last))) = (&mut candidate.identity, span)
                && last.saturating_sub(first) <= LONGEST * SECOND_NS
            {
                identity.start = identity.start.or(Some(first.div_euclid(SECOND_NS)));
            }
        }
    });
    futures::stream::iter(reads).buffer_unordered(threads.max(1)).collect::<Vec<()>>().await;
}

/// The attempts whose segments have to be known to decide about `candidates`.
pub(crate) fn related(candidates: &[Candidate], standing: &Standing<'_>) -> Vec<i64> {
    let mut related: Vec<i64> = Vec::new();
    for candidate in candidates.iter().filter(|candidate| candidate.holds.is_some()) {
        let Ok(identity) = &candidate.identity else { continue };
        let key = Key::of(identity);
        let own = standing.of_key(&key).iter().filter(|row| row.rows_kept > 0).copied();
        related.extend(own.chain(others(candidate, &key, standing)).map(|row| row.ingest_id.0));
    }
    related.sort_unstable();
    related.dedup();
    related
}

/// How many of `variables` the file has in all beams, of those that `release` has; zero where that is not known.
pub(crate) fn richness(candidate: &Candidate, variables: &[&'static str], release: Option<u16>) -> usize {
    let Some(holds) = &candidate.holds else { return 0 };
    variables.iter().filter(|name| is_of(name, release) && !holds.missing.contains(*name)).count()
}

/// The same of the file of an attempt.
pub(crate) fn richness_of(row: &LedgerRow, release: Option<u16>) -> usize {
    let missing: Vec<&str> = row.missing_variables.as_deref().unwrap_or_default().split(' ').collect();
    row.variables.split_whitespace().filter(|name| is_of(name, release) && !missing.contains(name)).count()
}

/// Whether `release` has the variable. What the ledger calls missing are those that the granule's own release has.
fn is_of(name: &str, release: Option<u16>) -> bool {
    let of_release = variable(name).zip(release);
    of_release.is_none_or(|(variable, release)| variable.releases.contains(release))
}
