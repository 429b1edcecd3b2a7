//! What a repair does, as a check found it.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::Id;
use crate::ledger::contents::ContentEntry;
use crate::ledger::row::LedgerRow;
use crate::log::changes::DeadAttempt;

/// The steps of a repair. Without any there is nothing to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Repairs {
    /// Checkpoints that are removed.
    pub(crate) checkpoints: BTreeSet<u64>,
    /// Commits that are recorded as lost, and the checkpoints that replace them.
    pub(crate) lost_commits: BTreeMap<u64, u64>,
    /// Names of live fragments whose commit files are written again.
    pub(crate) commit_files: BTreeSet<String>,
    /// Schemas and metadata of the array that are written again, by path in the array.
    pub(crate) array_files: BTreeMap<String, Vec<u8>>,
    /// Files of the array that are removed, because libtiledb makes do without them, by path in the array.
    pub(crate) removed: BTreeSet<String>,
    /// Live fragments that are dropped, with their names.
    pub(crate) dropped: BTreeMap<Id, String>,
    /// Fragments that are not live and whose commit files are removed, so that the array can be opened.
    pub(crate) unlisted: BTreeSet<String>,
    /// Names of the ledger's files that are dropped.
    pub(crate) ledger_files: BTreeSet<String>,
    /// Ledger rows that other files have, to be written again.
    pub(crate) rows: Vec<LedgerRow>,
    /// Live fragments whose contents were counted in the array, because no file of the ledger has them.
    pub(crate) counted: BTreeSet<Id>,
    /// Whether files of the ledger have wrong contents, so that all are written again.
    pub(crate) rewrite_contents: bool,
    /// The contents that are written again.
    pub(crate) contents: Vec<ContentEntry>,
    /// Attempts without a ledger row, whose segments have to be hidden.
    pub(crate) dead_attempts: Vec<DeadAttempt>,
    /// Attempts that lack segments.
    pub(crate) reread: BTreeSet<Id>,
}

impl Repairs {
    /// The steps that need no knowledge of the array.
    pub(crate) fn of_log(self) -> Repairs {
        let Repairs { checkpoints, lost_commits, .. } = self;
        Repairs { checkpoints, lost_commits, ..Repairs::default() }
    }

    /// Whether the log has to record something.
    pub(crate) fn need_commit(&self) -> bool {
        let segments = self.dropped.is_empty() && self.dead_attempts.is_empty() && self.reread.is_empty();
        let ledger = self.ledger_files.is_empty() && self.rows.is_empty() && self.contents.is_empty();
        !(segments && ledger && self.lost_commits.is_empty())
    }
}
