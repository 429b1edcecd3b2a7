//! Versions of a file on a server, identified by response headers.

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use reqwest::{Response, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::http::headers::text;
use crate::http::url::redacted;

/// A version of a file on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// The requested URL. The presigned link behind it expires, and is not stored.
    pub(super) url: String,
    /// Its strong entity tag.
    pub(super) etag: Option<String>,
    /// Its `Last-Modified`, for servers without tags.
    pub(super) modified: Option<String>,
    /// Its length in bytes.
    pub(super) length: Option<u64>,
}

impl Version {
    /// The version in `response`.
    pub(super) fn from_response(url: &Url, response: &Response) -> Version {
        let body_length = (response.status() == StatusCode::OK).then(|| response.content_length());
        Version::from_headers(url, response.headers(), body_length)
    }

    /// The version that `headers` describe. `body_length` is the length of a body that contains the whole file.
    fn from_headers(url: &Url, headers: &HeaderMap, body_length: Option<Option<u64>>) -> Version {
        let tag = text(headers, ETAG);
        // A weak tag does not guarantee identical bytes, and neither does a date that comes with it.
        let is_weak = tag.as_ref().is_some_and(|tag| !tag.starts_with('"'));
        Version {
            url: redacted(url),
            etag: tag.filter(|_| !is_weak),
            modified: text(headers, LAST_MODIFIED).filter(|_| !is_weak),
            length: body_length.unwrap_or_else(|| total_length(headers)),
        }
    }

    /// The value for `If-Range`, with which a server sends the rest of this version, or another version from its start.
    pub(super) fn validator(&self) -> Option<&str> {
        self.etag.as_deref().or(self.modified.as_deref())
    }

    /// The headers of a request for the bytes of this version from `start`.
    pub(super) fn range_headers(&self, start: u64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let validator = self.validator().and_then(|text| HeaderValue::from_str(text).ok());
        if let (Ok(range), Some(validator)) = (HeaderValue::from_str(&format!("bytes={start}-")), validator) {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, validator);
        }
        headers
    }

    /// Whether a partial response, which describes itself as `other`, may contain bytes of this version.
    pub(super) fn may_include(&self, other: &Version) -> bool {
        let differs = |old: &Option<String>, new: &Option<String>| old.is_some() && new.is_some() && old != new;
        !differs(&self.etag, &other.etag)
            && (self.etag.is_some() || !differs(&self.modified, &other.modified))
            && (self.length.is_none() || other.length.is_none() || self.length == other.length)
    }
}

/// Returns the first byte position of `Content-Range`.
pub(super) fn range_start(headers: &HeaderMap) -> Option<u64> {
    content_range(headers)?.split('-').next()?.trim().parse().ok()
}

/// Returns the length of the whole file in `Content-Range`.
pub(super) fn total_length(headers: &HeaderMap) -> Option<u64> {
    content_range(headers)?.rsplit('/').next()?.trim().parse().ok()
}

fn content_range(headers: &HeaderMap) -> Option<String> {
    Some(text(headers, CONTENT_RANGE)?.trim().strip_prefix("bytes")?.trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(reqwest::header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn version(pairs: &[(reqwest::header::HeaderName, &'static str)]) -> Version {
        let url = Url::parse("https://x.example/a.h5").unwrap();
        Version::from_headers(&url, &headers(pairs), None)
    }

    const DATE: &str = "Wed, 21 Oct 2020 07:28:00 GMT";

    #[test]
    fn another_range_or_version_is_recognised() {
        let known = version(&[(ETAG, "\"1\""), (CONTENT_RANGE, "bytes 0-9/10")]);
        let fits = |range: &'static str, tag: &'static str| {
            let response = [(CONTENT_RANGE, range), (ETAG, tag)];
            range_start(&headers(&response)) == Some(5) && known.may_include(&version(&response))
        };
        assert!(fits("bytes 5-9/10", "\"1\"") && fits("bytes 5-9/*", "\"1\""));
        assert!(!fits("bytes 4-9/10", "\"1\""), "another start");
        assert!(!fits("bytes 5-9/11", "\"1\""), "another length");
        assert!(!fits("bytes 5-9/10", "\"2\""), "another tag");
        assert!(!fits("lines 5-9/10", "\"1\"") && !fits("", "\"1\""));
        let dated = version(&[(LAST_MODIFIED, DATE)]);
        let later = [(CONTENT_RANGE, "bytes 5-9/10"), (LAST_MODIFIED, "Thu, 22 Oct 2020 07:28:00 GMT")];
        assert!(!dated.may_include(&version(&later)), "another date");
    }

    #[test]
    fn a_weak_tag_and_a_date_beside_it_are_not_validators() {
        assert_eq!(version(&[(ETAG, "W/\"1\""), (LAST_MODIFIED, DATE)]).validator(), None);
        assert_eq!(version(&[(ETAG, "\"1\""), (LAST_MODIFIED, DATE)]).validator(), Some("\"1\""));
        assert_eq!(version(&[(LAST_MODIFIED, DATE)]).validator(), Some(DATE));
    }

    #[test]
    fn the_total_length_is_read_from_content_range() {
        let total_length = |text: &'static str| {
            super::total_length(&HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_static(text))]))
        };
        assert_eq!(total_length("bytes 5-9/10"), Some(10));
        assert_eq!(total_length("bytes */10"), Some(10));
        assert_eq!(total_length("bytes 5-9/*"), None);
        assert_eq!(total_length("lines 5-9/10"), None);
    }
}
