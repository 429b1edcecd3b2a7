//! An attempt at a granule: what the plan is told of it before, and what the ledger remembers of it after.

use isdb_datafusion::{PlannedGranule, Tally};
use isdb_schema::catalogue::variable;
use isdb_schema::granule_name::PRODUCT;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::clock::since_1970;
use crate::select::Attempt;
use crate::wanted::Wanted;

/// The granule as the plan reads it.
pub(crate) fn planned(id: Id, attempt: &Attempt) -> PlannedGranule {
    let candidate = &attempt.candidate;
    let mut granule = PlannedGranule {
        path: candidate.path.clone(),
        ingest_id: id.0,
        granule: candidate.granule(),
        merges_with: attempt.taking.merges_with.iter().map(|id| id.0).collect(),
        ..PlannedGranule::default()
    };
    if let Ok(identity) = &candidate.identity {
        granule.cycle = identity.cycle.map(i32::from);
        granule.region = identity.region.map(i32::from);
        granule.release = identity.release.map(|release| format!("{release:03}"));
        granule.revision = identity.revision.map(|revision| format!("{revision:02}"));
        granule.qa_granule_pass_fail = identity.qa_pass_fail;
    }
    granule
}

/// What the ledger remembers of an attempt; without a tally the file could not even be identified. `area` is the name of the
/// area that was taken, None for the whole granule.
pub(crate) fn ledger_row(
    id: Id,
    attempt: &Attempt,
    tally: Option<&Tally>,
    wanted: &Wanted,
    area: Option<String>,
) -> LedgerRow {
    let Attempt { candidate, taking } = attempt;
    let identity = candidate.identity.as_ref().ok();
    let unread = Tally {
        stage: Some("identify".to_owned()),
        error: candidate.identity.as_ref().err().cloned(),
        ..Tally::default()
    };
    let tally = tally.unwrap_or(&unread);
    let state = match (&tally.error, tally.rows_kept) {
        (Some(_), _) => GranuleState::Failed,
        (None, 0) => GranuleState::Empty,
        (None, _) => GranuleState::Ingested,
    };
    let notes: Vec<String> = taking.why.iter().map(ToString::to_string).chain(tally.notes.clone()).collect();
    let granule = planned(id, attempt);
    LedgerRow {
        ingest_id: id,
        granule: granule.granule,
        product: PRODUCT.to_owned(),
        rgt: identity.and_then(|identity| identity.rgt).map(i32::from),
        cycle: granule.cycle,
        region: granule.region,
        release: granule.release,
        revision: granule.revision,
        qa_granule_pass_fail: granule.qa_granule_pass_fail,
        subset: identity.map(|identity| identity.subset),
        start_time: identity.and_then(|identity| identity.start).and_then(|seconds| seconds.checked_mul(1_000_000_000)),
        identity_source: identity.map(|identity| identity.source.as_str().to_owned()),
        source: candidate.source(),
        size_bytes: i64::try_from(candidate.size_bytes).unwrap_or(i64::MAX),
        modified_at: candidate.modified_at,
        checksum: candidate.checksum.clone(),
        area,
        variables: wanted.variables.join(" "),
        derived: wanted.derived.clone(),
        derived_hash: wanted.derived_hash.clone(),
        filters: wanted.filters.clone(),
        filters_hash: wanted.filters_hash.clone(),
        rows_read: tally.rows_read,
        rows_kept: tally.rows_kept,
        rows_rejected: tally.rows_rejected,
        rows_removed: tally.rows_removed,
        removed_by: tally.removed.clone(),
        beams_read: tally.beams_read,
        beams_empty: tally.beams_empty,
        beams_missing: tally.beams_missing,
        missing_variables: missing(tally, identity.and_then(|identity| identity.release)),
        notes: (!notes.is_empty()).then(|| notes.join("; ")),
        // What failed leaves in the database what was there.
        replaces: if state.is_done() { taking.replaces.clone() } else { Vec::new() },
        state,
        stage: tally.stage.clone(),
        error: tally.error.clone(),
        finished_at: i64::try_from(since_1970().as_nanos()).unwrap_or(i64::MAX),
    }
}

/// The variables that the granule lacks though its release has them; all that it lacks if the release is not known.
fn missing(tally: &Tally, release: Option<u16>) -> Option<String> {
    let is_of_release = |name: &&str| match (variable(name), release) {
        (Some(variable), Some(release)) => variable.releases.contains(release),
        _ => true,
    };
    let names: Vec<&str> = tally.missing_variables.as_deref()?.split(' ').filter(is_of_release).collect();
    (!names.is_empty()).then(|| names.join(" "))
}
