//! Options of downloads.

use std::path::PathBuf;
use std::time::Duration;

use crate::download::format::FileFormat;

/// Options of a download.
#[derive(Debug, Clone)]
pub struct DownloadOptions {
    /// The folder. Each file gets its own folder there, see [`download_path`](crate::download_path).
    pub folder: PathBuf,
    /// The number of concurrent downloads, at least one.
    pub connections: usize,
    /// The pause after the first failure. It doubles with each further failure without progress, and has random jitter.
    pub first_pause: Duration,
    /// The number of consecutive attempts without progress after which a download fails. Progress means that a byte of
    /// the file arrived which no earlier attempt had reached.
    pub max_attempts: u32,
    /// The time after which no further attempt at a file is started.
    pub time_limit: Duration,
    /// The expected format. A response in another format is refused before it replaces a partial file, and a file is
    /// complete only if its length agrees with the one in its first bytes.
    pub format: FileFormat,
}

impl DownloadOptions {
    /// Options for files of `format` in `folder`: four concurrent downloads, five attempts without progress, six hours
    /// per file.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, format: FileFormat) -> DownloadOptions {
        DownloadOptions {
            folder: folder.into(),
            connections: 4,
            first_pause: Duration::from_secs(1),
            max_attempts: 5,
            time_limit: Duration::from_secs(6 * 3600),
            format,
        }
    }
}
