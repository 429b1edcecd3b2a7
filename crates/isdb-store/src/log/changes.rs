//! The changes that a commit makes. A commit stays small however large the database is, because it lists nothing else.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fragment::FragmentRecord;
use crate::id::Id;
use crate::ledger::file::LedgerFile;

/// The changes to the fragments of `segments`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SegmentChanges {
    /// Fragments that become visible.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<FragmentRecord>,
    /// Fragments that were visible and are dead from now on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<Id>,
    /// Fragments that are dead and never were visible.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<AbandonedFragment>,
    /// Folders that no longer have a commit file, of dead fragments or of fragments that no commit records.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hid: BTreeSet<String>,
    /// Hidden folders that no longer exist.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub gone: BTreeSet<String>,
}

/// A finished fragment that no commit makes visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbandonedFragment {
    /// Its id; None for a fragment that a replaced writer wrote late, whose id is unknown.
    pub id: Option<Id>,
    /// Its folder below `__fragments`.
    pub name: String,
}

/// The changes to the files of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LedgerChanges {
    /// Files whose rows become visible.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<LedgerFile>,
    /// Names of files that were visible and are dead from now on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<String>,
    /// Names of dead files that no longer exist.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub gone: BTreeSet<String>,
}

/// An attempt whose segments are in live fragments and are not visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadAttempt {
    /// The attempt.
    pub id: Id,
    /// The live fragments that hold its segments.
    pub fragments: BTreeSet<Id>,
}

/// A state that is kept until its tag is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The last commit with data of the state.
    pub commit: u64,
    /// The timestamp of that commit, in milliseconds since 1970.
    pub timestamp: u64,
}
