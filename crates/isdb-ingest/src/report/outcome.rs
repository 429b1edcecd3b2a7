//! The outcome of one file, and the windows that were committed. Field names are the keys of `isdb ingest --report`.

use isdb_cmr::SharedCause;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};
use serde::Serialize;

use crate::decide::attempt_plan::{PlannedAttempt, ReplacedSegments};
use crate::decide::skip_reason::SkipReason;
use crate::find::candidate::Candidate;

/// The outcome of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GranuleOutcome {
    /// The granule's id, or the file's own name if the file cannot be read.
    pub granule: String,
    /// The file.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The kind of outcome.
    pub state: OutcomeKind,
    /// Why it was skipped, if it was.
    pub skipped: Option<SkipReason>,
    /// Where it failed, as in the ledger's `stage`; None if that is not known.
    pub stage: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// The cause of a failed download that other files share, if there is one.
    #[serde(rename = "refusal")]
    pub shared_cause: Option<SharedCause>,
    /// The number of the commit that made its attempt visible.
    pub commit: Option<u64>,
    /// The id of its attempt in the ledger.
    pub ingest_id: Option<Id>,
    /// Segments in the file.
    pub rows_read: u64,
    /// Segments stored.
    pub rows_kept: u64,
    /// Segments without position or time, which cannot be stored.
    pub rows_rejected: u64,
    /// Segments that a filter removed.
    pub rows_removed: u64,
    /// The earlier attempts that this one replaced.
    pub replaces: Vec<Id>,
    /// The earlier attempts that lost the segments that this one has as well.
    pub replaces_in_part: Vec<Id>,
    /// Segments of the replaced attempts that were read, before region and filters, each counted once.
    pub rows_read_before: u64,
    /// Segments of the replaced attempts that were stored.
    pub rows_kept_before: u64,
}

/// The kinds of outcome of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Its rows were added to the database.
    Ingested,
    /// Its rows replaced earlier ones.
    Replaced,
    /// It was read, and has no row to store.
    Empty,
    /// It was skipped, which is not a failure.
    Skipped,
    /// It could not be ingested.
    Failed,
    /// An earlier ingest failed on it, it is unchanged, and it was not retried.
    FailedBefore,
}

/// A window that was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommittedWindow {
    /// The number of its commit.
    pub commit: u64,
    /// The commit's timestamp in milliseconds since 1970, for `--at`.
    pub timestamp: u64,
    /// Granules in it, failed ones included.
    pub granules: usize,
    /// The size of their files in bytes.
    pub bytes: u64,
    /// Rows stored.
    pub rows: u64,
    /// Fragments of segments written.
    pub fragments: usize,
}

/// Something unusual about a granule that was ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The file.
    pub path: String,
    /// The text of the warning.
    pub text: String,
}

impl GranuleOutcome {
    /// Creates the outcome of a file without an attempt in the ledger.
    pub(crate) fn without_attempt(file: &Candidate, state: OutcomeKind) -> GranuleOutcome {
        GranuleOutcome {
            granule: file.granule(),
            path: file.path.display().to_string(),
            bytes: file.size_bytes,
            state,
            skipped: None,
            stage: None,
            error: None,
            shared_cause: file.shared_cause,
            commit: None,
            ingest_id: None,
            rows_read: 0,
            rows_kept: 0,
            rows_rejected: 0,
            rows_removed: 0,
            replaces: Vec::new(),
            replaces_in_part: Vec::new(),
            rows_read_before: 0,
            rows_kept_before: 0,
        }
    }

    /// Creates the outcome of `attempt`, which `commit` recorded as `row`.
    pub(crate) fn from_row(row: &LedgerRow, attempt: &PlannedAttempt, commit: u64) -> GranuleOutcome {
        let plan = &attempt.plan;
        let has_replaced = row.state.is_done() && plan.is_replacement();
        let replaced = if has_replaced { plan.replaced } else { ReplacedSegments::default() };
        let state = match row.state {
            GranuleState::Ingested if !has_replaced => OutcomeKind::Ingested,
            GranuleState::Ingested => OutcomeKind::Replaced,
            GranuleState::Empty => OutcomeKind::Empty,
            GranuleState::Failed | GranuleState::Removed => OutcomeKind::Failed,
        };
        let carries = plan.carries.iter().filter(|_| has_replaced);
        GranuleOutcome {
            stage: row.stage.clone(),
            error: row.error.clone(),
            commit: Some(commit),
            ingest_id: Some(row.ingest_id),
            rows_read: unsigned(row.rows_read),
            rows_kept: unsigned(row.rows_kept),
            rows_rejected: unsigned(row.rows_rejected),
            rows_removed: unsigned(row.rows_removed),
            replaces: row.replaces.clone(),
            replaces_in_part: carries.map(|carried| carried.row.ingest_id).collect(),
            rows_read_before: unsigned(replaced.read),
            rows_kept_before: unsigned(replaced.kept),
            ..GranuleOutcome::without_attempt(&attempt.candidate, state)
        }
    }
}

/// Returns a count of the ledger, whose columns are signed.
pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
