//! What the log records of a file of the ledger.

use serde::{Deserialize, Serialize};

use crate::fragment::FileChecksum;
use crate::id::Id;

/// The content of a file of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerFileKind {
    /// Rows of [`ledger_schema`](isdb_schema::ledger::ledger_schema): one per attempt.
    Granules,
    /// The columns `fragment_id`, `ingest_id` and `rows`: how many rows of an attempt a fragment has.
    Contents,
}

/// A Parquet file of the ledger as a commit records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFile {
    /// Its name in the folder `ledger` of the database.
    pub name: String,
    /// Its content.
    pub kind: LedgerFileKind,
    /// Its number of rows.
    pub rows: u64,
    /// The smallest and the largest `ingest_id` in it.
    pub ingest_ids: (Id, Id),
    /// The smallest and the largest `fragment_id` in a file of contents; None in a file of granules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fragment_ids: Option<(Id, Id)>,
    /// Its size and checksum.
    #[serde(flatten)]
    pub checksum: FileChecksum,
}

impl LedgerFile {
    /// Whether it may have rows of one of the sorted `attempts`.
    pub(crate) fn may_have(&self, attempts: &std::collections::BTreeSet<Id>) -> bool {
        attempts.range(self.ingest_ids.0..=self.ingest_ids.1).next().is_some()
    }
}
