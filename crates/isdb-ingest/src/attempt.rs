//! An attempt at a granule: what the plan is told of it, and what the ledger remembers of it before the plan has run.

use isdb_pipeline::PlannedGranule;
use isdb_schema::granule_name::PRODUCT;
use isdb_schema::ledger::{CARRIED, GranuleState};
use isdb_store::{Id, LedgerRow};

use crate::clock::since_1970;
use crate::select::Attempt;
use crate::taking::Carry;
use crate::wanted::Wanted;

/// The granule as the plan reads it.
pub(crate) fn planned(id: Id, attempt: &Attempt) -> PlannedGranule {
    let candidate = &attempt.candidate;
    let mut granule = PlannedGranule {
        path: candidate.path.clone(),
        size_bytes: candidate.size_bytes,
        modified_at: candidate.modified_at,
        checksum: candidate.checksum.clone(),
        ingest_id: id.0,
        granule: candidate.granule(),
        merges_with: attempt.taking.merges_with.iter().map(|id| id.0).collect(),
        minimum: attempt.taking.least,
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

/// What the ledger remembers of what `attempt` leaves of an earlier one, as the attempt `id`, before the plan has run. The state
/// of both is the plan's to tell.
pub(crate) fn carried_row(id: Id, attempt: &Attempt, carry: &Carry) -> LedgerRow {
    let Carry { row, went } = carry;
    let note = format!("{went} of its segments were replaced by {}", attempt.candidate.source());
    LedgerRow {
        ingest_id: id,
        replaces: vec![row.ingest_id],
        state: GranuleState::Failed,
        stage: Some(CARRIED.to_owned()),
        notes: Some(row.notes.iter().cloned().chain([note]).collect::<Vec<_>>().join("; ")),
        ..row.clone()
    }
}

/// What the ledger remembers of an attempt, before the plan tells how it went. A file that could not even be identified has
/// failed already. `area` is the name of the area that is taken, None for the whole granule.
pub(crate) fn ledger_row(id: Id, attempt: &Attempt, wanted: &Wanted, area: Option<String>) -> LedgerRow {
    let Attempt { candidate, taking } = attempt;
    let identity = candidate.identity.as_ref().ok();
    let error = candidate.identity.as_ref().err().cloned();
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
        rows_read: 0,
        rows_kept: 0,
        rows_rejected: 0,
        rows_removed: 0,
        removed_by: Vec::new(),
        beams_read: 0,
        beams_empty: 0,
        beams_missing: 0,
        missing_variables: None,
        notes: taking.note(),
        // What has failed leaves in the database what was there.
        replaces: if error.is_none() { taking.replaces.clone() } else { Vec::new() },
        state: GranuleState::Failed,
        stage: error.as_ref().map(|_| candidate.stage.to_owned()),
        error,
        finished_at: i64::try_from(since_1970().as_nanos()).unwrap_or(i64::MAX),
    }
}
