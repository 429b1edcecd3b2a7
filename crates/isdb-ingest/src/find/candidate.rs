//! Candidates: files or archive items that may be ingested, with the information that is available before they are
//! decoded.

use std::path::PathBuf;
use std::sync::Arc;

use isdb_cmr::{DownloadRequest, SharedCause};
use isdb_pipeline::{FileContents, GranuleIdentity};
use isdb_schema::granule_name::GranuleName;
use isdb_schema::printable::Printable;

use crate::find::granule_key::GranuleKey;
use crate::find::stage::IDENTIFY;

/// The longest time that a granule of the product covers, in seconds: regions along the orbit span at most 33° of its
/// 360°.
pub(crate) const LONGEST_GRANULE_S: i64 = 540;

/// Nanoseconds in a second.
pub(crate) const SECOND_NS: i64 = 1_000_000_000;

/// A file that may be ingested, and the granule in it, or why it is not a granule.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The path of the file, or its name alone until it is downloaded.
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: u64,
    /// When the file was last changed, in nanoseconds since 1970.
    pub(crate) modified_at: Option<i64>,
    /// The checksum of its content, once it has been read.
    pub(crate) checksum: Option<String>,
    /// Whether the request names the file itself, and not only a folder or pattern.
    pub(crate) is_named: bool,
    /// The URL in NASA's archive, for a granule from there.
    pub(crate) origin: Option<String>,
    /// Whether only the archive's description is known, so that the granule's name alone identifies the content.
    pub(crate) is_described: bool,
    /// The segments and variables in the file, where the decision depends on them.
    pub(crate) contents: Option<Arc<FileContents>>,
    /// Whether the file is not part of the request: it is read again because other files that had its segments are
    /// gone.
    pub(crate) is_reread: bool,
    /// What to download, until it is downloaded.
    pub(crate) download: Option<DownloadRequest>,
    /// Where the file failed if it has no identity, as in the ledger's `stage`.
    pub(crate) stage: &'static str,
    /// The cause of a failed download that other files share.
    pub(crate) shared_cause: Option<SharedCause>,
    /// The granule in the file, or why the file is not a granule.
    pub(crate) identity: Result<GranuleIdentity, String>,
}

impl Candidate {
    /// Creates a candidate of which only the identity is known so far.
    pub(crate) fn new(path: PathBuf, identity: Result<GranuleIdentity, String>) -> Candidate {
        Candidate {
            path,
            size_bytes: 0,
            modified_at: None,
            checksum: None,
            is_named: false,
            origin: None,
            is_described: false,
            contents: None,
            is_reread: false,
            download: None,
            stage: IDENTIFY,
            shared_cause: None,
            identity,
        }
    }

    /// Returns the name in the ledger: the granule's id, or the file's own name if the file cannot be read.
    pub(crate) fn granule(&self) -> String {
        match &self.identity {
            Ok(identity) => identity.id.clone(),
            Err(_) => Printable(&self.path.file_stem().unwrap_or_default().to_string_lossy()).to_string(),
        }
    }

    /// Returns the key of its granule; None for a file without identity.
    pub(crate) fn key(&self) -> Option<GranuleKey> {
        self.identity.as_ref().ok().map(GranuleKey::from_identity)
    }

    /// Returns the start of the measurement in seconds since 1970, from the file, else from its name.
    pub(crate) fn start(&self) -> Option<i64> {
        match &self.identity {
            Ok(identity) => identity.start,
            Err(_) => Some(GranuleName::find(self.path.file_name()?.to_str()?).ok()??.start),
        }
    }

    /// Returns the first and the last time of its segments, in nanoseconds since 1970: from the segments if they are
    /// known, else from the granule's start and the longest duration of a granule. None if neither is known.
    pub(crate) fn time_range(&self) -> Option<(i64, i64)> {
        let start = self.identity.as_ref().ok()?.start.map(|start| start.saturating_mul(SECOND_NS));
        let granule = start.map(|start| (start, start.saturating_add(LONGEST_GRANULE_S * SECOND_NS)));
        self.contents.as_ref().and_then(|contents| contents.span).or(granule)
    }

    /// Returns the ledger's `source`: the URL in the archive, or the absolute path.
    pub(crate) fn source(&self) -> String {
        if let Some(origin) = &self.origin {
            return origin.clone();
        }
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        path.to_string_lossy().into_owned()
    }
}

/// Returns the size of the files of `candidates` in bytes.
pub(crate) fn total_bytes<'c>(candidates: impl IntoIterator<Item = &'c Candidate>) -> u64 {
    saturating_sum(candidates.into_iter().map(|candidate| candidate.size_bytes))
}

/// Returns the sum of `sizes`, at most `u64::MAX`: sizes in work lists may be any number.
pub(crate) fn saturating_sum(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().fold(0, u64::saturating_add)
}
