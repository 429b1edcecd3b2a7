//! One page of CMR: asked for by POST without credentials, and asked for again, with smaller pages where that may help, until it
//! comes or patience ends.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use chrono::Utc;
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::body::at_most;
use crate::error::{Error, Result};
use crate::headers::retry_after;
use crate::hosts::{http_url, told, without_secrets};
use crate::notices::Notices;
use crate::query::Form;
use crate::redirect::redirect;

mod attempt;

use attempt::Failed;

/// NASA's CMR.
pub const CMR_URL: &str = "https://cmr.earthdata.nasa.gov";

const CLIENT: &str = concat!("isdb/", env!("CARGO_PKG_VERSION"));
/// Pages are made smaller down to this number of items.
const SMALLEST_PAGE: usize = 10;
/// Bytes of a page: 500 granules take about 10 MB.
const LARGEST_REPLY: usize = 64 << 20;
/// Bytes of a refusal.
const LARGEST_REFUSAL: usize = 1 << 16;
/// So many redirects of one request are followed.
const MAX_HOPS: usize = 3;
/// So often a first connection is tried: who is offline wants to know soon, while a search under way is worth patience.
const FIRST_CONNECTIONS: u32 = 3;

/// A CMR.
#[derive(Debug, Clone)]
pub struct Cmr {
    http: reqwest::Client,
    url: Url,
    patience: Patience,
    notices: Notices,
}

/// How long to wait for CMR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the first or the next byte of an answer. CMR itself gives up after 180 s.
    pub read: Duration,
    /// Before the second attempt; each further wait is about twice as long, unless CMR says how long to wait …
    pub first_wait: Duration,
    /// … up to this.
    pub longest_wait: Duration,
    /// For one page, all attempts together.
    pub total: Duration,
}

impl Default for Patience {
    /// A quarter of an hour for a page.
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(30),
            read: Duration::from_secs(190),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            total: Duration::from_secs(900),
        }
    }
}

/// What CMR sends for a page.
pub(crate) struct Reply<T> {
    /// How much there is in all pages.
    pub(crate) hits: u64,
    /// The page.
    pub(crate) items: Vec<T>,
    /// Where the next page begins.
    pub(crate) search_after: Option<String>,
}

#[derive(Deserialize)]
struct Body<T> {
    hits: Option<u64>,
    items: Vec<T>,
}

impl Cmr {
    /// The CMR at `url`, such as [`CMR_URL`].
    ///
    /// # Errors
    /// [`Error::Address`] for what is no address of http or https, [`Error::Client`] when no HTTP client can be made.
    pub fn new(url: &str, patience: Patience) -> Result<Cmr> {
        let wrong =
            || Error::Address { url: without_secrets(url), problem: "is not an address of http or https".to_owned() };
        let base = http_url(url.trim_end_matches('/')).ok_or_else(wrong)?;
        let http = reqwest::Client::builder()
            .user_agent(CLIENT)
            .connect_timeout(patience.connect)
            .read_timeout(patience.read)
            // A redirect that is followed by others loses the form, and with it the search.
            .redirect(Policy::none())
            .build()
            .map_err(Error::Client)?;
        Ok(Cmr { http, url: base, patience, notices: Notices::default() })
    }

    /// Calls `listener` with a line of text before each wait, which is logged otherwise.
    #[must_use]
    pub fn with_notices(self, listener: impl Fn(&str) + Send + Sync + 'static) -> Cmr {
        Cmr { notices: Notices::to(listener), ..self }
    }

    /// The page of `concepts` (`granules`, `collections`) behind `search_after`. `page_size` becomes smaller when CMR cannot
    /// give so much at once: `search_after` is a place in the order of results, whatever the size of the pages.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        concepts: &str,
        form: &Form,
        page_size: &mut usize,
        search_after: Option<&str>,
    ) -> Result<Reply<T>> {
        let mut at = self.url.clone();
        at.set_path(&format!("{}/search/{concepts}.umm_json", self.url.path().trim_end_matches('/')));
        let url = told(&at);
        let began = Instant::now();
        let mut waits = ExponentialBuilder::new()
            .with_min_delay(self.patience.first_wait)
            .with_max_delay(self.patience.longest_wait)
            .with_jitter()
            .without_max_times()
            .build();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (reason, wait, source) = match self.attempt(&at, form, *page_size, search_after).await {
                Ok(reply) => return Ok(reply),
                Err(Failed::Finally(error)) => return Err(error),
                Err(Failed::ForNow { reason, retry_after, is_too_large, source }) => {
                    if is_too_large {
                        *page_size = (*page_size / 2).max(SMALLEST_PAGE.min(*page_size));
                    }
                    let wait = waits.next().unwrap_or(self.patience.longest_wait);
                    (reason, retry_after.map_or(wait, |asked| asked.max(self.patience.first_wait)), source)
                }
            };
            let is_offline = search_after.is_none() && source.as_ref().is_some_and(reqwest::Error::is_connect);
            let is_hopeless = is_offline && attempts >= FIRST_CONNECTIONS;
            if is_hopeless || began.elapsed().saturating_add(wait) >= self.patience.total {
                return Err(Error::CmrUnreachable { url, attempts, waited: began.elapsed(), reason, source });
            }
            tracing::debug!(url, attempts, page_size = *page_size, reason, ?wait, "again");
            self.notices.tell(&format!("CMR: {reason}; trying again in {:.1} s", wait.as_secs_f64()));
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks once.
    async fn attempt<T: DeserializeOwned>(
        &self,
        at: &Url,
        form: &Form,
        page_size: usize,
        search_after: Option<&str>,
    ) -> std::result::Result<Reply<T>, Failed> {
        let url = &told(at);
        let form = [form.as_slice(), [("page_size", page_size.to_string())].as_slice()].concat();
        let response = self.send(at, &form, search_after).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let search_after = header("CMR-Search-After");
        let hits = header("CMR-Hits").and_then(|text| text.parse().ok());
        let is_partial = ["CMR-Timed-Out", "CMR-Time-Out"].iter().any(|name| header(name).as_deref() == Some("true"));
        let (status, retry_after) = (response.status(), retry_after(response.headers(), Utc::now()));
        if !status.is_success() {
            let body = at_most(response, LARGEST_REFUSAL).await.ok().flatten().unwrap_or_default();
            return Err(Failed::with_status(url, status.as_u16(), retry_after, &body));
        }
        let body = at_most(response, LARGEST_REPLY).await;
        if is_partial {
            return Err(Failed::partial());
        }
        let body = body.map_err(Failed::cut)?.ok_or_else(|| Failed::too_large(url, page_size > SMALLEST_PAGE))?;
        let body: Body<T> = serde_json::from_slice(&body).map_err(|source| Failed::to_parse(url, source))?;
        let hits = hits.or(body.hits).ok_or_else(|| Failed::without_count(url))?;
        Ok(Reply { hits, items: body.items, search_after })
    }

    /// Sends the search, and sends it again to where CMR has moved: with the same form, and never from https to http.
    async fn send(
        &self,
        at: &Url,
        form: &[(&'static str, String)],
        search_after: Option<&str>,
    ) -> std::result::Result<Response, Failed> {
        let mut at = at.clone();
        for _ in 0..=MAX_HOPS {
            let mut request = self.http.post(at.clone()).header("Client-Id", CLIENT).form(form);
            if let Some(place) = search_after {
                request = request.header("CMR-Search-After", place);
            }
            let response = request.send().await.map_err(|error| Failed::unanswered(&told(&at), error))?;
            match redirect(&at, &response).map_err(Failed::Finally)? {
                None => return Ok(response),
                // It leads to another answer than that of this search.
                Some(_) if response.status() == 303 => {
                    return Err(Failed::address(&told(&at), "redirects the search to a page that takes none"));
                }
                Some(next) => at = next,
            }
        }
        Err(Failed::address(&told(&at), "redirects without end"))
    }
}
