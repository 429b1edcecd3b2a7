//! The reasons for skipping a file. A skip is not a failure.

use serde::Serialize;

/// Why a file is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The database has it, with the whole requested selection.
    Stored,
    /// The same run ingested another file of the same release and revision of the granule.
    Copy,
    /// A newer revision or release of the granule is stored.
    Older,
    /// It is a subset of a granule that is stored whole.
    Subset,
    /// The granule was removed on purpose. It is ingested again only if the request names the file itself.
    Removed,
    /// It was measured before or after the requested period.
    OtherTime,
}

impl SkipReason {
    /// Returns the reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            SkipReason::Stored => "already in the database",
            SkipReason::Copy => "a copy of another file",
            SkipReason::Older => "older than the stored file",
            SkipReason::Subset => "a subset of a stored granule",
            SkipReason::Removed => "removed on purpose",
            SkipReason::OtherTime => "outside the requested period",
        }
    }
}
