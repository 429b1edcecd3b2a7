//! Failures of an attempt at a page: the reason, and whether another attempt can succeed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::Error;
use crate::excerpt::excerpt;
use crate::http::cause::root_cause;

/// The failure of an attempt.
pub(crate) enum PageFailure {
    /// Retrying does not help.
    Permanent(Error),
    /// Retrying may help.
    Temporary {
        /// The problem.
        reason: String,
        /// The pause that the server requests.
        retry_after: Option<Duration>,
        /// Whether a smaller page may succeed.
        may_be_too_large: bool,
        /// The connection error, if it was one.
        source: Option<reqwest::Error>,
    },
}

/// The body of an error response.
#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<String>,
}

/// An error page is quoted up to this length.
const MAX_QUOTED_CHARACTERS: usize = 300;

impl PageFailure {
    /// The server sent no response, not even a status. A server or proxy may also close the connection because of a large page.
    pub(crate) fn no_response(url: &str, error: reqwest::Error) -> PageFailure {
        if error.is_builder() {
            return PageFailure::invalid_address(url, "cannot be requested");
        }
        let error = error.without_url();
        let (reason, may_be_too_large) = match (error.is_connect(), error.is_timeout()) {
            (true, _) => (format!("no connection: {}", root_cause(&error)), false),
            (false, true) => ("no response in time".to_owned(), true),
            (false, false) => (format!("connection was interrupted: {}", root_cause(&error)), true),
        };
        PageFailure::temporary(reason, may_be_too_large, Some(error))
    }

    /// The URL cannot be requested, or its redirects do not lead to results.
    pub(crate) fn invalid_address(url: &str, problem: &str) -> PageFailure {
        PageFailure::Permanent(Error::InvalidAddress { url: url.to_owned(), problem: problem.to_owned() })
    }

    /// The response is larger than any page; a page of fewer granules may be small enough, if `can_be_smaller`.
    pub(crate) fn too_large(url: &str, can_be_smaller: bool) -> PageFailure {
        let problem = "the response is too large for search results".to_owned();
        match can_be_smaller {
            true => PageFailure::temporary(problem, true, None),
            false => PageFailure::Permanent(Error::InvalidResponse { url: url.to_owned(), problem }),
        }
    }

    /// The connection failed within the body.
    pub(crate) fn interrupted(error: reqwest::Error) -> PageFailure {
        PageFailure::temporary("the response was interrupted".to_owned(), true, Some(error))
    }

    /// CMR's own time limit expired, and some results are missing.
    pub(crate) fn partial() -> PageFailure {
        PageFailure::temporary("the search took too long, and the response is incomplete".to_owned(), true, None)
    }

    /// The body is incomplete, or not the JSON of a page.
    pub(crate) fn invalid_json(url: &str, source: serde_json::Error) -> PageFailure {
        match source.classify() {
            Category::Eof => PageFailure::temporary("the response is incomplete".to_owned(), true, None),
            _ => PageFailure::Permanent(Error::CmrReply { url: url.to_owned(), source }),
        }
    }

    /// The response does not say how many results there are, so that a missing page could not be noticed.
    pub(crate) fn without_count(url: &str) -> PageFailure {
        let problem = "the response lacks the number of results".to_owned();
        PageFailure::Permanent(Error::InvalidResponse { url: url.to_owned(), problem })
    }

    /// The response has an error status. 408 and 429 are temporary; other 4xx are permanent.
    pub(crate) fn from_status(url: &str, status: u16, retry_after: Option<Duration>, body: &[u8]) -> PageFailure {
        if (400..500).contains(&status) && status != 408 && status != 429 {
            let message = error_message(body);
            return PageFailure::Permanent(Error::CmrRefused { url: url.to_owned(), status, message });
        }
        let pause =
            retry_after.map_or_else(String::new, |pause| format!(", with a requested pause of {} s", pause.as_secs()));
        PageFailure::Temporary {
            reason: format!("status {status}{pause}"),
            retry_after,
            may_be_too_large: status == 504,
            source: None,
        }
    }

    fn temporary(reason: String, may_be_too_large: bool, source: Option<reqwest::Error>) -> PageFailure {
        PageFailure::Temporary {
            reason,
            retry_after: None,
            may_be_too_large,
            source: source.map(reqwest::Error::without_url),
        }
    }
}

/// Returns CMR's error messages, or the start of an error page.
fn error_message(body: &[u8]) -> String {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => excerpt(&body.errors.join("; "), MAX_QUOTED_CHARACTERS),
        Err(_) => excerpt(&String::from_utf8_lossy(body), MAX_QUOTED_CHARACTERS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_search_is_permanent_and_quotes_cmr() {
        let body = br#"{"errors":["Parameter [x] was not recognized.","No."]}"#;
        let PageFailure::Permanent(error) = PageFailure::from_status("http://cmr", 400, None, body) else {
            panic!("expected a permanent failure")
        };
        assert_eq!(
            error.to_string(),
            "http://cmr refused the search (status 400): Parameter [x] was not recognized.; No."
        );
        let PageFailure::Permanent(error) = PageFailure::from_status("http://cmr", 413, None, b"<html>too long</html>")
        else {
            panic!("expected a permanent failure")
        };
        assert!(error.to_string().ends_with("(status 413): <html>too long</html>"));
        let body = format!(r#"{{"errors":["bad \u001b[2J{}"]}}"#, "x".repeat(10_000));
        let PageFailure::Permanent(error) = PageFailure::from_status("http://cmr", 400, None, body.as_bytes()) else {
            panic!("expected a permanent failure")
        };
        let message = error.to_string();
        assert!(
            message.contains("bad \\u{1b}[2Jxxx") && !message.contains('\u{1b}') && message.len() < 400,
            "{message}"
        );
    }

    #[test]
    fn a_throttled_client_waits_for_the_requested_time() {
        let requested = Some(Duration::from_secs(17));
        let PageFailure::Temporary { retry_after, may_be_too_large: false, reason, .. } =
            PageFailure::from_status("http://cmr", 429, requested, b"")
        else {
            panic!("429 must be retried with the same page size")
        };
        assert_eq!((retry_after, reason.as_str()), (requested, "status 429, with a requested pause of 17 s"));
    }
}
