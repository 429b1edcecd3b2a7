//! The plan of one attempt: what the file replaces, whole or in part, and which stored segments it leaves alone.

use std::fmt;

use isdb_pipeline::MinimumRows;
use isdb_store::{Id, LedgerRow};

use crate::decide::rank::Rank;
use crate::decide::related::RelatedAttempt;
use crate::decide::stored_attempt::StoredAttempt;
use crate::find::candidate::{Candidate, saturating_sum};

/// A file to ingest, and how.
#[derive(Clone, Debug)]
pub(crate) struct PlannedAttempt {
    pub(crate) candidate: Candidate,
    pub(crate) plan: AttemptPlan,
}

/// Returns the size of the files of `attempts` in bytes.
pub(crate) fn planned_bytes(attempts: &[PlannedAttempt]) -> u64 {
    saturating_sum(attempts.iter().map(|attempt| attempt.candidate.size_bytes))
}

/// How a file is ingested.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AttemptPlan {
    /// The attempts whose rows leave the database in the same commit.
    pub(crate) replaces: Vec<Id>,
    /// The attempts that lose the segments which the file has as well. Their other segments are written again.
    pub(crate) carries: Vec<CarriedAttempt>,
    /// The attempts whose segments stay and are not stored a second time.
    pub(crate) merges_with: Vec<Id>,
    /// The names of the areas to ingest; None for the whole granule. Never smaller than the areas of the replaced
    /// attempts.
    pub(crate) areas: Option<Vec<String>>,
    /// Why attempts are replaced.
    pub(crate) reason: Option<ReplaceReason>,
    /// Whether a replaced attempt is of another release. Then the window is committed only if all its granules succeed.
    pub(crate) is_other_release: bool,
    /// The segments of the replaced attempts.
    pub(crate) replaced: ReplacedSegments,
    /// The numbers of segments of which the file must have at least half.
    pub(crate) minimum: MinimumRows,
    /// The number of segments that stay although the file outranks their attempts, because the file does not have them.
    pub(crate) kept_segments: i64,
}

/// An attempt that is replaced in part and written again without those segments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CarriedAttempt {
    /// Its ledger row.
    pub(crate) row: LedgerRow,
    /// The number of its segments that the new file has as well.
    pub(crate) replaced: i64,
}

/// The number of segments of replaced attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplacedSegments {
    /// Segments read, each counted for one attempt only.
    pub(crate) read: i64,
    /// Segments kept.
    pub(crate) kept: i64,
}

impl ReplacedSegments {
    /// Counts the segments of attempts that are replaced as a whole.
    pub(crate) fn new(replaced: &[&StoredAttempt]) -> ReplacedSegments {
        let sum =
            |count: fn(&StoredAttempt) -> i64| replaced.iter().map(|stored| count(stored)).fold(0, i64::saturating_add);
        ReplacedSegments {
            // Without segments that another attempt stores: they are counted there.
            read: sum(|stored| stored.rows_read.saturating_sub(stored.rows_already_stored)),
            kept: sum(|stored| stored.rows_kept),
        }
    }

    fn is_none(self) -> bool {
        self == ReplacedSegments::default()
    }
}

impl AttemptPlan {
    /// Replaces the segments of `attempt` that the file has as well.
    pub(crate) fn replace_shared(&mut self, attempt: RelatedAttempt<'_>) {
        let RelatedAttempt { stored, shared } = attempt;
        let shared = i64::try_from(shared).unwrap_or(i64::MAX);
        if shared == 0 {
            self.kept_segments = self.kept_segments.saturating_add(stored.rows_kept);
            return;
        }
        let Some(row) = stored.part.as_deref().cloned() else {
            // Only subsets and extracts are replaced in part; the segments of another attempt stay.
            self.merges_with.push(stored.ingest_id);
            return;
        };
        self.replaced.read = self.replaced.read.saturating_add(shared);
        self.replaced.kept = self.replaced.kept.saturating_add(shared);
        self.carries.push(CarriedAttempt { row, replaced: shared });
    }

    /// Whether rows leave the database with this attempt.
    pub(crate) fn is_replacement(&self) -> bool {
        !self.replaces.is_empty() || !self.carries.is_empty()
    }

    /// Describes what is replaced and why, for the ledger's `notes`; None if nothing is.
    pub(crate) fn note(&self) -> Option<String> {
        let mut notes: Vec<String> = self.reason.iter().map(ToString::to_string).collect();
        if !self.replaced.is_none() {
            let ReplacedSegments { read, kept } = self.replaced;
            notes.push(format!("before: {read} segments read, {kept} kept"));
        }
        let parts = self.carries.iter().map(|carried| {
            let CarriedAttempt { row, replaced } = carried;
            let rank = Rank::from_row(row);
            format!("replaces {replaced} of the {} segments of {} ({rank}); the others stay", row.rows_kept, row.source)
        });
        notes.extend(parts);
        if self.kept_segments > 0 {
            notes.push(format!(
                "{} segments of older or poorer files of the granule stay, because this file does not have them",
                self.kept_segments
            ));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// Why stored rows are replaced. `Display` writes it for the ledger's `notes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplaceReason {
    /// The file has other content than when it was ingested.
    Changed,
    /// The request needs more than was stored, or something else.
    OtherSelection,
    /// Segments of the file are no longer in the database: other files that had them were replaced or removed, or a repair
    /// dropped them.
    Reread,
    /// The file outranks an attempt of this rank.
    Outranks(Rank),
}

impl fmt::Display for ReplaceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplaceReason::Changed => f.write_str("the file has changed since it was ingested"),
            ReplaceReason::OtherSelection => f.write_str("ingested again with another selection or area"),
            ReplaceReason::Reread => {
                f.write_str("read again, because some of its segments are no longer in the database")
            }
            ReplaceReason::Outranks(rank) => write!(f, "replaces {rank}"),
        }
    }
}
