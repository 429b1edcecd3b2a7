//! Ledger rows, candidates and decision contexts for the tests of this crate.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use isdb_pipeline::{GranuleIdentity, StoredSegments};
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::decide::decision::DecisionContext;
use crate::decide::fingerprint::Fingerprint;
use crate::find::candidate::Candidate;

/// Returns the cycle of the granules `a`, `b`, … of tests, one for each.
fn cycle(name: &str) -> u8 {
    name.bytes().last().unwrap() % 50 + 1
}

/// Returns a successful attempt at the whole granule `name` of release 006 revision 01, in a file of 5 bytes with that
/// name.
pub(crate) fn row(id: i64, name: &str) -> LedgerRow {
    LedgerRow {
        granule: name.to_owned(),
        product: "ATL08".to_owned(),
        rgt: Some(873),
        cycle: Some(cycle(name).into()),
        region: Some(2),
        release: Some("006".to_owned()),
        revision: Some("01".to_owned()),
        subset: Some(false),
        source: std::path::absolute(format!("{name}.h5")).unwrap().display().to_string(),
        size_bytes: 5,
        modified_at: Some(1),
        checksum: Some("xxh64:5".to_owned()),
        derived: "none".to_owned(),
        filters: "none".to_owned(),
        rows_read: 2,
        rows_kept: 2,
        beams_read: 6,
        state: GranuleState::Ingested,
        ..LedgerRow::new(Id(id))
    }
}

/// Returns the file of [`row`], found in a folder.
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

/// Returns the granule `name` in a file with other content and this revision.
pub(crate) fn revision(name: &str, revision: u8) -> Candidate {
    let mut candidate = candidate(name);
    candidate.path = format!("{name}_{revision}.h5").into();
    candidate.size_bytes = 5 + u64::from(revision);
    candidate.identity.as_mut().unwrap().revision = Some(revision);
    candidate
}

/// Returns a subset of the granule `name` in the file `path`, of `size` bytes.
pub(crate) fn subset(name: &str, path: &str, size: u64) -> Candidate {
    let mut candidate = candidate(name);
    candidate.path = path.into();
    candidate.size_bytes = size;
    candidate.checksum = Some(format!("xxh64:{size}"));
    candidate.identity.as_mut().unwrap().subset = true;
    candidate
}

/// Creates a context before the run has begun, in which no stored segments are known and areas cover only themselves.
pub(crate) fn context(fingerprint: &Fingerprint) -> DecisionContext<'_> {
    static NO_SEGMENTS: LazyLock<StoredSegments> = LazyLock::new(StoredSegments::default);
    static NO_IDS: BTreeSet<Id> = BTreeSet::new();
    DecisionContext {
        fingerprint,
        covers: &|_, _| false,
        retry: false,
        force: false,
        first_id_of_run: None,
        stored: &NO_SEGMENTS,
        to_reread: &NO_IDS,
    }
}
