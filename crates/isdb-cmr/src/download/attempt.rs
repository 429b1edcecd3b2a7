//! One request for what is missing of a file, and what each kind of answer means for the bytes that are there.

use std::time::{Duration, Instant};

use chrono::Utc;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use reqwest::{Response, StatusCode};

use crate::download::part::Part;
use crate::download::sidecar::Version;
use crate::download::space::free;
use crate::download::{Progress, Wanted};
use crate::earthdata::{Answer, Earthdata};
use crate::error::Error;
use crate::headers::{is_page, retry_after, text};
use crate::hosts::told;
use crate::verify::{SIGNATURE, SUPERBLOCK, end_of_file};

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
    let new = match (status, &resumed) {
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
            Some(version)
        }
        (StatusCode::PARTIAL_CONTENT, Some((from, known))) => {
            if starts_at(response.headers()) != Some(*from) {
                restart(part, None, counting).await?;
                return Err(Stopped::again(answer(wanted, "the server sent other bytes than the requested range")));
            }
            if !continues(known, &version) {
                restart(part, None, counting).await?;
                return Err(Stopped::again(answer(wanted, "the file has changed while it was fetched")));
            }
            part.learn_length(version.length);
            None
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
    };
    let received = receive(earthdata, wanted, part, response, new, counting).await;
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

/// Appends the body of `response`: what follows the bytes of `part`, or the whole of the version `new`, in whose favour the bytes
/// of `part` go as soon as the first ones show that it is an HDF5 file.
async fn receive(
    earthdata: &Earthdata,
    wanted: &Wanted,
    part: &mut Part,
    mut response: Response,
    mut new: Option<Version>,
    counting: &mut Counting<'_>,
) -> std::result::Result<(), Stopped> {
    let mut bounds = match &new {
        Some(_) => Bounds::default(),
        None => Bounds::of(part, part.version().and_then(|version| version.length).or(wanted.size))?,
    };
    let mut head = Vec::new();
    let mut pace = Pace::default();
    loop {
        let began = Instant::now();
        let chunk = match response.chunk().await {
            Ok(chunk) => chunk,
            Err(error) => return Err(Stopped::from(earthdata.broken(&wanted.url, error))),
        };
        let is_end = chunk.is_none();
        let chunk = chunk.unwrap_or_default();
        let is_too_slow = !is_end && pace.is_too_slow(chunk.len(), began.elapsed(), earthdata.patience());
        counting.fetched += chunk.len() as u64;
        (counting.progress)(Progress::Received(chunk.len() as u64));
        if new.is_some() {
            head.extend_from_slice(&chunk);
            if head.len() >= SUPERBLOCK || is_end {
                bounds = begin(wanted, part, &head, new.take(), counting).await?;
                bounds.append(wanted, part, &head, counting).await?;
                head = Vec::new();
            }
        } else {
            bounds.append(wanted, part, &chunk, counting).await?;
        }
        if is_end {
            return Ok(());
        }
        if is_too_slow {
            return Err(Stopped::from(earthdata.stalled(&wanted.url)));
        }
    }
}

/// Drops the bytes of `part` for a body that begins with `head`, if that is the beginning of an HDF5 file.
async fn begin(
    wanted: &Wanted,
    part: &mut Part,
    head: &[u8],
    version: Option<Version>,
    counting: &Counting<'_>,
) -> std::result::Result<Bounds, Stopped> {
    if head.is_empty() {
        // With nothing to lose, what is empty is verified like any other file, and fetched once more.
        return match part.length() {
            0 => Ok(Bounds::default()),
            _ => Err(Stopped::again(answer(wanted, "the server sent no bytes"))),
        };
    }
    if !head.starts_with(&SIGNATURE) {
        return Err(Stopped::Final(match head.trim_ascii_start().starts_with(b"<") {
            true => Error::Page { url: told(&wanted.url) },
            false => answer(wanted, "the server sent something other than an HDF5 file"),
        }));
    }
    let length = version.as_ref().and_then(|version| version.length).or(wanted.size).or_else(|| end_of_file(head));
    restart(part, version, counting).await?;
    Bounds::of(part, length)
}

/// How long the file may become.
#[derive(Default)]
struct Bounds {
    /// The length that was announced.
    length: Option<u64>,
    /// The length for which there is room.
    room: u64,
}

impl Bounds {
    /// Fails when there is no room for a file of `length`.
    fn of(part: &Part, length: Option<u64>) -> std::result::Result<Bounds, Stopped> {
        let free = free(part.path())?;
        let needed = length.unwrap_or(0).saturating_sub(part.length());
        if needed > free {
            return Err(Stopped::Final(Error::NoSpace { path: part.folder(), needed, free }));
        }
        Ok(Bounds { length, room: part.length().saturating_add(free) })
    }

    /// Appends `bytes` as long as they stay within the bounds.
    async fn append(
        &self,
        wanted: &Wanted,
        part: &mut Part,
        bytes: &[u8],
        counting: &Counting<'_>,
    ) -> std::result::Result<(), Stopped> {
        let length = part.length().saturating_add(bytes.len() as u64);
        if self.length.is_some_and(|announced| length > announced) {
            restart(part, None, counting).await?;
            return Err(Stopped::again(answer(wanted, "more bytes came than were announced")));
        }
        if self.length.is_none() && length > self.room {
            let problem = "the server sends more than there is room for, and does not announce a length";
            return Err(Stopped::Final(answer(wanted, problem)));
        }
        part.append(bytes).await.map_err(Stopped::Final)
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

/// Whether a 206 with the version `new` brings bytes of the version that is `known`.
fn continues(known: &Version, new: &Version) -> bool {
    let differs = |old: &Option<String>, new: &Option<String>| old.is_some() && new.is_some() && old != new;
    !differs(&known.etag, &new.etag)
        && (known.etag.is_some() || !differs(&known.modified, &new.modified))
        && (known.length.is_none() || new.length.is_none() || known.length == new.length)
}

/// The first byte that a 206 brings.
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    content_range(headers)?.split('-').next()?.trim().parse().ok()
}

impl Version {
    fn of(wanted: &Wanted, response: &Response) -> Version {
        let whole = (response.status() == StatusCode::OK).then(|| response.content_length());
        Version::told(wanted, response.headers(), whole)
    }

    /// The version that these headers tell, of which a whole body has the length `whole`.
    fn told(wanted: &Wanted, headers: &HeaderMap, whole: Option<Option<u64>>) -> Version {
        let tag = text(headers, ETAG);
        // Beside a weak tag, which promises no bytes, a date promises none either.
        let is_weak = tag.as_ref().is_some_and(|tag| !tag.starts_with('"'));
        Version {
            url: told(&wanted.url),
            etag: tag.filter(|_| !is_weak),
            modified: text(headers, LAST_MODIFIED).filter(|_| !is_weak),
            length: whole.unwrap_or_else(|| total(headers)),
        }
    }
}

/// What an answer that brings nothing of the file means.
fn refused(wanted: &Wanted, response: &Response, behind_link: bool) -> Stopped {
    let (url, status) = (told(&wanted.url), response.status());
    let link_has_ended =
        behind_link && matches!(status, StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    let error = match link_has_ended {
        true => Error::Link { url, status },
        false => Error::Status { url, status },
    };
    // A 401 that comes as far as this is one of an archive that does not take a good token for the moment.
    let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::UNAUTHORIZED)
        || status.is_server_error();
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

    fn headers(pairs: &[(reqwest::header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn version(pairs: &[(reqwest::header::HeaderName, &'static str)]) -> Version {
        let url = reqwest::Url::parse("https://x.example/a.h5").unwrap();
        let wanted = Wanted { name: "a.h5".to_owned(), url, size: None, estimate: None, checksum: None };
        Version::told(&wanted, &headers(pairs), None)
    }

    const DATE: &str = "Wed, 21 Oct 2020 07:28:00 GMT";

    #[test]
    fn bytes_of_another_range_or_version_are_not_appended() {
        let known = version(&[(ETAG, "\"1\""), (CONTENT_RANGE, "bytes 0-9/10")]);
        let fits = |range: &'static str, tag: &'static str| {
            let answer = [(CONTENT_RANGE, range), (ETAG, tag)];
            starts_at(&headers(&answer)) == Some(5) && continues(&known, &version(&answer))
        };
        assert!(fits("bytes 5-9/10", "\"1\"") && fits("bytes 5-9/*", "\"1\""));
        assert!(!fits("bytes 4-9/10", "\"1\""), "another start");
        assert!(!fits("bytes 5-9/11", "\"1\""), "another length");
        assert!(!fits("bytes 5-9/10", "\"2\""), "another tag");
        assert!(!fits("lines 5-9/10", "\"1\"") && !fits("", "\"1\""));
        let dated = version(&[(LAST_MODIFIED, DATE)]);
        let later = [(CONTENT_RANGE, "bytes 5-9/10"), (LAST_MODIFIED, "Thu, 22 Oct 2020 07:28:00 GMT")];
        assert!(!continues(&dated, &version(&later)), "another date");
    }

    #[test]
    fn a_weak_tag_and_a_date_beside_it_hold_a_server_to_nothing() {
        assert_eq!(version(&[(ETAG, "W/\"1\""), (LAST_MODIFIED, DATE)]).validator(), None);
        assert_eq!(version(&[(ETAG, "\"1\""), (LAST_MODIFIED, DATE)]).validator(), Some("\"1\""));
        assert_eq!(version(&[(LAST_MODIFIED, DATE)]).validator(), Some(DATE));
    }

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
