//! Progress events of downloads.

use std::time::Duration;

use crate::download::request::DownloadRequest;
use crate::error::Error;

/// An event during a download.
#[derive(Debug)]
#[non_exhaustive]
pub enum DownloadProgress<'a> {
    /// The download of a file started.
    Started {
        /// The file.
        request: &'a DownloadRequest,
        /// The number of bytes that exist and need not be downloaded.
        bytes_reused: u64,
    },
    /// This many bytes were received.
    Received(u64),
    /// This many bytes, received or reused, were discarded and have to be downloaded again.
    Discarded(u64),
    /// An attempt failed, and another one follows.
    Retrying {
        /// The file.
        request: &'a DownloadRequest,
        /// Why the attempt failed.
        error: &'a Error,
        /// The pause before the next attempt.
        pause: Duration,
    },
}
