//! Ledger rows and candidates for the tests of this crate.

use isdb_pipeline::GranuleIdentity;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::identify::Candidate;

/// The pass that the names `a`, `b`, … of tests stand for: a cycle each.
fn cycle(name: &str) -> u8 {
    name.bytes().last().unwrap() % 50 + 1
}

/// A done attempt at the whole granule `name` of release 006 revision 01, in a file of 5 bytes called after it.
pub(crate) fn row(id: i64, name: &str) -> LedgerRow {
    LedgerRow {
        ingest_id: Id(id),
        granule: name.to_owned(),
        product: "ATL08".to_owned(),
        rgt: Some(873),
        cycle: Some(cycle(name).into()),
        region: Some(2),
        release: Some("006".to_owned()),
        revision: Some("01".to_owned()),
        qa_granule_pass_fail: None,
        subset: Some(false),
        start_time: None,
        identity_source: None,
        source: std::path::absolute(format!("{name}.h5")).unwrap().display().to_string(),
        size_bytes: 5,
        modified_at: Some(1),
        checksum: Some("xxh64:5".to_owned()),
        area: None,
        variables: String::new(),
        derived: "none".to_owned(),
        derived_hash: String::new(),
        filters: "none".to_owned(),
        filters_hash: String::new(),
        rows_read: 2,
        rows_kept: 2,
        rows_rejected: 0,
        rows_removed: 0,
        removed_by: Vec::new(),
        beams_read: 6,
        beams_empty: 0,
        beams_missing: 0,
        missing_variables: None,
        notes: None,
        replaces: Vec::new(),
        state: GranuleState::Ingested,
        stage: None,
        error: None,
        finished_at: 0,
    }
}

/// The file that [`row`] tells of, found in a folder.
pub(crate) fn candidate(name: &str) -> Candidate {
    let identity = GranuleIdentity {
        id: name.to_owned(),
        rgt: Some(873),
        cycle: Some(cycle(name)),
        region: Some(2),
        release: Some(6),
        revision: Some(1),
        ..GranuleIdentity::default()
    };
    Candidate { size_bytes: 5, modified_at: Some(1), ..Candidate::new(format!("{name}.h5").into(), Ok(identity)) }
}

/// The same in a file of other bytes, of this revision.
pub(crate) fn revision(name: &str, revision: u8) -> Candidate {
    let mut candidate = candidate(name);
    candidate.path = format!("{name}_{revision}.h5").into();
    candidate.size_bytes = 5 + u64::from(revision);
    candidate.identity.as_mut().unwrap().revision = Some(revision);
    candidate
}

/// A subset of the granule `name` in the file `path`, of `size` bytes.
pub(crate) fn subset(name: &str, path: &str, size: u64) -> Candidate {
    let mut candidate = candidate(name);
    candidate.path = path.into();
    candidate.size_bytes = size;
    candidate.checksum = Some(format!("xxh64:{size}"));
    candidate.identity.as_mut().unwrap().subset = true;
    candidate
}
