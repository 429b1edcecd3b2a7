//! One attempt at a file: a request for the missing bytes, and the effect of each kind of response on the bytes so far.

use std::time::{Duration, Instant};

use chrono::Utc;
use reqwest::{Response, StatusCode};

use crate::download::format::FileFormat;
use crate::download::partial::PartialFile;
use crate::download::progress::DownloadProgress;
use crate::download::request::DownloadRequest;
use crate::download::space::free_bytes_at;
use crate::download::version::{Version, range_start, total_length};
use crate::error::Error;
use crate::http::headers::{is_web_page, retry_after};
use crate::http::url::redacted;
use crate::login::{ArchiveResponse, Earthdata};

/// A connection with fewer bytes per second counts as stalled.
const MIN_BYTES_PER_SECOND: f64 = 1000.0;

/// The reason why an attempt ended before the end of the file.
#[derive(Debug)]
pub(super) enum AttemptFailure {
    /// Another attempt may succeed, after the pause that the server requests.
    Retry { error: Error, after: Option<Duration> },
    /// Another attempt cannot succeed.
    Permanent(Error),
}

impl From<Error> for AttemptFailure {
    fn from(error: Error) -> AttemptFailure {
        match error {
            Error::Connection { .. } | Error::Stalled { .. } => AttemptFailure::retry(error),
            other => AttemptFailure::Permanent(other),
        }
    }
}

impl AttemptFailure {
    fn retry(error: Error) -> AttemptFailure {
        AttemptFailure::Retry { error, after: None }
    }
}

type Result<T> = std::result::Result<T, AttemptFailure>;

/// Counts the bytes that come over the network, and reports them.
pub(super) struct ByteCounter<'a> {
    pub(super) progress: &'a (dyn Fn(DownloadProgress<'_>) + Send + Sync),
    pub(super) downloaded: u64,
}

/// Requests the bytes that `partial` lacks and appends them. Returns Ok at the end of the body, whatever it contains.
pub(super) async fn attempt(
    earthdata: &Earthdata,
    request: &DownloadRequest,
    format: &FileFormat,
    partial: &mut PartialFile,
    counter: &mut ByteCounter<'_>,
) -> Result<()> {
    let resumed = resumable(request, partial);
    let headers = resumed.as_ref().map(|(start, version)| version.range_headers(*start)).unwrap_or_default();
    let ArchiveResponse { response, is_presigned } = earthdata.get(&request.url, &headers).await?;
    let status = response.status();
    let version = Version::from_response(&request.url, &response);
    let new_version = match (status, &resumed) {
        (StatusCode::OK, _) => {
            if is_web_page(response.headers()) {
                return Err(AttemptFailure::Permanent(Error::WebPage { url: redacted(&request.url) }));
            }
            if let (Some(size), Some(length)) =
                (request.size, version.length.filter(|length| Some(*length) != request.size))
            {
                let problem = format!("has {length} bytes on the server, but {size} in the catalogue");
                return Err(AttemptFailure::Permanent(invalid_response(request, &problem)));
            }
            Some(version)
        }
        (StatusCode::PARTIAL_CONTENT, Some((start, known))) => {
            if range_start(response.headers()) != Some(*start) {
                restart(partial, None, counter).await?;
                let problem = "the server sent other bytes than the requested range";
                return Err(AttemptFailure::retry(invalid_response(request, problem)));
            }
            if !known.may_include(&version) {
                restart(partial, None, counter).await?;
                let problem = "the file changed during the download";
                return Err(AttemptFailure::retry(invalid_response(request, problem)));
            }
            partial.set_length(version.length);
            None
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, Some((start, known))) => {
            // Nothing is missing, or the file has changed.
            if known.length.or_else(|| total_length(response.headers())) != Some(*start) {
                restart(partial, None, counter).await?;
                let problem = "the server does not have the requested range";
                return Err(AttemptFailure::retry(invalid_response(request, problem)));
            }
            return Ok(());
        }
        _ => return Err(status_failure(request, &response, is_presigned)),
    };
    let received = receive(earthdata, request, format, partial, response, new_version, counter).await;
    // Received bytes are kept even after a failure.
    partial.flush().await.map_err(AttemptFailure::Permanent)?;
    received
}

/// Returns the position and version to resume from, if a validator can ensure that the server sends the same version.
fn resumable(request: &DownloadRequest, partial: &PartialFile) -> Option<(u64, Version)> {
    let version = partial.version();
    let version = version.filter(|version| version.url == redacted(&request.url) && version.validator().is_some())?;
    (partial.length() > 0).then(|| (partial.length(), version.clone()))
}

async fn restart(partial: &mut PartialFile, version: Option<Version>, counter: &ByteCounter<'_>) -> Result<()> {
    if partial.length() > 0 {
        (counter.progress)(DownloadProgress::Discarded(partial.length()));
    }
    partial.restart(version).await.map_err(AttemptFailure::Permanent)
}

/// Appends the body of `response`: the bytes that follow those of `partial`, or the whole of `new_version`. A new version
/// replaces the bytes of `partial` as soon as its first bytes have the expected format.
async fn receive(
    earthdata: &Earthdata,
    request: &DownloadRequest,
    format: &FileFormat,
    partial: &mut PartialFile,
    mut response: Response,
    mut new_version: Option<Version>,
    counter: &mut ByteCounter<'_>,
) -> Result<()> {
    let mut limit = match &new_version {
        Some(_) => SizeLimit::default(),
        None => SizeLimit::new(partial, partial.version().and_then(|version| version.length).or(request.size))?,
    };
    let mut head = Vec::new();
    let mut rate = TransferRate::default();
    loop {
        let started = Instant::now();
        let bytes = match response.chunk().await {
            Ok(bytes) => bytes,
            Err(error) => return Err(AttemptFailure::from(earthdata.connection_error(&request.url, error))),
        };
        let is_end = bytes.is_none();
        let bytes = bytes.unwrap_or_default();
        let is_stalled = !is_end && rate.is_stalled(bytes.len(), started.elapsed(), earthdata.stall_timeout());
        counter.downloaded += bytes.len() as u64;
        (counter.progress)(DownloadProgress::Received(bytes.len() as u64));
        if new_version.is_some() {
            head.extend_from_slice(&bytes);
            if head.len() >= FileFormat::HEAD_BYTES || is_end {
                limit = replace_version(request, format, partial, &head, new_version.take(), counter).await?;
                limit.append(request, partial, &head, counter).await?;
                head = Vec::new();
            }
        } else {
            limit.append(request, partial, &bytes, counter).await?;
        }
        if is_end {
            return Ok(());
        }
        if is_stalled {
            return Err(AttemptFailure::from(earthdata.stall_error(&request.url)));
        }
    }
}

/// Discards the bytes of `partial` for a body that starts with `head`, if that has the expected format.
async fn replace_version(
    request: &DownloadRequest,
    format: &FileFormat,
    partial: &mut PartialFile,
    head: &[u8],
    version: Option<Version>,
    counter: &ByteCounter<'_>,
) -> Result<SizeLimit> {
    if head.is_empty() {
        // An empty body that replaces nothing is verified like any other file, and then downloaded once more.
        return match partial.length() {
            0 => Ok(SizeLimit::default()),
            _ => Err(AttemptFailure::retry(invalid_response(request, "the server sent no bytes"))),
        };
    }
    if !head.starts_with(format.signature) {
        return Err(AttemptFailure::Permanent(match head.trim_ascii_start().starts_with(b"<") {
            true => Error::WebPage { url: redacted(&request.url) },
            false => invalid_response(request, &format!("expected a file in {} format", format.name)),
        }));
    }
    let announced = version.as_ref().and_then(|version| version.length).or(request.size);
    let length = announced.or_else(|| (format.end_of_file)(head));
    restart(partial, version, counter).await?;
    SizeLimit::new(partial, length)
}

/// Limits the length of a file.
#[derive(Default)]
struct SizeLimit {
    /// The announced length.
    announced: Option<u64>,
    /// The length that fits on the disk.
    available: u64,
}

impl SizeLimit {
    /// Fails if a file of this length does not fit on the disk.
    fn new(partial: &PartialFile, announced: Option<u64>) -> Result<SizeLimit> {
        let free = free_bytes_at(partial.path())?;
        let needed = announced.unwrap_or(0).saturating_sub(partial.length());
        if needed > free {
            return Err(AttemptFailure::Permanent(Error::NoSpace { path: partial.folder(), needed, free }));
        }
        Ok(SizeLimit { announced, available: partial.length().saturating_add(free) })
    }

    /// Appends `bytes` unless the file becomes too long.
    async fn append(
        &self,
        request: &DownloadRequest,
        partial: &mut PartialFile,
        bytes: &[u8],
        counter: &ByteCounter<'_>,
    ) -> Result<()> {
        let length = partial.length().saturating_add(bytes.len() as u64);
        if self.announced.is_some_and(|announced| length > announced) {
            restart(partial, None, counter).await?;
            let problem = "the server sent more bytes than it announced";
            return Err(AttemptFailure::retry(invalid_response(request, problem)));
        }
        if self.announced.is_none() && length > self.available {
            let problem = "the server announced no length and sent more bytes than fit on the disk";
            return Err(AttemptFailure::Permanent(invalid_response(request, problem)));
        }
        partial.append(bytes).await.map_err(AttemptFailure::Permanent)
    }
}

/// The transfer rate of a connection.
#[derive(Default)]
struct TransferRate {
    bytes: usize,
    waited: Duration,
}

impl TransferRate {
    /// Whether the rate was below the minimum for `timeout`. Only time that was spent waiting for bytes counts.
    fn is_stalled(&mut self, bytes: usize, waited: Duration, timeout: Duration) -> bool {
        self.bytes += bytes;
        self.waited += waited;
        if self.waited < timeout {
            return false;
        }
        let TransferRate { bytes, waited } = std::mem::take(self);
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = bytes as f64 / waited.as_secs_f64().max(f64::MIN_POSITIVE);
        rate < MIN_BYTES_PER_SECOND
    }
}

/// The failure for a response with an error status.
fn status_failure(request: &DownloadRequest, response: &Response, is_presigned: bool) -> AttemptFailure {
    let (url, status) = (redacted(&request.url), response.status());
    let is_expired =
        is_presigned && matches!(status, StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    let error = match is_expired {
        true => Error::ExpiredLink { url, status },
        false => Error::Status { url, status },
    };
    // The session only returns a 401 if the archive refuses a token that the login host has confirmed.
    let is_busy =
        matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::UNAUTHORIZED)
            || status.is_server_error();
    match is_expired || is_busy {
        true => AttemptFailure::Retry { error, after: retry_after(response.headers(), Utc::now()) },
        false => AttemptFailure::Permanent(error),
    }
}

fn invalid_response(request: &DownloadRequest, problem: &str) -> Error {
    Error::InvalidResponse { url: redacted(&request.url), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_connection_counts_as_stalled() {
        let (second, timeout) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut rate = TransferRate::default();
        assert!((0..59).all(|_| !rate.is_stalled(10, second, timeout)) && rate.is_stalled(10, second, timeout));
        assert!((0..600).all(|_| !rate.is_stalled(1001, second, timeout)), "slow, but above the minimum");
    }
}
