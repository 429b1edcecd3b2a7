//! Outcomes of downloads.

use std::path::PathBuf;

use crate::download::request::DownloadRequest;
use crate::error::Result;

/// The outcome of a download request.
#[derive(Debug)]
pub struct DownloadOutcome {
    /// The request.
    pub request: DownloadRequest,
    /// The file, or why it could not be downloaded. After a failure, the next download resumes from its `.part` file.
    pub result: Result<DownloadedFile>,
}

/// A complete and verified file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadedFile {
    /// Its path.
    pub path: PathBuf,
    /// Bytes that were received over the network, including those that were received twice.
    pub bytes_downloaded: u64,
    /// Bytes that existed before.
    pub bytes_reused: u64,
    /// The number of attempts; 0 if the file was complete before.
    pub attempts: u32,
}
