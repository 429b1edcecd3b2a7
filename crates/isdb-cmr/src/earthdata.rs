//! Requests to NASA's archive in the name of a user. Redirects are followed by hand, and each hop decides anew who may see
//! which credential; credentials that were refused once are never sent again.

use std::time::Duration;

use chrono::Utc;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use crate::cookies::Cookies;
use crate::credentials::{Credentials, Login, Token};
use crate::error::{Error, Result};
use crate::headers::is_page;
use crate::hosts::{Hosts, bare, is_http, told};
use crate::s3_credentials::S3Cache;
use crate::trial::{Trial, Turn};

const MAX_HOPS: usize = 10;
const CONNECT: Duration = Duration::from_secs(30);

/// A session with NASA's archive: credentials, cookies (in memory only), and what is known of both. A process needs one: it is
/// the session that remembers a refusal.
#[derive(Debug)]
pub struct Earthdata {
    client: Client,
    pub(crate) hosts: Hosts,
    pub(crate) credentials: Credentials,
    cookies: Cookies,
    token: Trial,
    login: Trial,
    patience: Duration,
    pub(crate) s3: S3Cache,
}

/// An answer that is no redirect and no refusal.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    /// Whether a redirect led to a host that is neither the archive's nor the login's: a presigned link, which ends.
    pub(crate) behind_link: bool,
}

/// What a request carries to show who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Token,
    Login,
}

/// One way from a URL to its answer.
struct Trip<'a> {
    url: &'a Url,
    /// Whether a token that is sent to the login host here may still be good for files.
    is_for_session: bool,
    /// A trip that was sent to the login host goes on with its cookie: the token was of no use.
    sent_to_login: bool,
    /// User and password are shown once on a trip.
    login_shown: bool,
}

impl Earthdata {
    /// A session that has asked nothing yet. `patience` is how long a host may stay silent, or send next to nothing.
    ///
    /// # Errors
    /// When the token has expired and there is no login beside it, or the HTTP client cannot be set up.
    pub fn new(mut credentials: Credentials, hosts: Hosts, patience: Duration) -> Result<Earthdata> {
        if let Some(Err(error)) = credentials.token.as_ref().map(|token| token.header(Utc::now())) {
            if credentials.login.is_none() {
                return Err(error);
            }
            go_on_by_login(&error);
            credentials.token = None;
        }
        let client = Client::builder()
            .user_agent(concat!("isdb/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT.min(patience))
            .read_timeout(patience)
            .build()
            .map_err(Error::Client)?;
        Ok(Earthdata {
            client,
            hosts,
            credentials,
            cookies: Cookies::default(),
            token: Trial::default(),
            login: Trial::default(),
            patience,
            s3: S3Cache::default(),
        })
    }

    /// Follows `url` to an answer. The archive sees the token, or sends us to the login host, which sees user and password and
    /// sends us back with a cookie; hosts outside see neither.
    pub(crate) async fn get(&self, url: &Url, headers: &HeaderMap) -> Result<Answer> {
        self.follow(Trip { url, is_for_session: false, sent_to_login: false, login_shown: false }, headers).await
    }

    /// Follows `url`, which may take the login's session only, whatever the token is worth elsewhere.
    pub(crate) async fn get_by_session(&self, url: &Url) -> Result<Answer> {
        let trip = Trip { url, is_for_session: true, sent_to_login: false, login_shown: false };
        self.follow(trip, &HeaderMap::new()).await
    }

    async fn follow(&self, mut trip: Trip<'_>, headers: &HeaderMap) -> Result<Answer> {
        let url = trip.url;
        if !is_http(url) {
            return Err(Error::Address { url: told(url), problem: "is no address of http or https".to_owned() });
        }
        let mut at = bare(url);
        for hops in 0..=MAX_HOPS {
            let (response, shown) = self.hop(&at, headers, &mut trip).await?;
            let status = response.status();
            let Some(next) = redirect(&at, &response)? else {
                return self.judged(url, &at, hops, response, shown);
            };
            if self.hosts.is_login(&next) && !self.hosts.is_login(&at) {
                if trip.sent_to_login {
                    return Err(Error::Forbidden { url: told(url) });
                }
                trip.sent_to_login = true;
                self.needs_login(url, shown).await?;
            }
            tracing::debug!(from = told(&at), to = told(&next), status = status.as_u16(), "redirect");
            at = next;
        }
        Err(Error::Answer { url: told(url), problem: format!("more than {MAX_HOPS} redirects") })
    }

    /// One request, with what its host may see. Credentials that nobody has judged yet travel one request at a time, so that a
    /// wrong password is sent once however many files are wanted.
    async fn hop(&self, at: &Url, headers: &HeaderMap, trip: &mut Trip<'_>) -> Result<(Response, Shown)> {
        let request = || {
            let request = self.client.get(at.clone()).headers(headers.clone()).header(ACCEPT_ENCODING, "identity");
            match self.cookies.of(at) {
                Some(cookie) => request.header(COOKIE, cookie),
                None => request,
            }
        };
        if let (true, false, Some(login)) = (self.hosts.is_login(at), trip.login_shown, &self.credentials.login) {
            trip.login_shown = true;
            return Ok((self.by_login(at, login, request(), trip.url).await?, Shown::Login));
        }
        if let (true, false, Some(token)) = (self.hosts.is_archive(at), trip.sent_to_login, &self.credentials.token)
            && let Some(response) = self.by_token(at, token, request(), trip).await?
        {
            return Ok((response, Shown::Token));
        }
        Ok((self.send(at, request()).await?, Shown::Nothing))
    }

    /// Shows user and password to the login host, which takes them by sending us away. Whatever else it answers to those that
    /// it never took is a refusal: no other file may send them again.
    async fn by_login(&self, at: &Url, login: &Login, request: RequestBuilder, url: &Url) -> Result<Response> {
        let turn = self.login.turn().await.ok_or_else(|| self.refused_login())?;
        let response = self.send(at, request.basic_auth(&login.user, Some(login.password.reveal()))).await?;
        let leads_away = matches!(redirect(at, &response), Ok(Some(next)) if !self.hosts.is_login(&next));
        match response.status() {
            _ if leads_away => {
                turn.accepted();
                Ok(response)
            }
            // It has not looked at them.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Ok(response),
            status if status.is_server_error() => Ok(response),
            StatusCode::UNAUTHORIZED => {
                turn.refused().await;
                Err(self.refused_login())
            }
            // What was taken before still is good: this file alone wants more.
            StatusCode::FORBIDDEN if turn.is_known() => Err(Error::Forbidden { url: told(url) }),
            _ if turn.is_known() => Ok(response),
            status => {
                turn.refused().await;
                Err(match status {
                    StatusCode::FORBIDDEN => self.refused_login(),
                    _ => Error::NotAccepted { url: told(at), whence: login.whence.clone() },
                })
            }
        }
    }

    /// Shows the token to the archive; None when it is worth nothing and there is a login to go on with.
    async fn by_token(
        &self,
        at: &Url,
        token: &Token,
        request: RequestBuilder,
        trip: &Trip<'_>,
    ) -> Result<Option<Response>> {
        let has_login = self.credentials.login.is_some();
        let give_up = async |turn: Turn<'_>, error: Error| {
            let is_news = turn.refused().await;
            if !has_login {
                return Err(error);
            }
            if is_news {
                go_on_by_login(&error);
            }
            Ok(None)
        };
        let Some(turn) = self.token.turn().await else {
            return if has_login { Ok(None) } else { Err(self.refused_token()) };
        };
        let header = match token.header(Utc::now()) {
            Ok(header) => header,
            Err(error) => return give_up(turn, error).await,
        };
        let response = self.send(at, request.header(AUTHORIZATION, header)).await?;
        let to_login = redirect(at, &response)?.is_some_and(|next| self.hosts.is_login(&next));
        match response.status() {
            StatusCode::UNAUTHORIZED => return give_up(turn, self.refused_token()).await,
            // A token that was of use before still is: this file alone wants more.
            _ if to_login && (trip.is_for_session || turn.is_known()) => {}
            _ if to_login => {
                turn.refused().await;
                if has_login {
                    go_on_by_login(&self.refused_token());
                }
            }
            status if status.is_success() || status.is_redirection() => turn.accepted(),
            _ => {}
        }
        Ok(Some(response))
    }

    /// Sends `request`, whose headers and query are never told.
    async fn send(&self, at: &Url, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.broken(at, error))?;
        self.cookies.keep(at, &response);
        tracing::debug!(
            method = "GET",
            url = told(at),
            status = response.status().as_u16(),
            bytes = response.content_length(),
            "request"
        );
        Ok(response)
    }

    /// The connection failed: as an error that holds no query.
    pub(crate) fn broken(&self, at: &Url, error: reqwest::Error) -> Error {
        match error.is_timeout() && !error.is_connect() {
            true => self.stalled(at),
            false => Error::Connection { url: told(at), source: error.without_url() },
        }
    }

    /// Next to nothing came for as long as we wait.
    pub(crate) fn stalled(&self, at: &Url) -> Error {
        Error::Stalled { url: told(at), seconds: self.patience.as_secs() }
    }

    /// How long a host may stay silent, or send next to nothing.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// A file's host has sent us to the login host: do we have what it will ask for?
    async fn needs_login(&self, url: &Url, shown: Shown) -> Result<()> {
        match (&self.credentials.login, &self.credentials.token) {
            (Some(_), _) if self.login.is_refused().await => Err(self.refused_login()),
            (Some(_), _) => Ok(()),
            (None, None) => Err(Error::NoLogin { url: told(url) }),
            (None, Some(_)) if shown == Shown::Token && self.token.is_refused().await => Err(self.refused_token()),
            (None, Some(_)) => Err(Error::Forbidden { url: told(url) }),
        }
    }

    /// The end of a trip after so many redirects: an answer for the caller, or the word that we may not.
    fn judged(&self, url: &Url, at: &Url, redirects: usize, response: Response, shown: Shown) -> Result<Answer> {
        let outside = !self.hosts.is_archive(at) && !self.hosts.is_login(at);
        match response.status() {
            StatusCode::UNAUTHORIZED
                if !outside && shown == Shown::Nothing && self.credentials == Credentials::default() =>
            {
                Err(Error::NoLogin { url: told(url) })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if !outside => Err(Error::Forbidden { url: told(url) }),
            // The login host shows a page where it wants an answer that only a person can give.
            status if status.is_success() && self.hosts.is_login(at) && !self.hosts.is_login(url) => {
                Err(Error::Page { url: told(url) })
            }
            _ => Ok(Answer { response, behind_link: outside && redirects > 0 }),
        }
    }

    fn refused_login(&self) -> Error {
        let whence = self.credentials.login.as_ref().map(|login| login.whence.clone()).unwrap_or_default();
        Error::Refused { what: "login", whence }
    }

    fn refused_token(&self) -> Error {
        let whence = self.credentials.token.as_ref().map(|token| token.whence.clone()).unwrap_or_default();
        Error::Refused { what: "token", whence }
    }

    /// Asks the login host at `path`, with the token if `by_token`, else with user and password.
    pub(crate) async fn ask_login_host(&self, path: &str, by_token: bool) -> Result<Response> {
        let prefix = self.hosts.login.as_str().trim_end_matches('/');
        let at = Url::parse(&format!("{prefix}{path}"))
            .map_err(|_| Error::Answer { url: told(&self.hosts.login), problem: "is no base for a URL".to_owned() })?;
        let (trial, refused) = match by_token {
            true => (&self.token, self.refused_token()),
            false => (&self.login, self.refused_login()),
        };
        let request = self.client.get(at.clone());
        let request = match (by_token, &self.credentials.token, &self.credentials.login) {
            (true, Some(token), _) => request.header(AUTHORIZATION, token.header(Utc::now())?),
            (false, _, Some(login)) => request.basic_auth(&login.user, Some(login.password.reveal())),
            _ => return Err(Error::NoLogin { url: told(&at) }),
        };
        let Some(turn) = trial.turn().await else { return Err(refused) };
        let response = self.send(&at, request).await?;
        match response.status() {
            // A page for people says neither yes nor no.
            status if status.is_success() && is_page(response.headers()) => {
                turn.refused().await;
                Err(match refused {
                    Error::Refused { whence, .. } => Error::NotAccepted { url: told(&at), whence },
                    other => other,
                })
            }
            status if status.is_success() => {
                turn.accepted();
                Ok(response)
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                turn.refused().await;
                Err(refused)
            }
            status => Err(Error::Status { url: told(&at), status }),
        }
    }
}

/// Tells why the token is not used any more, where a login takes its place.
pub(crate) fn go_on_by_login(error: &Error) {
    tracing::warn!("{error}; going on by user and password");
}

/// Where `response` sends us; None when it answers. Never from https to http.
fn redirect(at: &Url, response: &Response) -> Result<Option<Url>> {
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
