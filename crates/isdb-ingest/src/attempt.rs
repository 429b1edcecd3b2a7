//! An attempt at a granule: what the plan is told of it, and what the ledger remembers of it before the plan has run.

use isdb_datafusion::{PlannedGranule, Selection};
use isdb_schema::filters::told;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::clock::since_1970;
use crate::identify::Candidate;

/// The granule as the plan reads it.
pub(crate) fn planned(id: Id, candidate: &Candidate) -> PlannedGranule {
    let mut granule = PlannedGranule {
        path: candidate.path.clone(),
        size_bytes: candidate.size_bytes,
        ingest_id: id.0,
        granule: candidate.granule(),
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

/// What the ledger remembers of an attempt, before the plan tells how it went. A file that could not even be identified has
/// failed already.
pub(crate) fn ledger_row(id: Id, candidate: &Candidate, selection: &Selection) -> LedgerRow {
    let identity = candidate.identity.as_ref().ok();
    let error = candidate.identity.as_ref().err().cloned();
    let names: Vec<&str> = selection.variables().iter().map(|variable| variable.name).collect();
    let granule = planned(id, candidate);
    LedgerRow {
        ingest_id: id,
        granule: granule.granule,
        product: "ATL08".to_owned(),
        rgt: identity.and_then(|identity| identity.rgt).map(i32::from),
        cycle: granule.cycle,
        region: granule.region,
        release: granule.release,
        revision: granule.revision,
        qa_granule_pass_fail: granule.qa_granule_pass_fail,
        subset: identity.map(|identity| identity.subset),
        start_time: identity.and_then(|identity| identity.start).and_then(|seconds| seconds.checked_mul(1_000_000_000)),
        identity_source: identity.map(|identity| identity.source.as_str().to_owned()),
        source: std::path::absolute(&candidate.path)
            .unwrap_or_else(|_| candidate.path.clone())
            .to_string_lossy()
            .into_owned(),
        size_bytes: i64::try_from(candidate.size_bytes).unwrap_or(i64::MAX),
        modified_at: None,
        checksum: None,
        area: None,
        variables: names.join(" "),
        derived: "none".to_owned(),
        derived_hash: String::new(),
        filters: told(&selection.filters()),
        filters_hash: String::new(),
        rows_read: 0,
        rows_kept: 0,
        rows_rejected: 0,
        rows_removed: 0,
        removed_by: Vec::new(),
        beams_read: 0,
        beams_empty: 0,
        beams_missing: 0,
        missing_variables: None,
        notes: None,
        replaces: Vec::new(),
        state: GranuleState::Failed,
        stage: error.as_ref().map(|_| "identify".to_owned()),
        error,
        finished_at: i64::try_from(since_1970().as_nanos()).unwrap_or(i64::MAX),
    }
}
