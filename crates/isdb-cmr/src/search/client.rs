//! Client of CMR. It requests one page by POST, without credentials, and retries until the page arrives or a time limit
//! expires, with smaller pages where that may help.

use std::time::Duration;

use chrono::Utc;
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::http::USER_AGENT;
use crate::http::body::read_limited;
use crate::http::headers::retry_after;
use crate::http::redirect::redirect_target;
use crate::http::url::{parse_http_url, redacted, without_secrets};
use crate::notices::Notices;
use crate::retry::Pauses;
use crate::search::page_failure::PageFailure;
use crate::search::query::Form;

/// The URL of NASA's CMR.
pub const CMR_URL: &str = "https://cmr.earthdata.nasa.gov";

/// Pages are not made smaller than this number of items.
const MIN_PAGE_SIZE: usize = 10;
/// A page of 500 granules has about 10 MB.
const MAX_PAGE_BYTES: usize = 64 << 20;
const MAX_ERROR_BYTES: usize = 1 << 16;
const MAX_REDIRECTS: usize = 3;
/// Attempts at the first connection: a user who is offline wants to know soon, while a running search is worth waiting for.
const MAX_FIRST_CONNECTIONS: u32 = 3;

/// A client of CMR.
#[derive(Debug, Clone)]
pub struct Cmr {
    http: reqwest::Client,
    url: Url,
    retry: RetryPolicy,
    notices: Notices,
}

/// Timeouts, pauses between attempts and the time limit of requests to CMR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The time to wait for a connection.
    pub connect_timeout: Duration,
    /// The time to wait for the first or the next byte of a response. CMR itself gives up after 180 s.
    pub read_timeout: Duration,
    /// The pause before the second attempt; each further pause is about twice as long, unless CMR requests a longer one …
    pub first_pause: Duration,
    /// … up to this.
    pub max_pause: Duration,
    /// The time limit for one page, all attempts together.
    pub time_limit: Duration,
}

impl Default for RetryPolicy {
    /// A quarter of an hour for each page.
    fn default() -> RetryPolicy {
        RetryPolicy {
            connect_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(190),
            first_pause: Duration::from_secs(1),
            max_pause: Duration::from_secs(60),
            time_limit: Duration::from_secs(900),
        }
    }
}

/// A page of results.
pub(crate) struct Reply<T> {
    /// The number of results in all pages.
    pub(crate) hits: u64,
    pub(crate) items: Vec<T>,
    /// The position at which the next page starts.
    pub(crate) search_after: Option<String>,
}

#[derive(Deserialize)]
struct Body<T> {
    hits: Option<u64>,
    items: Vec<T>,
}

impl Cmr {
    /// Creates a client of the CMR at `url`, such as [`CMR_URL`].
    ///
    /// # Errors
    /// [`Error::InvalidAddress`] if `url` is not an http or https URL, [`Error::Client`] if no HTTP client can be created.
    pub fn new(url: &str, retry: RetryPolicy) -> Result<Cmr> {
        let invalid =
            || Error::InvalidAddress { url: without_secrets(url), problem: "expected an http or https URL".to_owned() };
        let base = parse_http_url(url.trim_end_matches('/')).ok_or_else(invalid)?;
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(retry.connect_timeout)
            .read_timeout(retry.read_timeout)
            // reqwest would drop the form, and with it the search, when it follows a redirect.
            .redirect(Policy::none())
            .build()
            .map_err(Error::Client)?;
        Ok(Cmr { http, url: base, retry, notices: Notices::default() })
    }

    /// Sets a `listener` that is called with a line of text before each pause. Without it the line is logged.
    #[must_use]
    pub fn with_notices(self, listener: impl Fn(&str) + Send + Sync + 'static) -> Cmr {
        Cmr { notices: Notices::new(listener), ..self }
    }

    /// Requests the page of `concepts` (`granules`, `collections`) that starts after `search_after`. Decreases `page_size` if CMR
    /// cannot send a page of that size; `search_after` is a position in the sorted results and does not depend on the size.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        concepts: &str,
        form: &Form,
        page_size: &mut usize,
        search_after: Option<&str>,
    ) -> Result<Reply<T>> {
        let mut at = self.url.clone();
        at.set_path(&format!("{}/search/{concepts}.umm_json", self.url.path().trim_end_matches('/')));
        let url = redacted(&at);
        let started = Instant::now();
        let mut pauses = Pauses::new(self.retry.first_pause, self.retry.max_pause);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (reason, pause, source) = match self.request_page(&at, form, *page_size, search_after).await {
                Ok(reply) => return Ok(reply),
                Err(PageFailure::Permanent(error)) => return Err(error),
                Err(PageFailure::Temporary { reason, retry_after, may_be_too_large, source }) => {
                    if may_be_too_large {
                        *page_size = (*page_size / 2).max(MIN_PAGE_SIZE.min(*page_size));
                    }
                    let pause = pauses.next();
                    (reason, retry_after.map_or(pause, |requested| requested.max(self.retry.first_pause)), source)
                }
            };
            let is_offline = search_after.is_none() && source.as_ref().is_some_and(reqwest::Error::is_connect);
            let gives_up = is_offline && attempts >= MAX_FIRST_CONNECTIONS;
            if gives_up || started.elapsed().saturating_add(pause) >= self.retry.time_limit {
                return Err(Error::CmrUnreachable { url, attempts, elapsed: started.elapsed(), reason, source });
            }
            tracing::debug!(url, attempts, page_size = *page_size, reason, ?pause, "retry");
            self.notices.send(&format!("CMR: {reason}; retrying in {:.1} s", pause.as_secs_f64()));
            tokio::time::sleep(pause).await;
        }
    }

    /// Requests a page once.
    async fn request_page<T: DeserializeOwned>(
        &self,
        at: &Url,
        form: &Form,
        page_size: usize,
        search_after: Option<&str>,
    ) -> std::result::Result<Reply<T>, PageFailure> {
        let url = &redacted(at);
        let form = [form.as_slice(), [("page_size", page_size.to_string())].as_slice()].concat();
        let response = self.send(at, &form, search_after).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let search_after = header("CMR-Search-After");
        let hits = header("CMR-Hits").and_then(|text| text.parse().ok());
        let is_partial = ["CMR-Timed-Out", "CMR-Time-Out"].iter().any(|name| header(name).as_deref() == Some("true"));
        let (status, retry_after) = (response.status(), retry_after(response.headers(), Utc::now()));
        if !status.is_success() {
            let body = read_limited(response, MAX_ERROR_BYTES).await.ok().flatten().unwrap_or_default();
            return Err(PageFailure::from_status(url, status.as_u16(), retry_after, &body));
        }
        let body = read_limited(response, MAX_PAGE_BYTES).await;
        if is_partial {
            return Err(PageFailure::partial());
        }
        let body = body.map_err(PageFailure::interrupted)?;
        let body = body.ok_or_else(|| PageFailure::too_large(url, page_size > MIN_PAGE_SIZE))?;
        let body: Body<T> = serde_json::from_slice(&body).map_err(|source| PageFailure::invalid_json(url, source))?;
        let hits = hits.or(body.hits).ok_or_else(|| PageFailure::without_count(url))?;
        Ok(Reply { hits, items: body.items, search_after })
    }

    /// Sends the search. Redirects are followed with the same form, and never from https to http.
    async fn send(
        &self,
        at: &Url,
        form: &[(&'static str, String)],
        search_after: Option<&str>,
    ) -> std::result::Result<Response, PageFailure> {
        let mut at = at.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.http.post(at.clone()).header("Client-Id", USER_AGENT).form(form);
            if let Some(position) = search_after {
                request = request.header("CMR-Search-After", position);
            }
            let response = request.send().await.map_err(|error| PageFailure::no_response(&redacted(&at), error))?;
            match redirect_target(&at, &response).map_err(PageFailure::Permanent)? {
                None => return Ok(response),
                // "See Other" is followed by GET, which loses the form and so leads to other results.
                Some(_) if response.status() == 303 => {
                    return Err(PageFailure::invalid_address(
                        &redacted(&at),
                        "redirects the search to a page without a form",
                    ));
                }
                Some(next) => at = next,
            }
        }
        let problem = format!("more than {MAX_REDIRECTS} redirects");
        Err(PageFailure::invalid_address(&redacted(&at), &problem))
    }
}
