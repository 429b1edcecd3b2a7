//! An attempt at a granule: what the plan is told of it before, and what the ledger remembers of it after.

use isdb_datafusion::{PlannedGranule, Selection, Tally};
use isdb_schema::catalogue::variable;
use isdb_schema::filters::told;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::clock::since_1970;
use crate::identify::Candidate;

/// The granule as the plan reads it.
pub(crate) fn planned(id: Id, candidate: &Candidate) -> PlannedGranule {
    let mut granule = PlannedGranule {
        path: candidate.path.clone(),
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

/// What the ledger remembers of an attempt; without a tally the file could not even be identified.
pub(crate) fn ledger_row(id: Id, candidate: &Candidate, tally: Option<&Tally>, selection: &Selection) -> LedgerRow {
    let identity = candidate.identity.as_ref().ok();
    let unread = Tally { error: candidate.identity.as_ref().err().cloned(), ..Tally::default() };
    let tally = tally.unwrap_or(&unread);
    let state = match (&tally.error, tally.rows_kept) {
        (Some(_), _) => GranuleState::Failed,
        (None, 0) => GranuleState::Empty,
        (None, _) => GranuleState::Ingested,
    };
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
        rows_read: tally.rows_read,
        rows_kept: tally.rows_kept,
        rows_rejected: tally.rows_rejected,
        rows_removed: tally.rows_removed,
        removed_by: tally.removed.clone(),
        beams_read: tally.beams_read,
        beams_empty: tally.beams_empty,
        beams_missing: tally.beams_missing,
        missing_variables: missing(tally, identity.and_then(|identity| identity.release)),
        notes: tally.notes.clone(),
        replaces: Vec::new(),
        state,
        stage: None,
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
