//! One request for what is missing of a file, and what each kind of answer means for the bytes that are there.

use std::time::{Duration, Instant};

use chrono::Utc;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use reqwest::{Response, StatusCode};

use crate::download::part::{Part, Version};
use crate::download::{Progress, Wanted};
use crate::earthdata::{Answer, Earthdata};
use crate::error::Error;
use crate::headers::{is_page, retry_after, text};
use crate::hosts::told;
use crate::verify::SIGNATURE;

/// A connection that brings fewer bytes a second is as good as silent.
const LEAST_RATE: f64 = 1000.0;

/// Why an attempt ended without the end of the file.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Asking again may help, at the earliest after the time that the server names.
    Again { error: Error, after: Option<Duration> },
    /// It will not.
    Final(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        match error {
            Error::Connection { .. } | Error::Stalled { .. } => Stopped::again(error),
            other => Stopped::Final(other),
        }
    }
}

impl Stopped {
    fn again(error: Error) -> Stopped {
        Stopped::Again { error, after: None }
    }
}

/// What is told of the bytes that come; counts those that came over the network.
pub(super) struct Counting<'a> {
    pub(super) progress: &'a (dyn Fn(Progress<'_>) + Send + Sync),
    pub(super) fetched: u64,
}

/// Asks for what `part` lacks and appends it. Ok means that the body has come to its end, whatever it holds.
pub(super) async fn attempt(
    earthdata: &Earthdata,
    wanted: &Wanted,
    part: &mut Part,
    counting: &mut Counting<'_>,
) -> std::result::Result<(), Stopped> {
    let resumed = resumable(wanted, part);
    let headers = resumed.as_ref().map(range).unwrap_or_default();
    let Answer { response, behind_link } = earthdata.get(&wanted.url, &headers).await?;
    let status = response.status();
    let version = Version::of(wanted, &response);
    match (status, &resumed) {
        (StatusCode::OK, _) => {
            if is_page(response.headers()) {
                return Err(Stopped::Final(Error::Page { url: told(&wanted.url) }));
            }
            if let (Some(size), Some(length)) =
                (wanted.size, version.length.filter(|length| Some(*length) != wanted.size))
            {
                let problem = format!("has {length} bytes on the server, but {size} in the catalogue");
                return Err(Stopped::Final(answer(wanted, &problem)));
            }
            restart(part, Some(version), counting).await?;
        }
        (StatusCode::PARTIAL_CONTENT, Some((from, known))) => {
            if !continues(&response, *from, known, &version) {
                restart(part, None, counting).await?;
                return Err(Stopped::again(answer(wanted, "the file has changed while it was fetched")));
            }
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, Some((from, known))) => {
            // Nothing is missing, or the file is another one now.
            if known.length.or_else(|| total(response.headers())) != Some(*from) {
                restart(part, None, counting).await?;
                return Err(Stopped::again(answer(wanted, "the server has no such range of the file")));
            }
            return Ok(());
        }
        _ => return Err(refused(wanted, &response, behind_link)),
    }
    let received = receive(earthdata, wanted, part, response, counting).await;
    // Whatever ended it, what came is kept.
    part.flush().await.map_err(Stopped::Final)?;
    received
}

/// Where to go on, and with which version: only one that the server can be held to.
fn resumable(wanted: &Wanted, part: &Part) -> Option<(u64, Version)> {
    let version = part.version().filter(|version| version.url == told(&wanted.url) && version.validator().is_some())?;
    (part.length() > 0).then(|| (part.length(), version.clone()))
}

fn range((from, version): &(u64, Version)) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let validator = version.validator().and_then(|text| HeaderValue::from_str(text).ok());
    if let (Ok(range), Some(validator)) = (HeaderValue::from_str(&format!("bytes={from}-")), validator) {
        headers.insert(RANGE, range);
        headers.insert(IF_RANGE, validator);
    }
    headers
}

async fn restart(
    part: &mut Part,
    version: Option<Version>,
    counting: &Counting<'_>,
) -> std::result::Result<(), Stopped> {
    if part.length() > 0 {
        (counting.progress)(Progress::Lost(part.length()));
    }
    part.restart(version).await.map_err(Stopped::Final)
}

async fn receive(
    earthdata: &Earthdata,
    wanted: &Wanted,
    part: &mut Part,
    mut response: Response,
    counting: &mut Counting<'_>,
) -> std::result::Result<(), Stopped> {
    let limit = part.version().and_then(|version| version.length).or(wanted.size).unwrap_or(u64::MAX);
    let mut pace = Pace::default();
    loop {
        let asked = Instant::now();
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(()),
            Err(error) => return Err(Stopped::from(earthdata.broken(&wanted.url, error))),
        };
        let is_too_slow = pace.is_too_slow(chunk.len(), asked.elapsed(), earthdata.patience());
        counting.fetched += chunk.len() as u64;
        if part.length() == 0 && chunk.len() >= SIGNATURE.len() && !chunk.starts_with(&SIGNATURE) {
            return Err(Stopped::Final(match chunk.trim_ascii_start().starts_with(b"<") {
                true => Error::Page { url: told(&wanted.url) },
                false => answer(wanted, "what comes is no HDF5 file"),
            }));
        }
        if part.length() + chunk.len() as u64 > limit {
            restart(part, None, counting).await?;
            return Err(Stopped::again(answer(wanted, "more bytes came than were announced")));
        }
        part.append(&chunk).await.map_err(Stopped::Final)?;
        (counting.progress)(Progress::Received(chunk.len() as u64));
        if is_too_slow {
            return Err(Stopped::from(earthdata.stalled(&wanted.url)));
        }
    }
}

/// What came lately, and how long that was waited for.
#[derive(Default)]
struct Pace {
    bytes: usize,
    waited: Duration,
}

impl Pace {
    /// Whether less than the least rate came over `patience`; time that is spent on writing does not count.
    fn is_too_slow(&mut self, bytes: usize, waited: Duration, patience: Duration) -> bool {
        self.bytes += bytes;
        self.waited += waited;
        if self.waited < patience {
            return false;
        }
        let Pace { bytes, waited } = std::mem::take(self);
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = bytes as f64 / waited.as_secs_f64().max(f64::MIN_POSITIVE);
        rate < LEAST_RATE
    }
}

/// Whether a 206 brings what follows byte `from` of the version that is `known`.
fn continues(response: &Response, from: u64, known: &Version, new: &Version) -> bool {
    let start = content_range(response.headers()).and_then(|text| text.split('-').next()?.trim().parse().ok());
    let differs = |old: &Option<String>, new: &Option<String>| old.is_some() && new.is_some() && old != new;
    start == Some(from)
        && !differs(&known.etag, &new.etag)
        && (known.etag.is_some() || !differs(&known.modified, &new.modified))
        && (known.length.is_none() || new.length.is_none() || known.length == new.length)
}

impl Version {
    fn of(wanted: &Wanted, response: &Response) -> Version {
        let headers = response.headers();
        let whole = response.status() == StatusCode::OK;
        Version {
            url: told(&wanted.url),
            etag: text(headers, ETAG).filter(|tag| tag.starts_with('"')),
            modified: text(headers, LAST_MODIFIED),
            length: if whole { response.content_length() } else { total(headers) },
        }
    }
}

/// What an answer that brings nothing of the file means.
fn refused(wanted: &Wanted, response: &Response, behind_link: bool) -> Stopped {
    let (url, status) = (told(&wanted.url), response.status());
    let error = Error::Status { url, status };
    let link_has_ended =
        behind_link && matches!(status, StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    let busy =
        matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) || status.is_server_error();
    match link_has_ended || busy {
        true => Stopped::Again { error, after: retry_after(response.headers(), Utc::now()) },
        false => Stopped::Final(error),
    }
}

/// The whole file's length by `Content-Range`.
fn total(headers: &HeaderMap) -> Option<u64> {
    content_range(headers)?.rsplit('/').next()?.trim().parse().ok()
}

fn content_range(headers: &HeaderMap) -> Option<String> {
    Some(text(headers, CONTENT_RANGE)?.trim().strip_prefix("bytes")?.trim_start().to_owned())
}

fn answer(wanted: &Wanted, problem: &str) -> Error {
    Error::Answer { url: told(&wanted.url), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_trickles_is_as_good_as_silent() {
        let (second, patience) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut pace = Pace::default();
        assert!((0..59).all(|_| !pace.is_too_slow(10, second, patience)) && pace.is_too_slow(10, second, patience));
        assert!((0..600).all(|_| !pace.is_too_slow(1001, second, patience)), "slow, but it comes");
    }

    #[test]
    fn the_length_of_the_whole_is_read_from_a_part() {
        let total =
            |text: &'static str| super::total(&HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_static(text))]));
        assert_eq!(total("bytes 5-9/10"), Some(10));
        assert_eq!(total("bytes */10"), Some(10));
        assert_eq!(total("bytes 5-9/*"), None);
        assert_eq!(total("lines 5-9/10"), None);
    }
}
