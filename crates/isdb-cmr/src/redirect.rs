//! Where an answer sends us.

use reqwest::header::LOCATION;
use reqwest::{Response, Url};

use crate::error::{Error, Result};
use crate::hosts::{bare, told};

/// Where `response` sends us; None when it answers. Never from https to http.
pub(crate) fn redirect(at: &Url, response: &Response) -> Result<Option<Url>> {
    let wrong = |problem: &str| Error::Answer { url: told(at), problem: problem.to_owned() };
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|text| at.join(text).ok()).ok_or_else(|| wrong("redirects nowhere"))?;
    match (at.scheme(), next.scheme()) {
        ("https" | "http", "https") | ("http", "http") => Ok(Some(bare(&next))),
        _ => Err(wrong("redirects to what is not https")),
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
        Ok(redirect(&Url::parse(from).unwrap(), &response)?.map(String::from))
    }

    #[test]
    fn a_redirect_takes_no_user_along_and_never_leaves_https() {
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
