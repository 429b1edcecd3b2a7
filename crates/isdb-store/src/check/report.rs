//! The result of a check.

use super::repairs::Repairs;

/// What a check has read, and the damages that it found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// The number of the newest commit.
    pub commit: u64,
    /// Commits that were read.
    pub commits: u64,
    /// Checkpoints that were read.
    pub checkpoints: u64,
    /// Files of the ledger that were read.
    pub ledger_files: u64,
    /// Fragments that were read.
    pub fragments: u64,
    /// Segments in them.
    pub rows: u64,
    /// Everything that is damaged: the log first, then the ledger, then fragments.
    pub damages: Vec<Damage>,
    /// Commits that were lost earlier. The states between them and the next checkpoint cannot be opened.
    pub lost_commits: u64,
    /// The granules that an earlier repair left without some of their segments, until their files are ingested again.
    pub incomplete: Vec<String>,
    /// What a repair would do.
    pub(crate) repairs: Repairs,
}

/// One damaged file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Its path.
    pub path: String,
    /// The problem.
    pub problem: String,
    /// The ids of the granules that have segments in it.
    pub granules: Vec<String>,
    /// What a repair does.
    pub remedy: Remedy,
}

/// What a repair does about a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// It makes an equal file from other files; nothing is lost.
    Restore,
    /// It removes the file, which nothing needs.
    Remove,
    /// It drops the segments in it. Their granules have to be ingested again.
    Drop,
    /// It drops the ledger rows in it. Their granules have to be ingested again.
    DropRows,
    /// It records that the states which need the file cannot be opened. The newest state does not need it.
    GiveUpStates,
    /// It marks the granules, which have to be ingested again.
    Reread,
    /// Nothing: only the states of tags need the file, and the tags can be deleted.
    DeleteTag,
    /// Nothing: the data have to be ingested into a new database.
    Rebuild,
}

impl Damage {
    pub(super) fn new(path: impl ToString, problem: impl ToString, remedy: Remedy) -> Damage {
        Damage { path: path.to_string(), problem: problem.to_string(), granules: Vec::new(), remedy }
    }
}

impl CheckReport {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damages.is_empty()
    }

    /// Whether a repair can do nothing about a damage, or about all of them because the newest state is unknown.
    #[must_use]
    pub fn is_beyond_repair(&self) -> bool {
        self.damages.iter().any(|damage| damage.remedy == Remedy::Rebuild)
    }
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckProgress {
    /// Fragments that were read.
    pub fragments: u64,
    /// All fragments to be read.
    pub of_fragments: u64,
    /// Segments that were read.
    pub rows: u64,
    /// All segments to be read.
    pub of_rows: u64,
}
