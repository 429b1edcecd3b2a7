//! The target of a redirect.

use reqwest::header::LOCATION;
use reqwest::{Response, Url};

use crate::error::{Error, Result};
use crate::http::url::{redacted, without_credentials};

/// Returns where `response` to a request for `url` redirects to; None if it does not redirect.
///
/// # Errors
/// [`Error::InvalidResponse`] for a redirect without a valid target, and for one from https to http.
pub(crate) fn redirect_target(url: &Url, response: &Response) -> Result<Option<Url>> {
    let invalid = |problem: &str| Error::InvalidResponse { url: redacted(url), problem: problem.to_owned() };
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|text| url.join(text).ok());
    let target = target.ok_or_else(|| invalid("the redirect has no valid target"))?;
    match (url.scheme(), target.scheme()) {
        ("https" | "http", "https") | ("http", "http") => Ok(Some(without_credentials(&target))),
        _ => Err(invalid("the redirect leads away from https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(from: &str, status: u16, location: Option<&str>) -> Result<Option<String>> {
        let mut response = axum::http::Response::builder().status(status);
        if let Some(location) = location {
            response = response.header(LOCATION, location);
        }
        let response = Response::from(response.body("").unwrap());
        Ok(redirect_target(&Url::parse(from).unwrap(), &response)?.map(String::from))
    }

    #[test]
    fn a_redirect_drops_credentials_and_stays_on_https() {
        let from = "https://data.example/a/b.h5";
        assert_eq!(next(from, 200, Some("/x")).unwrap(), None);
        assert_eq!(next(from, 303, Some("/x?y=1")).unwrap().unwrap(), "https://data.example/x?y=1");
        assert_eq!(next(from, 307, Some("https://u:p@other.example/")).unwrap().unwrap(), "https://other.example/");
        for wrong in [None, Some("http://data.example/x"), Some("file:///etc/passwd"), Some("https://")] {
            assert!(next(from, 302, wrong).is_err(), "{wrong:?}");
        }
        assert!(
            next("http://127.0.0.1:1/", 302, Some("http://127.0.0.1:2/")).unwrap().is_some(),
            "a mirror on loopback"
        );
    }
}
