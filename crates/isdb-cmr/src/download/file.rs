//! The download of one file: nothing is requested if the file exists, and attempts follow each other as long as they make
//! progress.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::download::filesystem::blocking;
use crate::download::http_attempt::{AttemptFailure, ByteCounter, attempt};
use crate::download::options::DownloadOptions;
use crate::download::outcome::DownloadedFile;
use crate::download::partial::PartialFile;
use crate::download::paths::download_path;
use crate::download::progress::DownloadProgress;
use crate::download::publish::{Publication, publish};
use crate::download::record::is_downloaded;
use crate::download::request::DownloadRequest;
use crate::download::space::check_free_space;
use crate::download::verify::find_defect;
use crate::error::{Error, Result};
use crate::http::url::redacted;
use crate::login::Earthdata;
use crate::retry::Pauses;

/// The longest pause, unless the server requests a longer one.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// The maximum number of complete downloads of one file: a defective file is downloaded once more, not forever.
const MAX_COMPLETE_DOWNLOADS: u32 = 2;

/// Downloads the file of `request` into its folder, unless it exists, or `login_error` is set.
pub(super) async fn download_file(
    earthdata: &Earthdata,
    request: &DownloadRequest,
    options: &DownloadOptions,
    progress: &(impl Fn(DownloadProgress<'_>) + Send + Sync),
    login_error: &OnceLock<Error>,
) -> Result<DownloadedFile> {
    let target = download_path(&options.folder, &request.name)?;
    let existing = |length: u64| {
        progress(DownloadProgress::Started { request, bytes_reused: length });
        DownloadedFile { path: target.clone(), bytes_downloaded: 0, bytes_reused: length, attempts: 0 }
    };
    if let ExistingFile::Complete(length) = inspect(&target, request, options).await? {
        return Ok(existing(length));
    }
    if let Some(error) = login_error.get().and_then(|error| error.for_other_url(redacted(&request.url))) {
        return Err(error);
    }
    if earthdata.refusals.skips_next() {
        return Err(Error::Forbidden { url: redacted(&request.url) });
    }
    let path = target.clone();
    let opened = blocking(&target, move || Ok(PartialFile::open(&path))).await?;
    let mut partial = opened?;
    // Another process may have finished the file before this one opened the partial file.
    let may_replace = match inspect(&target, request, options).await? {
        ExistingFile::None => false,
        ExistingFile::Outdated => true,
        ExistingFile::Complete(length) => {
            partial.delete_if_empty().await;
            return Ok(existing(length));
        }
        ExistingFile::Foreign(problem) => {
            partial.delete_if_empty().await;
            return Err(Error::Occupied { path: target, problem });
        }
    };
    let missing = request.expected_bytes().unwrap_or(0).saturating_sub(partial.length());
    if let Err(error) = check_free_space(missing, &options.folder) {
        partial.delete_if_empty().await;
        return Err(error);
    }
    progress(DownloadProgress::Started { request, bytes_reused: partial.length() });
    let mut counter = ByteCounter { progress, downloaded: 0 };
    match complete(earthdata, request, options, &mut partial, may_replace, &mut counter).await {
        Ok(attempts) => {
            let (bytes_downloaded, bytes_reused) = (counter.downloaded, partial.reused());
            Ok(DownloadedFile { path: target, bytes_downloaded, bytes_reused, attempts })
        }
        Err(error) => {
            partial.delete_if_empty().await;
            Err(error)
        }
    }
}

/// Makes attempts until `partial` is complete and published. Returns the number of attempts.
async fn complete(
    earthdata: &Earthdata,
    request: &DownloadRequest,
    options: &DownloadOptions,
    partial: &mut PartialFile,
    may_replace: bool,
    counter: &mut ByteCounter<'_>,
) -> Result<u32> {
    let started = Instant::now();
    let mut pauses = Pauses::new(options.first_pause, MAX_PAUSE.max(options.first_pause));
    let (mut attempts, mut without_progress, mut complete_downloads) = (0, 0, 0);
    let mut furthest = partial.length();
    loop {
        let failure = match expected_length(request, partial) == Some(partial.length()) && partial.length() > 0 {
            true => None,
            false => {
                attempts += 1;
                attempt(earthdata, request, &options.format, partial, counter).await.err()
            }
        };
        let (error, retry_after) = match failure {
            Some(AttemptFailure::Permanent(error)) => return Err(error),
            Some(AttemptFailure::Retry { error, after }) => (error, after),
            None => {
                let length = expected_length(request, partial);
                match publish(partial, options.format, length, request.checksum.as_ref(), may_replace).await? {
                    Publication::Done => return Ok(attempts),
                    Publication::Defective(problem) => {
                        let error = Error::Damaged { url: redacted(&request.url), problem };
                        // Missing bytes at the end are requested by the next attempt.
                        if length.is_none_or(|length| partial.length() >= length) {
                            (counter.progress)(DownloadProgress::Discarded(partial.length()));
                            partial.restart(None).await?;
                            complete_downloads += 1;
                            if complete_downloads >= MAX_COMPLETE_DOWNLOADS {
                                return Err(error);
                            }
                            furthest = 0;
                        }
                        (error, None)
                    }
                }
            }
        };
        if partial.length() > furthest {
            furthest = partial.length();
            without_progress = 0;
            pauses.restart();
        }
        without_progress += 1;
        let pause = pauses.next().max(retry_after.unwrap_or_default());
        if without_progress >= options.max_attempts.max(1)
            || started.elapsed().saturating_add(pause) > options.time_limit
        {
            return Err(Error::GivenUp { attempts, source: Box::new(error) });
        }
        tracing::debug!(name = request.name, attempts, bytes = partial.length(), %error, ?pause, "retry");
        (counter.progress)(DownloadProgress::Retrying { request, error: &error, pause });
        tokio::time::sleep(pause).await;
    }
}

/// The length of the file according to the request, or to the server.
fn expected_length(request: &DownloadRequest, partial: &PartialFile) -> Option<u64> {
    request.size.or_else(|| partial.version().and_then(|version| version.length))
}

/// The file at the path of a download.
enum ExistingFile {
    None,
    /// The requested file, with this length.
    Complete(u64),
    /// Another version of the requested file, or a damaged one, that isdb downloaded.
    Outdated,
    /// A file that isdb did not download, and how it differs from the requested one.
    Foreign(String),
}

async fn inspect(target: &Path, request: &DownloadRequest, options: &DownloadOptions) -> Result<ExistingFile> {
    let (path, size, checksum) = (target.to_path_buf(), request.size, request.checksum.clone());
    let format = options.format;
    blocking(target, move || match std::fs::metadata(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(ExistingFile::None),
        Err(error) => Err(error),
        Ok(metadata) => {
            // Bytes after the end of the format's structure are legal, and the server may have sent them.
            let length = size.unwrap_or(metadata.len());
            Ok(match find_defect(&path, &format, Some(length), checksum.as_ref())? {
                None => ExistingFile::Complete(metadata.len()),
                Some(_) if is_downloaded(&path) => ExistingFile::Outdated,
                Some(problem) => ExistingFile::Foreign(problem),
            })
        }
    })
    .await
}
