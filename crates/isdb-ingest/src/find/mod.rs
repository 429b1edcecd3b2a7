//! Candidates of a request: the files behind its paths, or the archive's descriptions, with the granule in each.
//!
//! `files` lists the files, `objects` those in buckets, `identify` reads which granule each one is, `candidate` is the result. `granule_key`
//! determines which candidates are the same granule, and `checksum` whether a file has changed.

pub(crate) mod candidate;
pub(crate) mod checksum;
pub(crate) mod files;
pub(crate) mod granule_key;
pub(crate) mod identify;
pub(crate) mod objects;
pub(crate) mod stage;

use isdb_schema::period::Period;

use crate::archive::describe::described_candidates;
use crate::decide::skip_reason::SkipReason;
use crate::error::Result;
use crate::find::candidate::{Candidate, LONGEST_GRANULE_S, SECOND_NS, total_bytes};
use crate::find::files::find_granules;
use crate::find::identify::identify_all;
use crate::find::objects::find_objects;
use crate::report::IngestReport;
use crate::request::{IngestRequest, Source};

/// Returns the candidates of `request` that were measured in its period. The others are skipped in `report`.
///
/// # Errors
/// When the paths of the request cannot be resolved.
pub(crate) async fn find_candidates(request: &IngestRequest, report: &mut IngestReport) -> Result<Vec<Candidate>> {
    let candidates = match &request.source {
        Source::Files(named) => identify_all(find_granules(named)?, named, request.threads).await,
        Source::Objects(patterns) => find_objects(patterns, request.threads).await?,
        Source::Archive(archive) => {
            report.add_unusable(&archive.unusable);
            described_candidates(archive)
        }
    };
    let (candidates, others): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| is_within(candidate, &request.period));
    report.add_skipped(others.into_iter().map(|candidate| (candidate, SkipReason::OtherTime)));
    tracing::debug!(files = candidates.len(), bytes = total_bytes(&candidates), "found");
    Ok(candidates)
}

/// Whether a granule was measured in `period`, at least in part. A file that does not contain its time counts as within
/// the period.
fn is_within(candidate: &Candidate, period: &Period) -> bool {
    let nanoseconds = |seconds: i64| seconds.saturating_mul(SECOND_NS);
    candidate
        .start()
        .is_none_or(|start| period.overlaps(nanoseconds(start), nanoseconds(start.saturating_add(LONGEST_GRANULE_S))))
}
