//! Why one attempt at a page failed, and whether another one can do better.

use std::time::Duration;

use serde::Deserialize;
use serde_json::error::Category;

use crate::cause::root;
use crate::error::Error;
use crate::words::shortened;

/// An attempt that brought no page.
pub(crate) enum Failed {
    /// Asking again will not help.
    Finally(Error),
    /// Asking again may help.
    ForNow {
        /// What went wrong.
        reason: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
        /// Whether a smaller page may come where this one did not.
        is_too_large: bool,
        /// The failure of the connection, where it was one.
        source: Option<reqwest::Error>,
    },
}

/// How CMR tells what it does not take.
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<String>,
}

/// So much of an error page is repeated.
const WORDS: usize = 300;

impl Failed {
    /// No answer, not even a status. A server or proxy that breaks down over a large page may end so, too.
    pub(crate) fn unanswered(url: &str, error: reqwest::Error) -> Failed {
        if error.is_builder() {
            return Failed::address(url, "cannot be requested");
        }
        let error = error.without_url();
        let (reason, is_too_large) = match (error.is_connect(), error.is_timeout()) {
            (true, _) => (format!("no connection: {}", root(&error)), false),
            (false, true) => ("no answer in time".to_owned(), true),
            (false, false) => (format!("the connection was cut off: {}", root(&error)), true),
        };
        Failed::for_now(reason, is_too_large, Some(error))
    }

    /// An address that is of no use.
    pub(crate) fn address(url: &str, problem: &str) -> Failed {
        Failed::Finally(Error::Address { url: url.to_owned(), problem: problem.to_owned() })
    }

    /// An answer larger than any page; a page of fewer granules may be small enough, if there is one.
    pub(crate) fn too_large(url: &str, can_be_smaller: bool) -> Failed {
        let problem = "sends more bytes than search results have";
        match can_be_smaller {
            true => Failed::for_now(problem.to_owned(), true, None),
            false => Failed::Finally(Error::Answer { url: url.to_owned(), problem: problem.to_owned() }),
        }
    }

    pub(crate) fn cut(error: reqwest::Error) -> Failed {
        Failed::for_now("the answer was cut off".to_owned(), true, Some(error))
    }

    pub(crate) fn partial() -> Failed {
        Failed::for_now("the search took too long, and the answer is incomplete".to_owned(), true, None)
    }

    pub(crate) fn to_parse(url: &str, source: serde_json::Error) -> Failed {
        match source.classify() {
            Category::Eof => Failed::for_now("the answer ends in its middle".to_owned(), true, None),
            _ => Failed::Finally(Error::CmrReply { url: url.to_owned(), source }),
        }
    }

    /// Nobody can tell whether a search is complete that does not say how much there is.
    pub(crate) fn without_count(url: &str) -> Failed {
        let problem = "does not tell how many results there are".to_owned();
        Failed::Finally(Error::Answer { url: url.to_owned(), problem })
    }

    /// An answer that is none. 408 and 429 ask for patience; other 4xx are final.
    pub(crate) fn with_status(url: &str, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Failed {
        if (400..500).contains(&status) && status != 408 && status != 429 {
            return Failed::Finally(Error::CmrRefused { url: url.to_owned(), status, words: words(body) });
        }
        let told = retry_after.map_or_else(String::new, |wait| format!(", asks for a pause of {} s", wait.as_secs()));
        Failed::ForNow {
            reason: format!("status {status}{told}"),
            retry_after,
            is_too_large: status == 504,
            source: None,
        }
    }

    fn for_now(reason: String, is_too_large: bool, source: Option<reqwest::Error>) -> Failed {
        Failed::ForNow { reason, retry_after: None, is_too_large, source: source.map(reqwest::Error::without_url) }
    }
}

fn words(body: &[u8]) -> String {
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => shortened(&refusal.errors.join("; "), WORDS),
        Err(_) => shortened(&String::from_utf8_lossy(body), WORDS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cmr_refuses_is_final_and_told_in_its_words() {
        let body = br#"{"errors":["Parameter [x] was not recognized.","No."]}"#;
        let Failed::Finally(error) = Failed::with_status("http://cmr", 400, None, body) else { panic!("not final") };
        assert_eq!(error.to_string(), "http://cmr refuses the search (400): Parameter [x] was not recognized.; No.");
        let Failed::Finally(error) = Failed::with_status("http://cmr", 413, None, b"<html>too long</html>") else {
            panic!("not final")
        };
        assert!(error.to_string().ends_with("(413): <html>too long</html>"));
        let body = format!(r#"{{"errors":["bad \u001b[2J{}"]}}"#, "x".repeat(10_000));
        let Failed::Finally(error) = Failed::with_status("http://cmr", 400, None, body.as_bytes()) else {
            panic!("not final")
        };
        let told = error.to_string();
        assert!(told.contains("bad \\u{1b}[2Jxxx") && !told.contains('\u{1b}') && told.len() < 400, "{told}");
    }

    #[test]
    fn a_throttled_client_waits_as_long_as_it_is_told() {
        let asked = Some(Duration::from_secs(17));
        let Failed::ForNow { retry_after, is_too_large: false, reason, .. } =
            Failed::with_status("http://cmr", 429, asked, b"")
        else {
            panic!("429 is no reason to give up or to ask for less")
        };
        assert_eq!((retry_after, reason.as_str()), (asked, "status 429, asks for a pause of 17 s"));
    }
}
