//! The granules of a window as the execution plan reads them, and the ledger rows of their attempts before the plan has
//! run.

use isdb_pipeline::PlannedGranule;
use isdb_schema::granule_name::PRODUCT;
use isdb_schema::ledger::{CARRIED, GranuleState};
use isdb_store::{Id, LedgerRow};

use crate::clock::now_ns;
use crate::decide::attempt_plan::{CarriedAttempt, PlannedAttempt};
use crate::decide::fingerprint::Fingerprint;
use crate::find::candidate::SECOND_NS;

/// Returns the granule of `attempt` for the execution plan.
pub(crate) fn planned_granule(id: Id, attempt: &PlannedAttempt) -> PlannedGranule {
    let candidate = &attempt.candidate;
    let mut granule = PlannedGranule {
        path: candidate.path.clone(),
        size_bytes: candidate.size_bytes,
        modified_at: candidate.modified_at,
        checksum: candidate.checksum.clone(),
        ingest_id: id.0,
        granule: candidate.granule(),
        merges_with: attempt.plan.merges_with.iter().map(|id| id.0).collect(),
        minimum: attempt.plan.minimum,
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

/// Returns the ledger row of the attempt `id`, which keeps the rest of an earlier attempt that `attempt` replaces in
/// part. The plan sets the state.
pub(crate) fn carried_row(id: Id, attempt: &PlannedAttempt, carried: &CarriedAttempt) -> LedgerRow {
    let CarriedAttempt { row, replaced } = carried;
    let note = format!("{replaced} of its segments were replaced by {}", attempt.candidate.source());
    LedgerRow {
        ingest_id: id,
        replaces: vec![row.ingest_id],
        state: GranuleState::Failed,
        stage: Some(CARRIED.to_owned()),
        notes: Some(row.notes.iter().cloned().chain([note]).collect::<Vec<_>>().join("; ")),
        ..row.clone()
    }
}

/// Returns the ledger row of `attempt`, restricted to the area with this name; None for the whole granule. The plan
/// sets the outcome. A file that could not be identified has failed already.
pub(crate) fn ledger_row(
    id: Id,
    attempt: &PlannedAttempt,
    fingerprint: &Fingerprint,
    area: Option<String>,
) -> LedgerRow {
    let PlannedAttempt { candidate, plan } = attempt;
    let identity = candidate.identity.as_ref().ok();
    let error = candidate.identity.as_ref().err().cloned();
    let granule = planned_granule(id, attempt);
    LedgerRow {
        granule: granule.granule,
        product: PRODUCT.to_owned(),
        rgt: identity.and_then(|identity| identity.rgt).map(i32::from),
        cycle: granule.cycle,
        region: granule.region,
        release: granule.release,
        revision: granule.revision,
        qa_granule_pass_fail: granule.qa_granule_pass_fail,
        subset: identity.map(|identity| identity.subset),
        start_time: identity.and_then(|identity| identity.start).and_then(|seconds| seconds.checked_mul(SECOND_NS)),
        identity_source: identity.map(|identity| identity.source.as_str().to_owned()),
        source: candidate.source(),
        size_bytes: i64::try_from(candidate.size_bytes).unwrap_or(i64::MAX),
        modified_at: candidate.modified_at,
        checksum: candidate.checksum.clone(),
        area,
        variables: fingerprint.variables.join(" "),
        derived: fingerprint.derived.clone(),
        derived_hash: fingerprint.derived_hash.clone(),
        filters: fingerprint.filters.clone(),
        filters_hash: fingerprint.filters_hash.clone(),
        notes: plan.note(),
        // A failed attempt replaces nothing.
        replaces: if error.is_none() { plan.replaces.clone() } else { Vec::new() },
        stage: error.as_ref().map(|_| candidate.stage.to_owned()),
        error,
        finished_at: now_ns(),
        ..LedgerRow::new(id)
    }
}
